//! Reads settings one by one, and writes down what there is to say of each.

use secrecy::SecretString;

use super::dot_env::fault::{self, Fault, LineFault};
use super::report::{Problem, Remedy, Report, Row};
use super::text::{is_printable, shown, without_password};
use super::variables::{Origin, Variables};
use super::{Environment, Heroku, dot_env, meant, site_url};

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
            dot_env_is_json: variables.dot_env_is_json(),
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
    /// A wrong value is offered as it was meant where that is clear: without blanks or quotes around it, in small
    /// letters, `on` as `true`. So `parse` needs to take one way of writing it only.
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
        self.read_or(name, default, allowed, |_| None, parse)
    }

    /// The same, where `remedy` knows more than can be said of every setting.
    pub(super) fn read_or<T>(
        &mut self,
        name: &'static str,
        default: &str,
        allowed: &str,
        remedy: impl FnOnce(&str) -> Option<Remedy>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let given = self.variables.get(name);
        let (text, origin) = given.unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.row(name, shown(&text), origin);
        parse(&text).unwrap_or_else(|| {
            let remedy = remedy(&text)
                .or_else(|| meant::meant(&text, &parse).map(|value| Remedy::Set(name, value)));
            self.problem_of(name, &shown(&text), allowed, remedy, Some(default));
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
        let domain = self.heroku.domain.clone().filter(|domain| site_url::is_authority(domain));
        let default = domain.map(|domain| format!("https://{domain}"));
        let given = self.variables.get(name);
        let Some((text, origin)) = given.or(default.clone().map(|url| (url, Origin::Default)))
        else {
            self.row(name, "not set".to_owned(), Origin::Default);
            return None;
        };
        let seen = shown(&without_password(&text));
        self.row(name, seen.clone(), origin);
        let is_development = self.environment == Environment::Development;
        let url = site_url::parse(&text, is_development);
        if url.is_none() {
            let allowed = if is_development {
                "https:// and a host, without a path; or http:// and this machine, as http://localhost:8080"
            } else {
                "https:// and a host, without a path"
            };
            let remedy = site_url::meant(&text).map(|url| Remedy::Set(name, url));
            self.problem_of(name, &seen, allowed, remedy, default.as_deref());
        }
        url
    }

    /// A secret, where it is set. No report shows more of it than that.
    pub fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        let Some((text, origin)) = self.variables.get(name) else {
            self.row(name, "not set".to_owned(), Origin::Default);
            return None;
        };
        self.row(name, "set".to_owned(), origin);
        if !is_printable(&text) {
            // No command: it would show the secret, or change it for all who know it.
            let why = "it is blank, or has characters such as the end of a line";
            let remedy = "Set it again, without what can't be typed.".to_owned();
            self.problem(format!("{name} can't be typed: {why}."), Remedy::Do(remedy));
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

    /// A value that is wrong. Where nobody can tell what was meant, the operator learns what would be there without it.
    fn problem_of(
        &mut self,
        name: &'static str,
        seen: &str,
        allowed: &str,
        remedy: Option<Remedy>,
        default: Option<&str>,
    ) {
        let from_dot_env = self.origin(name) == Some(Origin::DotEnv);
        let can_be_written = |remedy: &Remedy| match remedy {
            Remedy::Set(_, value) => {
                let has_password = value.contains("://") && without_password(value) != *value;
                !has_password && (!from_dot_env || dot_env::quoted(value).is_some())
            }
            Remedy::Do(_) => true,
        };
        let remedy = remedy.filter(can_be_written).unwrap_or_else(|| {
            let unset = default.map(|default| format!(" Unset, it is `{}`.", shown(default)));
            Remedy::Do(format!("Set it to what is meant.{}", unset.unwrap_or_default()))
        });
        self.problem(format!("{name} is `{seen}`. It must be {allowed}."), remedy);
    }

    fn origin(&self, name: &str) -> Option<Origin> {
        self.report.rows.iter().find(|row| row.name == name).map(|row| row.origin)
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
        let given = self.variables.get(NAME).map(|(text, _)| text);
        let meant = given.as_deref().and_then(|text| self.stage_meant(text, choices));
        if given.is_none() && self.variables.on_dyno() {
            let command = self.config_set(&format!("{NAME}={}", self.stage_by_name()));
            self.notice(format!(
                "{NAME} is not set, so this app runs as {default}. To say which stage it is: {command}"
            ));
        }
        let parse = |text: &str| choices.iter().copied().find(|e| e.name() == text);
        let remedy = |_: &str| meant.map(|stage| Remedy::Set(NAME, stage.name().to_owned()));
        self.environment = self.read_or(NAME, default.name(), allowed, remedy, parse);
        if let Some(meant) = meant.filter(|_| parse(given.as_deref().unwrap_or_default()).is_none())
        {
            self.environment = meant; // so that what follows fits it
        }
        self.report.for_heroku = self.environment != Environment::Development;
    }

    /// The stage that a wrong `APP_ENV` stands for: by its beginning, by a usual short form, or but for a slip.
    /// On a dyno `development` came with a copied `.env`: there the app's name tells, where it ends with a stage's.
    fn stage_meant(&self, text: &str, choices: &[Environment]) -> Option<Environment> {
        let word = meant::visible(text).map(|text| meant::bare(&text).to_lowercase())?;
        let named = |name: &str| choices.iter().copied().find(|choice| choice.name() == name);
        match word.as_str() {
            "stg" | "stage" => return named("staging"),
            "prd" => return named("production"),
            "development" if self.stage_by_name() == Environment::Staging => {
                return named("staging");
            }
            _ => {}
        }
        let begins = |choice: &Environment| word.len() >= 3 && choice.name().starts_with(&word);
        let begun = choices.iter().copied().find(begins);
        begun.or_else(|| {
            named(meant::misspelled(&word, choices.iter().map(|choice| choice.name()))?)
        })
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

    /// Ends the reading: what of `.env` looks unintended, and what looks like a misspelled name.
    pub(super) fn finish(mut self) -> Report {
        self.tell_faults_of_dot_env();
        self.notice_misspellings();
        self.report
    }

    /// A line that was to set a setting, which nothing sets, is a problem. Any other is a notice, with all lines
    /// that have the same fault.
    fn tell_faults_of_dot_env(&mut self) {
        let mut noticed: Vec<(LineFault, Vec<_>)> = Vec::new();
        for fault in self.variables.faults() {
            match fault {
                Fault::NotAFile => {
                    self.notice(".env is no file, so nothing is read from it.".to_owned());
                }
                Fault::Unreadable(kind) => {
                    let remedy = "Make it a readable text file, or remove it.".to_owned();
                    self.problem(format!(".env can't be read: {kind}."), Remedy::Do(remedy));
                }
                Fault::Utf16 => {
                    let what = ".env can't be read: it is in UTF-16.".to_owned();
                    self.problem(what, Remedy::Do("Save it in UTF-8.".to_owned()));
                }
                Fault::Lines { lines, name, fault } => {
                    let is_unset = |name: &&str| self.origin(name) == Some(Origin::Default);
                    let setting = name.as_deref().filter(|_| fault.loses_all()).filter(is_unset);
                    if let Some(name) = setting {
                        let lines = fault::place(std::slice::from_ref(lines));
                        let what = format!("{lines}: {}, so {name} is not set.", fault.what());
                        self.problem(what, Remedy::Do(fault.remedy(name)));
                    } else if let Some((_, all)) =
                        noticed.iter_mut().find(|(same, _)| same == fault)
                    {
                        all.push(lines.clone());
                    } else {
                        noticed.push((*fault, vec![lines.clone()]));
                    }
                }
            }
        }
        for (fault, lines) in noticed {
            let lost = if fault.loses_all() { ", so nothing is read" } else { "" };
            let lines = fault::place(&lines);
            self.notice(format!("{lines}: {}{lost}. {}", fault.what(), fault.remedy("NAME")));
        }
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
