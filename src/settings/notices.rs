//! What looks unintended, and what of `.env` can't be read.

use super::reader::Reader;
use super::report::{RANDOM_PASSWORD, Remedy};
use super::variables::DotEnvError;
use super::{Environment, NAMES, Settings};

impl Reader<'_> {
    pub(super) fn judge_dot_env(&mut self) {
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

    pub(super) fn notice_a_public_preview(&mut self, settings: &Settings) {
        let preview = matches!(settings.environment, Environment::Staging | Environment::Review);
        if preview && settings.preview_password.is_none() {
            let command = self.report.config_set(&format!("PREVIEW_PASSWORD={RANDOM_PASSWORD}"));
            self.report.notices.push(format!(
                "Anyone can open this {} site: it has no PREVIEW_PASSWORD. To give it one: {command}",
                settings.environment
            ));
        }
    }

    pub(super) fn notice_misspellings(&mut self) {
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
