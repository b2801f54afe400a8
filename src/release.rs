//! Which release this process is, and `/release`, which says so.

use serde::{Deserialize, Serialize};

use crate::representation::{Caching, Representation};
use crate::settings::{Environment, Settings};

/// Where it is told.
pub const RELEASE: &str = "/release";

/// What runs here. `GET /release` answers it as JSON; whoever asks can read it back as this type.
///
/// A promotion copies the slug, so staging and production run the same release exactly when their
/// `build` is the same. `release` is no such proof: each app counts its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The message of this build.
    pub message: String,
    /// `APP_ENV`.
    pub environment: Environment,
    /// The version in `Cargo.toml`.
    pub version: String,
    /// `sha256:` and the digest of the running executable.
    pub build: String,
    /// The commit that was built; `None` when neither the build nor Heroku told it.
    pub commit: Option<String>,
    /// The app on Heroku; like the next two, `None` elsewhere, or without
    /// `heroku labs:enable runtime-dyno-metadata`.
    pub app: Option<String>,
    /// The app's release, as `v42`.
    pub release: Option<String>,
    /// When that release was made, as Heroku writes it: `2026-11-23T01:02:03Z`.
    pub released_at: Option<String>,
}

impl Release {
    /// The release that this process is: `message` is [`crate::index::MESSAGE`], `build` is
    /// [`crate::digest::of_this_executable`].
    #[must_use]
    pub fn new(message: &str, build: String, settings: &Settings) -> Self {
        let heroku = settings.heroku.clone();
        Self {
            message: message.to_owned(),
            environment: settings.environment,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build,
            commit: baked_commit().map(str::to_owned).or(heroku.commit),
            app: heroku.app,
            release: heroku.release,
            released_at: heroku.released_at,
        }
    }

    /// `/release`, ready to be sent: indented, since people read it too.
    #[must_use]
    pub fn representation(&self) -> Representation {
        let mut json =
            serde_json::to_string_pretty(self).expect("text and options of text are JSON");
        json.push('\n');
        Representation::new("application/json", Caching::Never, json)
    }
}

/// The commit, baked in at build time: `.git` is absent on Heroku's build dyno, but `SOURCE_VERSION`
/// is there. Cargo rebuilds when it changes. It travels with the slug, so it holds after a promotion too.
#[must_use]
pub fn baked_commit() -> Option<&'static str> {
    option_env!("SOURCE_VERSION").filter(|commit| !commit.is_empty())
}
