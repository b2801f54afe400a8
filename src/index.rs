//! The index view. The message below is what a release changes: edit it, commit, push.

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Serialize;

use crate::assets::Assets;
use crate::negotiate::Form;
use crate::release::Release;
use crate::representation::{Caching, Representation};
use crate::settings::Settings;

/// What the board says.
pub const MESSAGE: &str = "Hello, world! This is Callboard.";

/// The index page in each of its forms, rendered once: nothing on it changes while the process lives.
pub struct Index {
    html: Representation,
    json: Representation,
    text: Representation,
}

/// What the templates and the JSON show.
#[derive(Template, Serialize)]
#[template(path = "index.html")]
struct Board<'a> {
    site_name: &'a str,
    #[serde(flatten)]
    release: &'a Release,
    #[serde(skip)]
    canonical_url: Option<&'a str>,
    #[serde(skip)]
    assets: &'a Assets,
}

impl Index {
    /// Renders the page.
    #[must_use]
    pub fn new(settings: &Settings, release: &Release, assets: &Assets) -> Self {
        let board = Board {
            site_name: &settings.site_name,
            release,
            canonical_url: settings.canonical_url.as_deref(),
            assets,
        };
        let html = board.render().expect("the template has no part that can fail");
        let json = serde_json::to_string(&board).expect("text and options of text are JSON");
        let text = format!("{}\n", release.message);

        let prepare = |content_type, body: String| {
            Representation::new(content_type, Caching::Ask, body).chosen_by_accept()
        };
        Self {
            html: prepare("text/html; charset=utf-8", html),
            json: prepare("application/json", format!("{json}\n")),
            text: prepare("text/plain; charset=utf-8", text),
        }
    }

    /// `GET /`.
    pub fn view(&self, request: &HttpRequest) -> HttpResponse {
        let representation = match Form::preferred(request.headers().get(ACCEPT)) {
            Form::Html => &self.html,
            Form::Json => &self.json,
            Form::Text => &self.text,
        };
        representation.answer(request)
    }
}
