//! Asks a running app what it runs, and whether it is well. All that we know of it, it says itself.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use secrecy::ExposeSecret;

use crate::http::Http;
use crate::running::{HEALTH, RELEASE, Running};
use crate::screen::one_line;
use crate::stage::App;

/// The router gives an app 30 s for the first byte (H12). A little more, so that its own page comes through.
const PATIENCE: Duration = Duration::from_secs(35);

/// A site that moved redirects once or twice.
const REDIRECTS: u32 = 5;

/// `/release` has less than a kilobyte. Whatever is longer is something else.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Asks apps.
pub struct Sites(Http);

/// What an app answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it runs, or why it does not say.
    pub running: Result<Running, String>,
    /// Whether it is well, or what is wrong.
    pub health: Result<(), String>,
}

impl Answer {
    /// The digest of the running executable.
    pub fn build(&self) -> Option<&str> {
        self.running.as_ref().ok().map(|running| running.build.as_str())
    }

    /// The commit that was built, where it is known.
    pub fn commit(&self) -> Option<&str> {
        self.running.as_ref().ok()?.commit.as_deref()
    }
}

impl Sites {
    /// For any app.
    pub fn new() -> Self {
        Self(Http::new(PATIENCE, REDIRECTS))
    }

    /// What an app says of itself.
    pub fn ask(&self, app: &App) -> Answer {
        let running = self.page(app, RELEASE).and_then(|text| {
            Running::read(&text).ok_or_else(|| format!("{RELEASE} names no build"))
        });
        Answer { running, health: self.page(app, HEALTH).map(drop) }
    }

    /// The text of a page, or why there is none.
    fn page(&self, app: &App, path: &str) -> Result<String, String> {
        let mut request = self.0.get(&(app.address.trim_end_matches('/').to_owned() + path));
        if let Some(password) = &app.password {
            let credentials = BASE64.encode(format!("pipeline:{}", password.expose_secret()));
            request = request.header("Authorization", format!("Basic {credentials}"));
        }
        let why = |error: ureq::Error| one_line(&format!("{path}: {error}"));
        let mut answer = request.call().map_err(why)?;
        match answer.status().as_u16() {
            200 => {
                answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string().map_err(why)
            }
            status => Err(format!("{path} answers {status}")),
        }
    }
}
