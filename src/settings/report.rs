//! What the operator is told of the settings: each value, every problem with its remedy, and the one
//! command that mends them all.

use std::fmt;

use super::variables::Origin;

/// A shell expression that makes a random password.
pub(super) const RANDOM_PASSWORD: &str = "\"$(openssl rand -hex 16)\"";

/// One setting as it was understood. Shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The variable.
    pub name: &'static str,
    /// Its value, shortened and with odd characters escaped; of a secret, whether it is set.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// Something for which the service does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: the variable, its value unless that is a secret, and what is allowed.
    pub what: String,
    /// What a person can do about it.
    pub remedy: Remedy,
}

/// How a problem is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Give the variable this value: part of the one command at the end of the report. The value is
    /// written as the shell is to read it.
    Set(&'static str, String),
    /// An action, where no value helps.
    Do(String),
}

/// All that there is to say of a set of variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Every setting, in the order of the README's table.
    pub rows: Vec<Row>,
    /// Why the service does not start: empty when it does.
    pub problems: Vec<Problem>,
    /// What looks unintended, but keeps nothing from starting.
    pub notices: Vec<String>,
    /// Whether this is a dyno: elsewhere there is a shell to mend things in.
    pub on_dyno: bool,
    /// Whether these are settings for an app on Heroku, wherever they are read.
    pub for_heroku: bool,
    /// The app's name, where Heroku tells it.
    pub app: Option<String>,
}

impl Report {
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
        let count = match self.problems.len() {
            0 => return String::new(),
            1 => "One problem".to_owned(),
            n => format!("{n} problems"),
        };
        let mut lines = vec![format!("Callboard does not start with these settings. {count}:")];
        let mut assignments = Vec::new();
        for Problem { what, remedy } in &self.problems {
            lines.push(format!("  {what}"));
            lines.push(match remedy {
                Remedy::Set(name, value) => {
                    assignments.push((*name, format!("{name}={value}")));
                    format!("    Fix: {name}={value}")
                }
                Remedy::Do(what) => format!("    Fix: {what}"),
            });
        }
        let from_dot_env =
            |name| self.rows.iter().any(|row| row.name == name && row.origin == Origin::DotEnv);
        let in_dot_env = join(&assignments, "\n  ", from_dot_env);
        let in_the_shell = join(&assignments, " ", |name| !from_dot_env(name));
        let on_heroku = join(&assignments, " ", |name| name != "PORT"); // which Heroku sets
        if !in_dot_env.is_empty() {
            lines.push(format!("To fix it in .env:\n  {in_dot_env}"));
        }
        if !in_the_shell.is_empty() && !self.on_dyno {
            lines.push(format!("To fix it in this shell:\n  export {in_the_shell}"));
        }
        if !on_heroku.is_empty() && self.for_heroku {
            lines.push(format!("To fix it on Heroku:\n  {}", self.config_set(&on_heroku)));
        }
        lines.join("\n") + "\n"
    }
}

/// The assignments of the names that are `wanted`.
fn join(
    assignments: &[(&'static str, String)],
    separator: &str,
    wanted: impl Fn(&'static str) -> bool,
) -> String {
    let wanted = assignments.iter().filter(|(name, _)| wanted(name));
    wanted.map(|(_, assignment)| assignment.as_str()).collect::<Vec<_>>().join(separator)
}

impl fmt::Display for Report {
    /// The whole report, as `callboard check` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.rows.iter().map(|row| row.name.len()).max();
        let value = self.rows.iter().map(|row| row.value.chars().count()).max();
        let (name, value) = (name.unwrap_or(0), value.unwrap_or(0));
        for row in &self.rows {
            let (n, v, origin) = (row.name, &row.value, row.origin);
            writeln!(f, "{n:name$}  {v:value$}  ({origin})")?;
        }
        for notice in &self.notices {
            writeln!(f, "Notice: {notice}")?;
        }
        if self.problems.is_empty() {
            writeln!(f, "Callboard starts with these settings.")
        } else {
            write!(f, "{}", self.refusal())
        }
    }
}
