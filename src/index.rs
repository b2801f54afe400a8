//! The index view. The message below is what a release changes: edit it, commit, push.

use actix_web::web;
use askama::Template;
use serde::Serialize;
use stagedoor::{Caching, Format, Release, Representation};

use crate::look::Look;
use crate::settings::Settings;

/// What the board says.
pub const MESSAGE: &str = "Hello, world! This is Callboard.";

/// `GET /`, in the format that the client prefers.
pub async fn view(index: web::Data<Index>, format: Format) -> Representation {
    match format {
        Format::Html => index.html.clone(),
        Format::Json => index.json.clone(),
        Format::Text => index.text.clone(),
    }
}

/// The index page in each of its formats, rendered once: nothing on it changes while the process lives.
pub struct Index {
    html: Representation,
    json: Representation,
    text: Representation,
}

/// What the template shows. The JSON has the site's name and the release, whose message is this one.
#[derive(Template, Serialize)]
#[template(path = "index.html")]
struct IndexTemplate<'a> {
    site_name: &'a str,
    #[serde(flatten)]
    release: &'a Release,
    #[serde(skip)]
    message: &'a str,
    #[serde(skip)]
    canonical_url: Option<&'a str>,
    #[serde(skip)]
    look: &'a Look,
}

impl Index {
    /// Renders the page.
    pub fn new(settings: &Settings, release: &Release, look: &Look) -> Self {
        let message = release.message.as_deref().unwrap_or_default();
        let template = IndexTemplate {
            site_name: &settings.site_name,
            release,
            message,
            canonical_url: settings.canonical_url.as_deref(),
            look,
        };
        let html = template.render().expect("the template has no part that can fail");
        let json = serde_json::to_string(&template).expect("text and options of text are JSON");
        let page =
            |content_type, body| Representation::by_accept(content_type, Caching::Revalidate, body);
        Self {
            html: page("text/html; charset=utf-8", html),
            json: page("application/json", json + "\n"),
            text: page("text/plain; charset=utf-8", format!("{message}\n")),
        }
    }
}
