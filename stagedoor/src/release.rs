//! Which release this process is: what the build says of itself, and what Heroku says of its release.

use std::io;

use serde::Serialize;

use crate::digest;
use crate::settings::{Environment, Settings};

/// What an app's build says of itself. [`build!`](crate::build!) makes it, in the app's own crate.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The name in the app's `Cargo.toml`.
    pub name: &'static str,
    /// The version there.
    pub version: &'static str,
    /// The commit that was built; `None` when the build was not told it.
    pub commit: Option<&'static str>,
    /// What this release says on `/release`, where it says anything.
    pub message: Option<&'static str>,
}

/// What the build of the crate that calls it says of itself, as a `Build`: its name, its version and its commit.
/// With an argument, that is the message on `/release`.
///
/// The commit is that of `SOURCE_VERSION`, which Heroku sets during a build, where there is no `.git`. Cargo
/// rebuilds when it changes. It travels with the slug, so it holds after a promotion too.
#[macro_export]
macro_rules! build {
    () => {
        $crate::Build {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("SOURCE_VERSION"),
            message: None,
        }
    };
    ($message:expr) => {
        $crate::Build { message: Some($message), ..$crate::build!() }
    };
}

/// What runs here. `GET /release` answers it as JSON; handlers take it as `web::Data<Release>`.
///
/// A promotion copies the slug, so staging and production run the same release exactly when their
/// `build` is the same. `release` is no such proof: each app counts its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    /// The message of this build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `APP_ENV`.
    pub environment: Environment,
    /// The version in the app's `Cargo.toml`.
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
    /// The release that this process is. Reads its executable once, for the digest.
    ///
    /// # Errors
    /// When the executable can't be read.
    pub fn new(build: &Build, settings: &Settings) -> io::Result<Self> {
        let heroku = settings.heroku.clone();
        Ok(Self {
            message: build.message.map(str::to_owned),
            environment: settings.environment,
            version: build.version.to_owned(),
            build: digest::of_this_executable()?,
            commit: build.baked_commit().map(str::to_owned).or(heroku.commit),
            app: heroku.app,
            release: heroku.release,
            released_at: heroku.released_at,
        })
    }
}

impl Build {
    /// An empty variable is an unset one.
    pub(crate) fn baked_commit(&self) -> Option<&'static str> {
        self.commit.filter(|commit| !commit.is_empty())
    }
}
