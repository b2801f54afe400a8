//! The two stages that a release goes through, and the app of each.

use std::collections::BTreeSet;
use std::fmt;

use secrecy::SecretString;

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

    /// The option that names its app.
    pub fn option(self) -> &'static str {
        match self {
            Self::Staging => "--staging",
            Self::Production => "--to",
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
    /// Whether its router shows everyone a page that says so.
    pub is_in_maintenance: bool,
    /// Where it stands in a pipeline.
    pub place: Option<Place>,
    /// The names of its config vars. Their values are nobody's business here.
    pub variables: BTreeSet<String>,
    /// `PREVIEW_PASSWORD`, to look behind it.
    pub password: Option<SecretString>,
}

/// An app's place in a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage, by Heroku's name: there are more than our two.
    pub stage: String,
    /// The pipeline's production apps, by name.
    pub productions: Vec<String>,
}
