//! The settings: ten environment variables, read here and nowhere else, into types that can't be wrong.
//!
//! What depends on the environment is decided here: pages show its name and its colour, but nothing
//! further down behaves differently for its sake.

mod notices;
mod reader;
pub mod report;
pub mod variables;

use std::fmt;
use std::net::IpAddr;

use secrecy::SecretString;
use tracing_subscriber::filter::Targets;

use reader::Reader;
use report::Report;
use variables::Variables;

/// Every variable that a person may set, in the order of the README's table.
pub const NAMES: [&str; 10] = [
    "APP_ENV",
    "SITE_NAME",
    "SITE_URL",
    "HOST",
    "PORT",
    "WEB_CONCURRENCY",
    "RUST_LOG",
    "LOG_FORMAT",
    "FORCE_HTTPS",
    "PREVIEW_PASSWORD",
];

/// The validated settings.
#[derive(Debug)]
pub struct Settings {
    /// `APP_ENV`, for people to see. Whatever follows from it is a field of its own.
    pub environment: Environment,
    /// `SITE_NAME`: the name on the page, 1 to 60 characters.
    pub site_name: String,
    /// `SITE_URL`, with a slash at its end: the address that search engines and shared links are to use. In
    /// production only.
    pub canonical_url: Option<String>,
    /// `HOST`: the address to listen on. `::` takes IPv4 as well.
    pub host: IpAddr,
    /// `PORT`: 0 picks a free one.
    pub port: u16,
    /// `WEB_CONCURRENCY`: worker threads, 1 to 64.
    pub workers: usize,
    /// `RUST_LOG`: which events are logged.
    pub log: Targets,
    /// `LOG_FORMAT`: how they look.
    pub log_format: LogFormat,
    /// `FORCE_HTTPS`: redirect plain http, send HSTS.
    pub force_https: bool,
    /// `PREVIEW_PASSWORD`: asked for wherever it is set.
    pub preview_password: Option<SecretString>,
    /// Whether search engines may list the site: in production only.
    pub indexed: bool,
    /// What Heroku says of this release.
    pub heroku: Heroku,
}

/// Where the process runs: Heroku's own names for the stages of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// `HEROKU_RELEASE_CREATED_AT`.
    pub released_at: Option<String>,
    /// `HEROKU_BUILD_COMMIT`, which needs a lab of its own (`runtime-dyno-build-metadata`), else
    /// `HEROKU_SLUG_COMMIT`, its deprecated name.
    pub commit: Option<String>,
}

/// Reads every setting. `processors` is what this machine has.
///
/// # Errors
/// The report, with every problem at once, when the service must not start with these variables.
pub fn load(variables: &Variables, processors: usize) -> Result<(Settings, Report), Report> {
    let given = |name| variables.get(name).map(|(value, _)| value);
    let heroku = Heroku {
        app: given("HEROKU_APP_NAME"),
        domain: given("HEROKU_APP_DEFAULT_DOMAIN_NAME"),
        release: given("HEROKU_RELEASE_VERSION"),
        released_at: given("HEROKU_RELEASE_CREATED_AT"),
        commit: given("HEROKU_BUILD_COMMIT").or_else(|| given("HEROKU_SLUG_COMMIT")),
    };
    let mut reader = Reader::new(variables, heroku.app.clone());

    let environment = reader.environment();
    let development = environment == Environment::Development;
    let indexed = environment == Environment::Production;
    let settings = Settings {
        environment,
        indexed,
        site_name: reader.site_name(),
        canonical_url: reader.site_url(heroku.domain.as_deref()).filter(|_| indexed),
        host: reader.host(development),
        port: reader.port(),
        workers: reader.workers(processors),
        log: reader.log(),
        log_format: reader.log_format(development),
        force_https: reader.force_https(development),
        preview_password: reader.preview_password(),
        heroku,
    };

    reader.dot_env();
    reader.notice_a_public_preview(&settings);
    reader.notice_misspellings();
    let report = reader.report;
    if report.problems.is_empty() { Ok((settings, report)) } else { Err(report) }
}
