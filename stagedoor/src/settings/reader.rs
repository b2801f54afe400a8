//! Reads settings one by one, and writes down what there is to say of each.

use secrecy::SecretString;

use super::dot_env::DotEnvError;
use super::report::{Problem, RANDOM_PASSWORD, Remedy, Report, Row};
use super::text::{is_printable, quoted, shown};
use super::variables::{Origin, Variables};
use super::{Environment, Heroku};
use crate::target;

/// Reads an app's settings, one variable after the other, in the order in which the report is to show them.
///
/// A setting that is wrong goes into the report, and counts as unset, so that the rest can be read too: the
/// operator learns of everything at once.
///
/// ```
/// use stagedoor::{Reader, Variables, build, load};
///
/// fn doors(reader: &mut Reader) -> u8 {
///     reader.read("DOORS", "19", "an hour from 0 to 23", |text| {
///         text.parse().ok().filter(|hour| *hour < 24)
///     })
/// }
///
/// let variables: Variables = [("DOORS", "25")].into_iter().collect();
/// let report = load(&build!(), &variables, doors).unwrap_err();
/// assert!(report.to_string().contains("DOORS is `25`. It must be an hour from 0 to 23."));
/// ```
pub struct Reader<'a> {
    variables: &'a Variables,
    environment: Environment,
    heroku: Heroku,
    report: Report,
}

impl<'a> Reader<'a> {
    /// Reads `APP_ENV` and what Heroku says of the release, on which the defaults of others depend.
    pub(super) fn new(program: &str, variables: &'a Variables) -> Self {
        let heroku = Heroku::of(variables);
        let is_plain = |app: &String| app.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let report = Report {
            program: program.to_owned(),
            on_dyno: variables.on_dyno(),
            // Only what can't be misread in a command for the shell.
            app: heroku.app.clone().filter(is_plain),
            ..Report::default()
        };
        let environment = Environment::Development;
        let mut reader = Self { variables, environment, heroku, report };
        reader.read_environment();
        reader
    }

    /// `APP_ENV`: where the process runs. Defaults may depend on it; nothing further down should.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// What Heroku says of the app and its release.
    #[must_use]
    pub fn heroku(&self) -> &Heroku {
        &self.heroku
    }

    /// A setting as `parse` understands it.
    ///
    /// `default` stands in where it is unset, or wrong. `allowed` ends the sentence "It must be ...".
    ///
    /// # Panics
    /// If `parse` does not understand `default`.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        default: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.read_or(name, default, allowed, Remedy::Set(name, quoted(default)), parse)
    }

    /// The same, with another remedy than the default.
    pub(super) fn read_or<T>(
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
            parse(default).expect("the default is allowed")
        })
    }

    /// A text of 1 to `most` printable characters. What a name may have, say: it fits in a line.
    ///
    /// # Panics
    /// If `default` is no such text.
    pub fn text(&mut self, name: &'static str, default: &str, most: usize) -> String {
        let allowed = format!("1 to {most} printable characters");
        self.read(name, default, &allowed, |text| {
            let is_allowed = is_printable(text) && text.chars().count() <= most;
            is_allowed.then(|| text.to_owned())
        })
    }

    /// The address of a site's front page, with a slash at its end; by default that of the app's own domain,
    /// which Heroku tells.
    pub fn site_url(&mut self, name: &'static str) -> Option<String> {
        let is_host = |host: &&str| target::is_host(host.as_bytes());
        let domain = self.heroku.domain.clone().filter(|domain| is_host(&domain.as_str()));
        let default = domain.as_ref().map(|domain| (format!("https://{domain}"), Origin::Default));
        let Some((text, origin)) = self.variables.get(name).or(default) else {
            self.row(name, "not set".to_owned(), Origin::Default);
            return None;
        };
        self.row(name, shown(&text), origin);
        let (scheme, rest) = text.split_once("://").unwrap_or(("", &text));
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if matches!(scheme, "http" | "https") && is_host(&host) {
            return Some(format!("{scheme}://{host}/"));
        }
        let host = rest.split('/').next().filter(is_host).or(domain.as_deref());
        let host = host.unwrap_or("www.example.com");
        let what = format!(
            "{name} is `{}`. It must be https:// and a host, without a path.",
            shown(&text)
        );
        self.problem(what, Remedy::Set(name, format!("https://{host}")));
        None
    }

    /// A secret, where it is set. No report shows more of it than that.
    pub fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        let Some((text, origin)) = self.variables.get(name) else {
            self.row(name, "not set".to_owned(), Origin::Default);
            return None;
        };
        self.row(name, "set".to_owned(), origin);
        if !is_printable(&text) {
            let what = format!("{name} has characters that can't be typed. Use printable ones.");
            self.problem(what, Remedy::Set(name, RANDOM_PASSWORD.to_owned()));
        }
        Some(SecretString::from(text))
    }

    /// Something that looks unintended, but keeps nothing from starting.
    pub fn notice(&mut self, notice: String) {
        self.report.notices.push(notice);
    }

    /// The command that gives variables their values on Heroku: `NAME=value NAME=value`.
    #[must_use]
    pub fn config_set(&self, assignments: &str) -> String {
        self.report.config_set(assignments)
    }

    pub(super) fn variables(&self) -> &'a Variables {
        self.variables
    }

    /// Names the app in a command; `NAME` stands for it where Heroku does not tell it.
    pub(super) fn app_option(&self) -> String {
        self.report.app_option()
    }

    fn row(&mut self, name: &'static str, value: String, origin: Origin) {
        self.report.rows.push(Row { name, value, origin });
    }

    fn problem(&mut self, what: String, remedy: Remedy) {
        self.report.problems.push(Problem { what, remedy });
    }

    fn read_environment(&mut self) {
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
            let command = self.config_set(&format!("{NAME}={}", self.stage_by_name()));
            self.notice(format!(
                "{NAME} is not set, so this app runs as {default}. To say which stage it is: {command}"
            ));
        }
        let parse = |text: &str| choices.iter().copied().find(|e| e.name() == text);
        self.environment = self.read(NAME, meant.unwrap_or(default).name(), allowed, parse);
        self.report.for_heroku = self.environment != Environment::Development;
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

    /// Ends the reading: what of `.env` can't be read, and what looks like a misspelled name.
    pub(super) fn finish(mut self) -> Report {
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
        self.notice_misspellings();
        self.report
    }

    fn notice_misspellings(&mut self) {
        let ours: Vec<_> = self.report.rows.iter().map(|row| row.name).collect();
        let variables = self.variables;
        for name in variables.names().into_iter().filter(|name| !ours.contains(name)) {
            let upper = name.to_uppercase();
            let likeness = |ours: &&&str| strsim::normalized_damerau_levenshtein(&upper, ours);
            // A wrong letter in a name of seven or more, two in one of fourteen.
            if let Some(meant) = ours.iter().find(|ours| likeness(ours) > 0.85) {
                self.notice(format!(
                    "{} is set, but there is no such setting. Did you mean {meant}?",
                    shown(name)
                ));
            }
        }
    }
}
