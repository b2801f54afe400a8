//! Every setting that Callboard has. Each is an environment variable, or a line of `.env`.
//!
//! To add one, add a field that says what it is, and the line that reads it.

use stagedoor::{Environment, Reader};

/// The settings, in types that can't be wrong.
#[derive(Debug)]
pub struct Settings {
    /// `SITE_NAME`: the name on the page. `Callboard` unless set; 1 to 60 printable characters, which the tab of
    /// a browser has room for.
    pub site_name: String,
    /// `SITE_URL`: the address that search engines and shared links are to use, as `https://www.example.com`; on
    /// Heroku the app's default domain unless set. `None` outside production.
    pub canonical_url: Option<String>,
    /// What every app on Heroku has: `APP_ENV`, `HOST`, `PORT`, `WEB_CONCURRENCY`, `RUST_LOG`, `LOG_FORMAT`,
    /// `FORCE_HTTPS`, `PREVIEW_PASSWORD`.
    pub platform: stagedoor::Settings,
}

impl Settings {
    /// Reads them. The report, and so the README's table, has them in this order.
    pub fn read(reader: &mut Reader) -> Self {
        let is_production = reader.environment() == Environment::Production;
        Self {
            site_name: reader.text("SITE_NAME", "Callboard", 60),
            canonical_url: reader.site_url("SITE_URL").filter(|_| is_production),
            platform: stagedoor::Settings::read(reader),
        }
    }
}

/// This is how stagedoor finds its part.
impl AsRef<stagedoor::Settings> for Settings {
    fn as_ref(&self) -> &stagedoor::Settings {
        &self.platform
    }
}
