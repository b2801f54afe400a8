//! The stylesheet, the script and the icon: part of the executable, under names that change with their content, so
//! that browsers may keep them for as long as they like.

use askama::Template;

use crate::digest;
use crate::representation::{Caching, Representation};
use crate::settings::Environment;

/// Where they are.
pub const FOLDER: &str = "/assets/";

/// Every asset.
pub struct Assets {
    /// How the pages look.
    pub stylesheet: Asset,
    /// What tells an open page of a new release.
    pub script: Asset,
    /// The picture in the tab and on the page. Its shape and colour tell the stage.
    pub icon: Asset,
}

/// One file.
pub struct Asset {
    /// Where it is: `/assets/callboard-0123456789abcdef.css`.
    pub path: String,
    /// What it is.
    pub representation: Representation,
}

#[derive(Template)]
#[template(path = "icon.svg")]
struct Icon {
    environment: Environment,
}

impl Assets {
    /// Names and prepares them. The pages of one stage show one icon.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        let stylesheet = include_str!("../assets/callboard.css").to_owned();
        let script = include_str!("../assets/notice.js").to_owned();
        let icon = Icon { environment }.render();
        let icon = icon.expect("the template has no part that can fail");
        Self {
            stylesheet: Asset::new("css", "text/css; charset=utf-8", stylesheet),
            script: Asset::new("js", "text/javascript; charset=utf-8", script),
            icon: Asset::new("svg", "image/svg+xml", icon),
        }
    }
}

impl Asset {
    fn new(extension: &str, content_type: &'static str, content: String) -> Self {
        Self {
            path: format!("{FOLDER}callboard-{}.{extension}", digest::short(content.as_bytes())),
            representation: Representation::new(content_type, Caching::Forever, content),
        }
    }
}
