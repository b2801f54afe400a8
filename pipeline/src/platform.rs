//! Where releases live: on Heroku, or in a rehearsal on this machine.

use std::collections::BTreeSet;
use std::fmt;

use secrecy::SecretString;

use crate::failure::Failure;

/// The two stages that a release goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Where a release is looked at.
    Staging,
    /// Where it is used.
    Production,
}

impl Stage {
    /// Both, in the order in which a release gets to them.
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    /// Its name, as in `APP_ENV` and as Heroku has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The git remote that leads to its app.
    pub fn remote(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "prod",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An app, as its platform knows it. What runs there only the app itself can say.
#[derive(Clone, Debug)]
pub struct App {
    /// Its name.
    pub name: String,
    /// Where it can be opened, with a slash at its end.
    pub address: String,
    /// Whether anything was ever released there.
    pub has_slug: bool,
    /// The pipeline it is in, and at which stage.
    pub pipeline: Option<(String, String)>,
    /// The names of its config vars. Their values are nobody's business here.
    pub variables: BTreeSet<String>,
    /// `PREVIEW_PASSWORD`, to look behind it.
    pub password: Option<SecretString>,
}

/// Where releases live.
pub trait Platform: Sync {
    /// The app of a stage.
    fn app(&self, stage: Stage) -> Result<App, Failure>;

    /// Production's current release, as `v7`: where a rollback would lead after a promotion.
    fn current(&self) -> Result<Option<String>, Failure>;

    /// Gives production staging's slug: nothing is built. Returns once its release has succeeded.
    fn promote(&mut self) -> Result<(), Failure>;

    /// Brings back a release of production's, its code and its config vars.
    fn roll_back(&mut self, release: &str) -> Result<(), Failure>;

    /// What a person types.
    fn remedy(&self, remedy: Remedy<'_>) -> String;
}

/// What a person may have to do about production.
#[derive(Clone, Copy, Debug)]
pub enum Remedy<'a> {
    /// Go back to this release.
    GoBack(&'a str),
    /// Set these config vars, `NAME=value` each.
    Set(&'a str),
    /// See why its last release failed.
    SeeWhy,
}
