//! How each variable is read: its default, what is allowed, and what is said when it is something else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use secrecy::SecretString;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::report::{Problem, RANDOM_PASSWORD, Remedy, Report, Row};
use super::variables::{DotEnvError, Origin, Variables};
use super::{Environment, LogFormat};
use crate::target;

/// A dyno of 512 MB shows eight processors: a thread for each is more than so small a dyno needs.
const MOST_WORKERS_BY_DEFAULT: usize = 4;

/// Hides actix's lines at start, since we log one, and its errors about malformed requests.
const DEFAULT_LOG: &str = "info,actix_server=warn,actix_http=off";

/// Reads one variable after the other, and writes down what there is to say of each. One that is wrong
/// counts as unset, so that the rest can be read too.
pub(super) struct Reader<'a> {
    pub(super) variables: &'a Variables,
    pub(super) report: Report,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a Variables, app: Option<String>) -> Self {
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
        let remedy = Remedy::Set(name, default.to_owned());
        self.read_or(name, default, allowed, remedy, parse)
    }

    /// The same, with a remedy of its own.
    fn read_or<T>(
        &mut self,
        name: &'static str,
        default: &str,
        allowed: &str,
        remedy: Remedy,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let given = self.variables.get(name);
        let (text, origin) = given.unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.row(name, shown(&text), origin);
        parse(&text).unwrap_or_else(|| {
            self.problem(format!("{name} is `{}`. It must be {allowed}.", shown(&text)), remedy);
            parse(default).expect("every default is allowed")
        })
    }

    fn row(&mut self, name: &'static str, value: String, origin: Origin) {
        self.report.rows.push(Row { name, value, origin });
    }

    pub(super) fn problem(&mut self, what: String, remedy: Remedy) {
        self.report.problems.push(Problem { what, remedy });
    }

    pub(super) fn environment(&mut self) -> Environment {
        const NAME: &str = "APP_ENV";
        let (choices, default, allowed) = if self.variables.on_dyno() {
            let deployed = &Environment::ALL[1..];
            (deployed, Environment::Production, "review, staging or production on a dyno")
        } else {
            let all = &Environment::ALL[..];
            (all, Environment::Development, "development, review, staging or production")
        };
        let given = self.variables.get(NAME).map(|(text, _)| text.to_lowercase());
        // `prod` and `Staging` say better what was meant than the default does.
        let meant = given.as_deref().and_then(|text| {
            choices.iter().copied().find(|e| strsim::jaro_winkler(text, e.name()) > 0.8)
        });
        if given.is_none() && self.variables.on_dyno() {
            let command = self.report.config_set(&format!("{NAME}={}", self.stage_by_name()));
            self.report.notices.push(format!(
                "{NAME} is not set, so this app runs as {default}. To say which stage it is: {command}"
            ));
        }
        let parse = |text: &str| choices.iter().copied().find(|e| e.name() == text);
        let environment = self.read(NAME, meant.unwrap_or(default).name(), allowed, parse);
        self.report.for_heroku = environment != Environment::Development;
        environment
    }

    /// The stage that an app's name suggests, by the command line's own rule for `pipelines:create`.
    fn stage_by_name(&self) -> Environment {
        let app = self.report.app.as_deref().unwrap_or_default();
        if app.ends_with("-staging") || app.ends_with("-stg") {
            Environment::Staging
        } else {
            Environment::Production
        }
    }

    pub(super) fn site_name(&mut self) -> String {
        let allowed = "1 to 60 printable characters"; // what a tab or a log line has room for
        let parse = |text: &str| {
            (is_printable(text) && text.chars().count() <= 60).then(|| text.to_owned())
        };
        self.read("SITE_NAME", "Callboard", allowed, parse)
    }

    /// The address of the index page. Heroku knows the app's default domain, but not one of its owner's own.
    pub(super) fn site_url(&mut self, domain: Option<&str>) -> Option<String> {
        const NAME: &str = "SITE_URL";
        let domain = domain.filter(|domain| target::is_host(domain.as_bytes()));
        let default = domain.map(|domain| (format!("https://{domain}"), Origin::Default));
        let Some((text, origin)) = self.variables.get(NAME).or(default) else {
            self.row(NAME, "not set".to_owned(), Origin::Default);
            return None;
        };
        self.row(NAME, shown(&text), origin);
        let is_host = |host: &&str| target::is_host(host.as_bytes());
        let (scheme, rest) = text.split_once("://").unwrap_or(("", &text));
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if matches!(scheme, "http" | "https") && is_host(&host) {
            return Some(format!("{scheme}://{host}/"));
        }
        let host = rest.split('/').next().filter(is_host).or(domain).unwrap_or("www.example.com");
        let what = format!(
            "{NAME} is `{}`. It must be https:// and a host, without a path.",
            shown(&text)
        );
        self.problem(what, Remedy::Set(NAME, format!("https://{host}")));
        None
    }

    pub(super) fn host(&mut self, development: bool) -> IpAddr {
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

    pub(super) fn port(&mut self) -> u16 {
        let remedy = if self.variables.on_dyno() {
            let app = self.report.app_option();
            Remedy::Do(format!("heroku config:unset PORT {app} (Heroku sets it)"))
        } else {
            Remedy::Set("PORT", "8080".to_owned())
        };
        let allowed = "a whole number from 0 to 65535";
        self.read_or("PORT", "8080", allowed, remedy, |text| text.parse().ok())
    }

    pub(super) fn workers(&mut self, processors: usize) -> usize {
        let default = processors.min(MOST_WORKERS_BY_DEFAULT).to_string();
        let parse = |text: &str| text.parse().ok().filter(|n| (1..=64).contains(n));
        self.read("WEB_CONCURRENCY", &default, "a whole number from 1 to 64", parse)
    }

    pub(super) fn log(&mut self) -> Targets {
        let allowed = "levels and targets, such as info or warn,callboard=debug";
        let parse =
            |text: &str| text.parse().ok().filter(|_| text.split(',').all(is_log_directive));
        self.read("RUST_LOG", DEFAULT_LOG, allowed, parse)
    }

    pub(super) fn log_format(&mut self, development: bool) -> LogFormat {
        let default = if development { "text" } else { "json" };
        self.read("LOG_FORMAT", default, "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })
    }

    pub(super) fn force_https(&mut self, development: bool) -> bool {
        let default = if development { "false" } else { "true" };
        self.read("FORCE_HTTPS", default, "true or false", |text| text.parse().ok())
    }

    /// Apart from the others: its value is in no row and no problem.
    pub(super) fn preview_password(&mut self) -> Option<SecretString> {
        const NAME: &str = "PREVIEW_PASSWORD";
        let Some((text, origin)) = self.variables.get(NAME) else {
            self.row(NAME, "not set".to_owned(), Origin::Default);
            return None;
        };
        self.row(NAME, "set".to_owned(), origin);
        if !is_printable(&text) {
            let what = format!("{NAME} has characters that can't be typed. Use printable ones.");
            self.problem(what, Remedy::Set(NAME, RANDOM_PASSWORD.to_owned()));
        }
        Some(SecretString::from(text))
    }

    /// What of `.env` can't be read.
    pub(super) fn dot_env(&mut self) {
        for broken in self.variables.broken() {
            let (what, remedy) = match broken {
                DotEnvError::Line(number) => (
                    format!("Line {number} of .env can't be parsed."),
                    "Write NAME=value, with the value in single quotes if it has spaces or # in it.",
                ),
                DotEnvError::Unreadable(kind) => (
                    format!(".env can't be read: {kind}."),
                    "Make it a readable text file in UTF-8, or remove it.",
                ),
            };
            self.problem(what, Remedy::Do(remedy.to_owned()));
        }
    }
}

/// A level, `target=level`, or a target. To tracing any bare word is a target: `inof` would log a crate
/// of that name, and nothing else.
fn is_log_directive(directive: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let target = directive.split_once('=').map_or(directive, |(target, _)| target);
    let is_target = !target.is_empty() && target.bytes().all(|b| b.is_ascii_graphic());
    let is_level = directive.parse::<LevelFilter>().is_ok();
    let lower = directive.to_ascii_lowercase();
    let resembles_a_level = LEVELS.iter().any(|level| strsim::osa_distance(&lower, level) < 2);
    let lacks_its_level = directive.ends_with('='); // which would be errors, to tracing
    !directive.is_empty() && (is_level || is_target && !resembles_a_level && !lacks_its_level)
}

/// Whether this can be typed and seen: something besides blanks, and nothing odd.
fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(is_odd)
}

/// Characters that do something to a terminal or a table instead of standing there: controls, breaks,
/// changes of direction, what has no width. And U+FFFD, which was not UTF-8.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

/// A value that fits in a line of a terminal and does nothing to it.
pub(super) fn shown(text: &str) -> String {
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
