//! The whole of it: settings, log, server and check.
//!
//! ```sh
//! cargo run --package stagedoor --example whole
//! ```

use std::process::ExitCode;

use actix_web::web;
use stagedoor::{Caching, Format, Problem, Program, Reader, Release, Representation, Site, build};

const MESSAGE: &str = "Hello from the whole of it.";

/// What can be set.
struct Settings {
    /// `SITE_NAME`: 1 to 60 printable characters.
    site_name: String,
    /// `STAGE_HANDS`: how many there are, 0 to 99; `check` wants one at least.
    stage_hands: u8,
    platform: stagedoor::Settings,
}

impl Settings {
    fn read(reader: &mut Reader) -> Self {
        Self {
            site_name: reader.text("SITE_NAME", "Whole", 60),
            stage_hands: reader.read("STAGE_HANDS", "1", "a number from 0 to 99", |text| {
                text.parse().ok().filter(|hands| *hands < 100)
            }),
            platform: stagedoor::Settings::read(reader),
        }
    }
}

impl AsRef<stagedoor::Settings> for Settings {
    fn as_ref(&self) -> &stagedoor::Settings {
        &self.platform
    }
}

fn main() -> ExitCode {
    Program::new(build!(MESSAGE), Settings::read).check("hands", hands).serve(site)
}

/// A check of the app's own, before each release.
fn hands(settings: &Settings) -> Result<String, Problem> {
    match settings.stage_hands {
        0 => Err(Problem::new(
            "Nobody is there to raise the curtain.",
            "heroku config:unset STAGE_HANDS",
        )),
        hands => Ok(format!("{hands} on duty")),
    }
}

/// The page, made once, at start.
struct Index {
    html: Representation,
    json: Representation,
    text: Representation,
}

fn site(settings: &Settings, _: &Release) -> Site {
    let page = |content_type, body: &str| {
        Representation::by_accept(content_type, Caching::Revalidate, body)
    };
    let index = web::Data::new(Index {
        html: page(
            "text/html; charset=utf-8",
            &format!("<!doctype html>\n<title>Whole</title>\n<h1>{MESSAGE}</h1>\n"),
        ),
        json: page("application/json", &format!("{{\"message\":\"{MESSAGE}\"}}\n")),
        text: page("text/plain; charset=utf-8", &format!("{MESSAGE}\n")),
    });
    Site::new(&settings.site_name, move |app| {
        app.app_data(index.clone()).route("/", web::get().to(view));
    })
}

async fn view(index: web::Data<Index>, format: Format) -> Representation {
    match format {
        Format::Html => index.html.clone(),
        Format::Json => index.json.clone(),
        Format::Text => index.text.clone(),
    }
}
