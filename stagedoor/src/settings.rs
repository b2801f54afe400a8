//! The settings: environment variables, read into types that can't be wrong.
//!
//! What depends on the environment is decided here: pages may show its name, but nothing further down
//! behaves differently for its sake.

mod dot_env;
mod meant;
mod platform;
pub(crate) mod reader;
pub(crate) mod report;
mod site_url;
mod text;
pub(crate) mod variables;

use std::fmt;
use std::net::IpAddr;

use secrecy::SecretString;
use tracing_subscriber::filter::Targets;

use crate::release::Build;
use reader::Reader;
use report::Report;
use variables::Variables;

/// What every app on Heroku has. Part of an app's own settings, which are a struct of the app's.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `APP_ENV`, for people to see: `development` off a dyno unless set, `production` on one. Whatever follows
    /// from it is a field of its own.
    pub environment: Environment,
    /// `HOST`: the address to listen on. `127.0.0.1` in development unless set, else `::`, which takes IPv4 as
    /// well.
    pub host: IpAddr,
    /// `PORT`: 8080 unless set; 0 picks a free one. Heroku sets it.
    pub port: u16,
    /// `WEB_CONCURRENCY`: worker threads, 1 to 64. The processors unless set, at most 4.
    pub workers: usize,
    /// `RUST_LOG`: which events are logged, by level and target.
    pub log: Targets,
    /// `LOG_FORMAT`: how they look. `text` in development unless set, else `json`.
    pub log_format: LogFormat,
    /// `FORCE_HTTPS`: redirect plain http, send HSTS. `false` in development unless set, else `true`.
    pub force_https: bool,
    /// `PREVIEW_PASSWORD`: asked for wherever it is set.
    pub preview_password: Option<SecretString>,
    /// Whether search engines may list the site: in production only.
    pub indexed: bool,
    /// What Heroku says of this release.
    pub heroku: Heroku,
}

/// An app without settings of its own needs no struct of its own.
impl AsRef<Settings> for Settings {
    fn as_ref(&self) -> &Settings {
        self
    }
}

/// Where the process runs: Heroku's own names for the stages of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// One's own machine.
    Development,
    /// The app of a pull request.
    Review,
    /// Where a release is looked at.
    Staging,
    /// Where it is used.
    Production,
}

impl Environment {
    const ALL: [Self; 4] = [Self::Development, Self::Review, Self::Staging, Self::Production];

    /// Its name, as in `APP_ENV`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Review => "review",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Dyno metadata: only with `heroku labs:enable runtime-dyno-metadata`, from the next release on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heroku {
    /// `HEROKU_APP_NAME`.
    pub app: Option<String>,
    /// `HEROKU_APP_DEFAULT_DOMAIN_NAME`: where the app can be opened.
    pub domain: Option<String>,
    /// `HEROKU_RELEASE_VERSION`, as `v42`: this app's own count of releases.
    pub release: Option<String>,
    /// `HEROKU_RELEASE_CREATED_AT`, as `2026-11-23T01:02:03Z`.
    pub released_at: Option<String>,
    /// `HEROKU_BUILD_COMMIT`, which needs a lab of its own (`runtime-dyno-build-metadata`), else
    /// `HEROKU_SLUG_COMMIT`, its deprecated name.
    pub commit: Option<String>,
}

impl Heroku {
    fn of(variables: &Variables) -> Self {
        let given = |name| variables.get(name).map(|(value, _)| value);
        Self {
            app: given("HEROKU_APP_NAME"),
            domain: given("HEROKU_APP_DEFAULT_DOMAIN_NAME"),
            release: given("HEROKU_RELEASE_VERSION"),
            released_at: given("HEROKU_RELEASE_CREATED_AT"),
            commit: given("HEROKU_BUILD_COMMIT").or_else(|| given("HEROKU_SLUG_COMMIT")),
        }
    }
}

/// Reads an app's settings by `read`: a pure function of the variables.
///
/// ```
/// use stagedoor::{Environment, Settings, Variables, build, load};
///
/// let variables: Variables = [("APP_ENV", "staging")].into_iter().collect();
/// let (settings, report) = load(&build!(), &variables, Settings::read).unwrap();
/// assert_eq!(settings.environment, Environment::Staging);
/// assert!(report.notices()[0].starts_with("Anyone can open this staging site"));
/// ```
///
/// # Errors
/// The report, with every problem at once, when the program must not start with these variables.
pub fn load<S>(
    build: &Build,
    variables: &Variables,
    read: impl FnOnce(&mut Reader) -> S,
) -> Result<(S, Report), Report> {
    let mut reader = Reader::new(build.name, variables);
    let settings = read(&mut reader);
    let report = reader.finish();
    if report.problems.is_empty() { Ok((settings, report)) } else { Err(report) }
}
