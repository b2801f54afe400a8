//! What looks unintended, but keeps nothing from starting.

use super::reader::{Reader, shown};
use super::report::RANDOM_PASSWORD;
use super::{Environment, NAMES, Settings};

impl Reader<'_> {
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
                    "{} is set, but there is no such setting. Did you mean {ours}?",
                    shown(name)
                ));
            }
        }
    }
}
