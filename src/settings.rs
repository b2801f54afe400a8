//! The settings: nine environment variables, read here and nowhere else, into types that can't be wrong.
//!
//! What depends on the environment is decided here: pages show its name and its colour, but nothing
//! further down behaves differently for its sake.

pub mod report;
pub mod variables;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Without the server's own story of its start, which one line of ours tells, and without an error for
/// every client that sends what is no HTTP.
const DEFAULT_LOG: &str = "info,actix_server=warn,actix_http=off";

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
    /// `HEROKU_APP_DEFAULT_DOMAIN_NAME`: where the app can be opened.
    pub domain: Option<String>,
    /// `HEROKU_RELEASE_VERSION`, as `v42`: this app's own count of releases.
    pub release: Option<String>,
    /// `HEROKU_RELEASE_CREATED_AT`.
    pub released_at: Option<String>,
    /// `HEROKU_BUILD_COMMIT`, else `HEROKU_SLUG_COMMIT`, its name until 2025.
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
    let settings = Settings {
        environment,
        indexed: environment == Environment::Production,
        site_name: reader.site_name(),
        host: reader.host(development),
        port: reader.port(),
        workers: reader.workers(processors),
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
        let given = self.variables.get(name);
        let (text, origin) = given.unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.row(name, shown(&text), origin);
        parse(&text).unwrap_or_else(|| {
            let what = format!("{name} is `{}`. It must be {allowed}.", shown(&text));
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
                "{NAME} is not set, so this app runs as {safe}. To make this explicit, or to choose staging or review: {command}"
            ));
        }
        let parse = |text: &str| choices.iter().copied().find(|e| e.name() == text);
        let environment = self.read(NAME, meant.unwrap_or(safe).name(), allowed, parse);
        self.report.deployed = environment != Environment::Development;
        environment
    }

    fn site_name(&mut self) -> String {
        let allowed = "1 to 60 printable characters";
        let parse = |text: &str| {
            (is_printable(text) && text.chars().count() <= 60).then(|| text.to_owned())
        };
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
            // Elsewhere the router reaches nothing, and after 60 s Heroku stops the dyno with R10.
            ":: on a dyno, for every interface; or leave it unset"
        } else {
            "an IP address, such as 127.0.0.1, or :: for every interface"
        };
        self.read("HOST", &default.to_string(), allowed, |text| {
            text.parse().ok().filter(|ip: &IpAddr| !on_dyno || ip.is_unspecified())
        })
    }

    fn port(&mut self) -> u16 {
        let before = self.report.problems.len();
        let allowed = "a whole number from 0 to 65535";
        let port = self.read("PORT", "8080", allowed, |text| text.parse().ok());
        if self.variables.on_dyno()
            && let Some(problem) = self.report.problems.get_mut(before)
        {
            let app = self.report.app.as_deref().unwrap_or(NO_APP);
            let unset = format!("heroku config:unset PORT --app {app} (Heroku sets it)");
            problem.remedy = Remedy::Do(unset);
        }
        port
    }

    fn workers(&mut self, processors: usize) -> usize {
        let default = processors.min(MOST_WORKERS_BY_DEFAULT).to_string();
        let parse = |text: &str| text.parse().ok().filter(|n| (1..=64).contains(n));
        self.read("WEB_CONCURRENCY", &default, "a whole number from 1 to 64", parse)
    }

    fn log(&mut self) -> Targets {
        let allowed = "levels and targets, such as info or warn,callboard=debug";
        let parse =
            |text: &str| text.parse().ok().filter(|_| text.split(',').all(is_log_directive));
        self.read("RUST_LOG", DEFAULT_LOG, allowed, parse)
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
        if !is_printable(&text) {
            let what = format!("{NAME} has characters that can't be typed. Use printable ones.");
            self.problem(what, Remedy::Set(NAME, A_RANDOM_PASSWORD.to_owned()));
        }
        Some(SecretString::from(text))
    }

    fn judge_dot_env(&mut self) {
        for broken in self.variables.broken() {
            let (what, remedy) = match broken {
                DotEnvError::Line(number) => (
                    format!("Line {number} of .env is not NAME=value."),
                    "Put the value in single quotes if it has spaces or # in it.",
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
            // A wrong letter in a name of seven or more, two in one of fourteen.
            if let Some(ours) = NAMES.iter().find(|ours| likeness(ours) > 0.85) {
                self.report.notices.push(format!(
                    "{name} is set, but there is no such setting. Did you mean {ours}?"
                ));
            }
        }
    }
}

/// What a shell makes a password of.
const A_RANDOM_PASSWORD: &str = "\"$(openssl rand -hex 16)\"";

/// Where Heroku does not tell the app's name.
const NO_APP: &str = "NAME";

/// A level, `target=level`, or a target. To tracing any bare word is a target: `inof` would log a crate
/// of that name, and nothing else.
fn is_log_directive(directive: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let target = directive.split_once('=').map_or(directive, |(target, _)| target);
    let is_target = !target.is_empty() && target.bytes().all(|b| b.is_ascii_graphic());
    let is_level = directive.parse::<LevelFilter>().is_ok();
    let resembles_a_level = LEVELS.iter().any(|level| strsim::osa_distance(directive, level) < 3);
    !directive.is_empty() && (is_level || is_target && !resembles_a_level)
}

/// Whether this can be typed and seen: something besides blanks, and nothing odd.
fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(is_odd)
}

/// Characters that do something to a terminal or a table instead of standing there: controls, breaks,
/// changes of direction, what has no width. And U+FFFD, which was not UTF-8.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

/// A value that fits in a line of a terminal and does nothing to it.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(60) {
        if is_odd(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
