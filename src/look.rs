//! The look of the pages: the stylesheet, the script, the icon and the face, and the page of an error.
//!
//! They are part of the executable, under names that change with their content, so that browsers may keep them
//! for as long as they like.

use std::future::ready;

use actix_web::web::{self, ServiceConfig};
use askama::Template;
use stagedoor::{Caching, Environment, ErrorPage, Representation};

use crate::poster;
use crate::settings::Settings;

/// Below this path the assets are.
pub const FOLDER: &str = "/assets/";

/// Where browsers look for the icon by themselves.
pub const FAVICON: &str = "/favicon.ico";

/// All of it, for the site with this name.
#[derive(Clone)]
pub struct Look {
    pub site_name: String,
    /// The stage. Every page has its band and its mark: a 404 of staging is no 404 of production.
    pub environment: Environment,
    /// It tells where the face is, and its last line how large the message is.
    pub stylesheet: Asset,
    /// What tells an open page of a new release, and the time of this one in the reader's own zone.
    pub script: Asset,
    /// The picture in the tab and on the page. Its shape and colour tell the stage.
    pub icon: Asset,
    /// The face of the message. `assets/cut-face` made it.
    pub face: Asset,
}

/// One file.
#[derive(Clone)]
pub struct Asset {
    /// Where it is: `/assets/callboard-0123456789abcdef.css`.
    pub path: String,
    representation: Representation,
    /// Where other builds have theirs. While two answer, as in a release, a page of one may ask the other, and gets
    /// what there is, instead of nothing.
    other_paths: String,
    for_others: Representation,
}

#[derive(Template)]
#[template(path = "icon.svg")]
struct IconTemplate {
    environment: Environment,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    error: &'a ErrorPage<'a>,
    look: &'a Look,
}

impl Look {
    /// Prepares everything. The message is set as large as it fits: in three lines, on a phone in four.
    pub fn new(settings: &Settings, message: &str) -> Self {
        let environment = settings.platform.environment;
        let face = Asset::new("woff2", "font/woff2", include_bytes!("../assets/rokkitt.woff2"));
        let [wide, narrow] = [3, 4].map(|most_lines| poster::line_width(message, most_lines));
        let css = include_str!("../assets/callboard.css").replace("rokkitt.woff2", &face.path);
        let css = format!("{css}h1 {{ --wide: {wide}; --narrow: {narrow}; }}\n");
        let js = concat!(include_str!("../assets/notice.js"), include_str!("../assets/time.js"));
        let icon = IconTemplate { environment }.render();
        let icon = icon.expect("the template has no part that can fail");
        Self {
            site_name: settings.site_name.clone(),
            environment,
            stylesheet: Asset::new("css", "text/css; charset=utf-8", css),
            script: Asset::new("js", "text/javascript; charset=utf-8", js),
            icon: Asset::new("svg", "image/svg+xml", icon),
            face,
        }
    }

    /// Adds the routes of each file.
    pub fn routes(&self, app: &mut ServiceConfig) {
        for asset in [&self.stylesheet, &self.script, &self.icon, &self.face] {
            let (own, others) = (asset.representation.clone(), asset.for_others.clone());
            app.route(&asset.path, web::get().to(move || ready(own.clone())));
            app.route(&asset.other_paths, web::get().to(move || ready(others.clone())));
        }
        let favicon = self.icon.for_others.clone();
        app.route(FAVICON, web::get().to(move || ready(favicon.clone())));
    }

    /// The page of an error, as HTML.
    pub fn error_page(&self, error: &ErrorPage) -> String {
        let page = ErrorTemplate { error, look: self }.render();
        page.expect("the template has no part that can fail")
    }
}

impl Asset {
    fn new(extension: &str, content_type: &'static str, content: impl Into<Vec<u8>>) -> Self {
        let representation = Representation::new(content_type, Caching::Forever, content);
        let path = |digest: &str| format!("{FOLDER}callboard-{digest}.{extension}");
        Self {
            path: path(representation.digest()),
            other_paths: path("{digest:[0-9a-f]{16}}"),
            for_others: representation.with_caching(Caching::Revalidate),
            representation,
        }
    }
}
