//! What the operator is told: each value, what each check found, every problem with its remedy, and the one
//! command that mends them all.

use std::fmt;

use super::variables::Origin;
use super::{dot_env, text};

/// A shell expression that makes a random password.
pub(super) const RANDOM_PASSWORD: &str = "\"$(openssl rand -hex 16)\"";

/// One setting as it was understood. Shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub name: &'static str,
    /// Its value, shortened and with odd characters escaped; of a secret, whether it is set.
    pub value: String,
    pub origin: Origin,
}

/// Something that keeps a release from going live, and what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) what: String,
    pub(super) remedy: Remedy,
}

impl Problem {
    /// What a check found wrong, in a sentence, and what to do: best of all a command. Neither may hold a
    /// secret, such as the address of a database.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: Remedy::Do(remedy.into()) }
    }
}

/// How a problem is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Give the variable the value that was meant, or the only one that there can be: part of the one command at the
    /// end of the report.
    Set(&'static str, String),
    /// What a person has to do, where nobody else knows the value. Never a command with a value that is made up.
    Do(String),
}

/// What a check of the app's own came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    name: &'static str,
    outcome: Result<String, Problem>,
}

/// All that there is to say of a set of variables. Print it: it is written for the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub(super) program: String,
    /// Every setting, in the order in which they were read.
    pub(super) rows: Vec<Row>,
    /// Why the program does not start: empty when it does.
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<String>,
    pub(super) checks: Vec<Checked>,
    /// Whether `.env` is JSON, which no line can be added to.
    pub(super) dot_env_is_json: bool,
    /// Whether this is a dyno: elsewhere there is a shell to mend things in.
    pub(super) on_dyno: bool,
    /// Whether these are settings for an app on Heroku, wherever they are read.
    pub(super) for_heroku: bool,
    /// The app's name, where Heroku tells it.
    pub(super) app: Option<String>,
}

impl Report {
    /// Whether a release with these settings may go live: every setting is right, and no check failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty() && self.checks.iter().all(|check| check.outcome.is_ok())
    }

    /// What looks unintended, but keeps nothing from starting.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Adds what a check of your own found: a few words, or the problem.
    pub fn add_check(&mut self, name: &'static str, outcome: Result<String, Problem>) {
        self.checks.push(Checked { name, outcome });
    }

    /// The command that gives variables their values: one for all of them, since every `config:set`
    /// is a release of its own, with a check of its own.
    pub(super) fn config_set(&self, assignments: &str) -> String {
        format!("heroku config:set {assignments} {}", self.app_option())
    }

    /// Names the app in a command; `NAME` stands for it where Heroku does not tell it.
    pub(super) fn app_option(&self) -> String {
        format!("--app {}", self.app.as_deref().unwrap_or("NAME"))
    }

    /// The report's part about what is wrong; nothing when nothing is.
    #[must_use]
    pub fn refusal(&self) -> String {
        let program = &self.program;
        let mut lines = Vec::new();
        if !self.problems.is_empty() {
            let count = count(self.problems.len(), "problem");
            lines.push(format!("{program} does not start with these settings. {count}:"));
            for Problem { what, remedy } in &self.problems {
                lines.push(format!("  {what}"));
                lines.push(format!("    Fix: {}", self.written(remedy)));
            }
        }
        let failed = self
            .checks
            .iter()
            .filter_map(|check| Some((check.name, check.outcome.as_ref().err()?)));
        let failed: Vec<_> = failed.collect();
        if !failed.is_empty() {
            let count = count(failed.len(), "failed check");
            lines.push(format!("{program} is not ready for a release. {count}:"));
            for (name, Problem { what, remedy }) in failed {
                lines.push(format!("  {name}: {what}"));
                lines.push(format!("    Fix: {}", self.written(remedy)));
            }
        }
        lines.extend(self.commands());
        if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" }
    }

    /// A remedy, as it is to be typed at the place where the variable is set.
    fn written(&self, remedy: &Remedy) -> String {
        match remedy {
            Remedy::Set(name, value) if self.is_from_json(name) => {
                format!("Set {name} to `{value}` in .env, which is JSON.")
            }
            Remedy::Set(name, value) if self.is_from_dot_env(name) => in_dot_env(name, value),
            Remedy::Set(name, value) => in_a_shell(name, value),
            Remedy::Do(what) => what.clone(),
        }
    }

    fn is_from_dot_env(&self, name: &str) -> bool {
        self.rows.iter().any(|row| row.name == name && row.origin == Origin::DotEnv)
    }

    fn is_from_json(&self, name: &str) -> bool {
        self.dot_env_is_json && self.is_from_dot_env(name)
    }

    /// The commands that mend what can be mended so, for each place where the settings can be.
    fn commands(&self) -> Vec<String> {
        let values = self.problems.iter().filter_map(|problem| match &problem.remedy {
            Remedy::Set(name, value) if !self.is_from_json(name) => Some((*name, value.as_str())),
            _ => None,
        });
        let values: Vec<_> = values.collect();
        // Who types a command that mends a part only is told so before.
        let all = self.problems.len();
        let what = |some: &[String]| match values.len() {
            mended if mended == all => "it".to_owned(),
            _ => format!("{} of these {all}", some.len()),
        };
        let assignments = |write: fn(&str, &str) -> String, is_wanted: &dyn Fn(&str) -> bool| {
            let wanted = values.iter().filter(|(name, _)| is_wanted(name));
            wanted.map(|(name, value)| write(name, value)).collect::<Vec<_>>()
        };
        let in_dot_env = assignments(in_dot_env, &|name| self.is_from_dot_env(name));
        let in_the_shell = assignments(in_a_shell, &|name| !self.is_from_dot_env(name));
        // Heroku sets PORT. And the HOST of another machine is none that its router reaches.
        let on_heroku =
            assignments(in_a_shell, &|name| name != "PORT" && (self.on_dyno || name != "HOST"));
        let mut commands = Vec::new();
        if !in_dot_env.is_empty() {
            let (what, lines) = (what(&in_dot_env), in_dot_env.join("\n  "));
            commands.push(format!("To fix {what} in .env:\n  {lines}"));
        }
        if !in_the_shell.is_empty() && !self.on_dyno {
            let (what, command) = (what(&in_the_shell), in_the_shell.join(" "));
            commands.push(format!("To fix {what} in this shell:\n  export {command}"));
        }
        if !on_heroku.is_empty() && self.for_heroku {
            let (what, command) = (what(&on_heroku), self.config_set(&on_heroku.join(" ")));
            commands.push(format!("To fix {what} on Heroku:\n  {command}"));
        }
        commands
    }
}

fn in_a_shell(name: &str, value: &str) -> String {
    format!("{name}={}", text::quoted(value))
}

fn in_dot_env(name: &str, value: &str) -> String {
    // What was read from there, or is shorter, can be written there.
    format!("{name}={}", dot_env::quoted(value).unwrap_or_default())
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("One {thing}") } else { format!("{number} {thing}s") }
}

impl fmt::Display for Report {
    /// The whole report, as the command `check` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.rows.iter().map(|row| (row.name, &*row.value, row.origin.to_string()));
        let checks = self.checks.iter().map(|check| match &check.outcome {
            Ok(found) => (check.name, &**found, "check".to_owned()),
            Err(_) => (check.name, "failed", "check".to_owned()),
        });
        let rows: Vec<_> = settings.chain(checks).collect();
        let name_width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        let value_width = rows.iter().map(|row| row.1.chars().count()).max().unwrap_or(0);
        for (name, value, origin) in rows {
            writeln!(f, "{name:name_width$}  {value:value_width$}  ({origin})")?;
        }
        for notice in &self.notices {
            writeln!(f, "Notice: {notice}")?;
        }
        if self.is_ok() {
            writeln!(f, "{} starts with these settings.", self.program)
        } else {
            write!(f, "{}", self.refusal())
        }
    }
}
