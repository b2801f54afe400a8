//! The settings: nine environment variables, read here and nowhere else, into types that can't be wrong.
//!
//! What depends on the environment is decided here. Nothing further down asks which one it runs in.

pub mod report;
pub mod variables;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::thread;

use secrecy::SecretString;
use tracing_subscriber::filter::{LevelFilter, Targets};

use report::{Problem, Remedy, Report, Row};
use variables::{DotEnvError, Origin, Variables};

/// Every variable that a person may set, in the order of the README's table.
pub const NAMES: [&str; 9] = [
    "APP_ENV",
    "SITE_NAME",
    "HOST",
    "PORT",
    "WEB_CONCURRENCY",
    "RUST_LOG",
    "LOG_FORMAT",
    "FORCE_HTTPS",
    "PREVIEW_PASSWORD",
];

/// A 512 MB dyno shows eight processors, of which it owns a share.
const MOST_WORKERS_BY_DEFAULT: usize = 4;

/// Requests, not the server's own story of its start: that is told in one line of ours.
const DEFAULT_LOG: &str = "info,actix_server=warn";

/// All that the service does not know by itself, checked.
#[derive(Debug)]
pub struct Settings {
    /// `APP_ENV`, for people to see. Whatever follows from it is a field of its own.
    pub environment: Environment,
    /// `SITE_NAME`: the name on the page, 1 to 60 characters.
    pub site_name: String,
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
    /// `HEROKU_RELEASE_VERSION`, as `v42`: this app's own count of releases.
    pub release: Option<String>,
    /// `HEROKU_RELEASE_CREATED_AT`.
    pub released_at: Option<String>,
    /// `HEROKU_BUILD_COMMIT`, else `HEROKU_SLUG_COMMIT`, its name until 2025.
    pub commit: Option<String>,
}

/// Reads every setting.
///
/// # Errors
/// The report, with every problem at once, when the service must not start with these variables.
pub fn load(variables: &Variables) -> Result<(Settings, Report), Report> {
    let given = |name| variables.get(name).map(|(value, _)| value.to_owned());
    let heroku = Heroku {
        app: given("HEROKU_APP_NAME"),
        release: given("HEROKU_RELEASE_VERSION"),
        released_at: given("HEROKU_RELEASE_CREATED_AT"),
        commit: given("HEROKU_BUILD_COMMIT").or_else(|| given("HEROKU_SLUG_COMMIT")),
    };
    let mut reader = Reader::new(variables, heroku.app.clone());

    let environment = reader.environment();
    let development = environment == Environment::Development;
    let settings = Settings {
        environment,
        indexed: environment == Environment::Production,
        site_name: reader.site_name(),
        host: reader.host(development),
        port: reader.port(),
        workers: reader.workers(),
        log: reader.log(),
        log_format: reader.log_format(development),
        force_https: reader.force_https(development),
        preview_password: reader.preview_password(),
        heroku,
    };

    reader.judge_dot_env();
    reader.notice_a_public_preview(&settings);
    reader.notice_misspellings();
    let report = reader.report;
    if report.problems.is_empty() { Ok((settings, report)) } else { Err(report) }
}

/// Reads one variable after the other, and writes down what there is to say of each. One that is wrong
/// counts as unset, so that the rest can be read too.
struct Reader<'a> {
    variables: &'a Variables,
    report: Report,
}

impl<'a> Reader<'a> {
    fn new(variables: &'a Variables, app: Option<String>) -> Self {
        let report = Report {
            on_dyno: variables.on_dyno(),
            // Only what can't be misread in a command for the shell.
            app: app.filter(|app| app.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')),
            ..Report::default()
        };
        Self { variables, report }
    }

    /// A setting as `parse` understands it. `default` stands in where it is unset, or wrong.
    fn read<T>(
        &mut self,
        name: &'static str,
        default: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let (text, origin) = self.variables.get(name).unwrap_or((default, Origin::Default));
        self.row(name, shown(text), origin);
        parse(text).unwrap_or_else(|| {
            let what = format!("{name} is `{}`. It must be {allowed}.", shown(text));
            self.problem(what, Remedy::Set(name, default.to_owned()));
            parse(default).expect("every default is allowed")
        })
    }

    fn row(&mut self, name: &'static str, value: String, origin: Origin) {
        self.report.rows.push(Row { name, value, origin });
    }

    fn problem(&mut self, what: String, remedy: Remedy) {
        self.report.problems.push(Problem { what, remedy });
    }

    fn environment(&mut self) -> Environment {
        const NAME: &str = "APP_ENV";
        let (choices, safe, allowed) = if self.variables.on_dyno() {
            let deployed = &Environment::ALL[1..];
            (deployed, Environment::Production, "review, staging or production on a dyno")
        } else {
            let all = &Environment::ALL[..];
            (all, Environment::Development, "development, review, staging or production")
        };
        let given = self.variables.get(NAME).map(|(text, _)| text.to_lowercase());
        // `prod` and `Staging` say better what was meant than the default does.
        let meant = given.as_deref().and_then(|text| {
            let close = |e: &&Environment| strsim::jaro_winkler(text, e.name()) > 0.8;
            choices.iter().copied().find(|e| close(&e))
        });
        if given.is_none() && self.variables.on_dyno() {
            let command = self.report.config_set(&format!("{NAME}={safe}"));
            self.report.notices.push(format!(
                "{NAME} is not set, so this app runs as {safe}. To say so, or staging or review: {command}"
            ));
        }
        let parse = |text: &str| choices.iter().copied().find(|e| e.name() == text);
        self.read(NAME, meant.unwrap_or(safe).name(), allowed, parse)
    }

    fn site_name(&mut self) -> String {
        let allowed = "1 to 60 characters that can be seen";
        let parse =
            |text: &str| (is_visible(text) && text.chars().count() <= 60).then(|| text.to_owned());
        self.read("SITE_NAME", "Callboard", allowed, parse)
    }

    fn host(&mut self, development: bool) -> IpAddr {
        let on_dyno = self.variables.on_dyno();
        let default = if development {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        };
        let allowed = if on_dyno {
            // On 127.0.0.1 the router reaches nothing, and after 60 s Heroku stops the dyno with R10.
            "an IP address that Heroku's router reaches; leave it unset, or :: for all of them"
        } else {
            "an IP address, as 127.0.0.1, or :: for all of this machine's"
        };
        self.read("HOST", &default.to_string(), allowed, |text| {
            text.parse().ok().filter(|ip: &IpAddr| !(on_dyno && ip.is_loopback()))
        })
    }

    fn port(&mut self) -> u16 {
        let before = self.report.problems.len();
        let allowed = "a whole number from 0 to 65535";
        let port = self.read("PORT", "8080", allowed, |text| text.parse().ok());
        if self.variables.on_dyno() && self.report.problems.len() > before {
            let app = self.report.app();
            let unset = format!("Heroku sets it itself: heroku config:unset PORT --app {app}");
            self.report.problems[before].remedy = Remedy::Do(unset);
        }
        port
    }

    fn workers(&mut self) -> usize {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let default = processors.min(MOST_WORKERS_BY_DEFAULT).to_string();
        let parse = |text: &str| text.parse().ok().filter(|n| (1..=64).contains(n));
        self.read("WEB_CONCURRENCY", &default, "a whole number from 1 to 64", parse)
    }

    fn log(&mut self) -> Targets {
        let allowed = "levels, and targets with a level, as info or warn,callboard=debug";
        self.read("RUST_LOG", DEFAULT_LOG, allowed, |text| {
            // To tracing a bare word is a target: `inof` would log that crate, and nothing else.
            let is_clear = |directive: &str| match directive.split_once('=') {
                Some((target, _)) => target.bytes().all(|b| b.is_ascii_graphic()),
                None => directive.parse::<LevelFilter>().is_ok(),
            };
            text.parse().ok().filter(|_| text.split(',').all(is_clear))
        })
    }

    fn log_format(&mut self, development: bool) -> LogFormat {
        let default = if development { "text" } else { "json" };
        self.read("LOG_FORMAT", default, "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })
    }

    fn force_https(&mut self, development: bool) -> bool {
        let default = if development { "false" } else { "true" };
        self.read("FORCE_HTTPS", default, "true or false", |text| text.parse().ok())
    }

    /// Apart from the others: its value is in no row and no problem.
    fn preview_password(&mut self) -> Option<SecretString> {
        const NAME: &str = "PREVIEW_PASSWORD";
        let Some((text, origin)) = self.variables.get(NAME) else {
            self.row(NAME, "not set".to_owned(), Origin::Default);
            return None;
        };
        self.row(NAME, "set".to_owned(), origin);
        if !is_visible(text) {
            let what = format!(
                "{NAME} has characters that can't be typed. It must be visible characters."
            );
            self.problem(what, Remedy::Set(NAME, A_RANDOM_PASSWORD.to_owned()));
        }
        Some(SecretString::from(text))
    }

    fn judge_dot_env(&mut self) {
        for broken in self.variables.broken() {
            let (what, remedy) = match broken {
                DotEnvError::Line(number) => (
                    format!("Line {number} of .env is not NAME=value."),
                    "Put the value in single quotes if it has spaces, quotes, # or $ in it.",
                ),
                DotEnvError::Unreadable(kind) => (
                    format!(".env can't be read: {kind}."),
                    "Make it a readable text file in UTF-8, or remove it.",
                ),
            };
            self.problem(what, Remedy::Do(remedy.to_owned()));
        }
    }

    fn notice_a_public_preview(&mut self, settings: &Settings) {
        let preview = matches!(settings.environment, Environment::Staging | Environment::Review);
        if preview && settings.preview_password.is_none() {
            let command = self.report.config_set(&format!("PREVIEW_PASSWORD={A_RANDOM_PASSWORD}"));
            self.report.notices.push(format!(
                "Anyone can open this {} site: it has no PREVIEW_PASSWORD. To give it one: {command}",
                settings.environment
            ));
        }
    }

    fn notice_misspellings(&mut self) {
        let variables = self.variables;
        for name in variables.names().filter(|name| !NAMES.contains(name)) {
            let upper = name.to_uppercase();
            let likeness = |ours: &&str| strsim::normalized_damerau_levenshtein(&upper, ours);
            // Two wrong letters in a long name, one in a short one.
            if let Some(ours) = NAMES.iter().find(|ours| likeness(ours) > 0.85) {
                self.report
                    .notices
                    .push(format!("{name} is set, but it is no setting. Is {ours} meant?"));
            }
        }
    }
}

/// What a shell makes a password of.
const A_RANDOM_PASSWORD: &str = "\"$(openssl rand -hex 16)\"";

/// Whether this can be typed and seen: something besides blanks, no control characters, and nothing
/// that was not UTF-8.
fn is_visible(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
    !text.trim().is_empty() && !text.contains(odd)
}

/// A value that fits in a line of a terminal and does nothing to it.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(60) {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
