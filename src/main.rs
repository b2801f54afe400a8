//! Callboard: the command line, and what its web server shows.

mod index; // the message, and its view
mod look; // the stylesheet, the script, the icon, the face; the page of an error
mod poster; // how large the message is set
mod settings; // every setting

use std::process::ExitCode;

use actix_web::web;
use stagedoor::{Program, Release, Site, build};

use index::{Index, MESSAGE};
use look::Look;
use settings::Settings;

fn main() -> ExitCode {
    // The message goes into the build, too, so that /release tells it.
    Program::new(build!(MESSAGE), Settings::read).serve(site)
}

/// All that the site shows, made once, at start; each worker then adds the routes to its own app. `/release`,
/// `/health` and `/robots.txt` are stagedoor's.
fn site(settings: &Settings, release: &Release) -> Site {
    let look = Look::new(settings, MESSAGE);
    let index = web::Data::new(Index::new(settings, release, &look));
    let error_look = look.clone();
    Site::new(&settings.site_name, move |app| {
        app.app_data(index.clone());
        app.route("/", web::get().to(index::view));
        look.routes(app);
    })
    .public(look::FOLDER) // without a preview's password
    .public(look::FAVICON)
    .error_page(move |error| error_look.error_page(error))
}
