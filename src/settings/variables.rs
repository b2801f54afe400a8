//! The variables that settings are read from: the process environment, laid over `.env`.
//!
//! Nothing below [`crate::settings`] reads the environment, and `.env` is never written into it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use config::{Config, Map};

/// Set by Heroku on every dyno, and nowhere else that matters here.
const DYNO: &str = "DYNO";

/// A character for private use, which nobody has in a `.env`.
const NO_DOLLAR: &str = "\u{f8ff}";

/// Where a variable's value came from, as `callboard check` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The process environment; on Heroku, the app's config vars.
    Environment,
    /// The file `.env` in the current directory.
    DotEnv,
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Origin::Environment => "environment",
            Origin::DotEnv => ".env",
            Origin::Default => "default",
        })
    }
}

/// A place in `.env` that can't be read. Never holds the line itself, which may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub enum DotEnvError {
    /// This line, counted from 1, can't be parsed.
    Line(usize),
    /// The file is there, but the operating system or its encoding refuses it.
    Unreadable(io::ErrorKind),
}

/// The variables of a process. An empty one is an unset one.
pub struct Variables {
    merged: Config,
    origins: BTreeMap<String, Origin>,
    broken: Vec<DotEnvError>,
}

impl Variables {
    /// The environment of this process and, off a dyno, `.env` in the current directory.
    #[must_use]
    pub fn of_this_process() -> Self {
        // Lossy, so that odd bytes in a variable that is not ours can't stop the service. In one that
        // is ours they become U+FFFD, which no setting accepts.
        let lossy = |text: OsString| text.to_string_lossy().into_owned();
        let environment = env::vars_os().map(|(name, value)| (lossy(name), lossy(value)));
        Self::layered(environment, Path::new(".env"))
    }

    /// `environment` over the file `dot_env`. On a dyno the file is not looked at: there, config
    /// vars are the one place that counts.
    pub fn layered(
        environment: impl IntoIterator<Item = (String, String)>,
        dot_env: &Path,
    ) -> Self {
        let environment = non_empty(environment);
        let (file, broken) = if environment.contains_key(DYNO) {
            (Vec::new(), Vec::new())
        } else {
            read_dot_env(dot_env)
        };
        Self::merge(environment, non_empty(file), broken)
    }

    fn merge(
        environment: Map<String, String>,
        dot_env: Map<String, String>,
        broken: Vec<DotEnvError>,
    ) -> Self {
        let mut origins = BTreeMap::new();
        origins.extend(dot_env.keys().map(|name| (name.clone(), Origin::DotEnv)));
        origins.extend(environment.keys().map(|name| (name.clone(), Origin::Environment)));
        let layer = |mut variables: Map<String, String>| {
            // config folds the case of names, and would take `port` for PORT. Other characters mean
            // places in a structure to it: `A[999999999]` would become a very long array.
            variables.retain(|name, _| {
                name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            });
            // No `try_parsing`: it would make 1.1 of 1.10.
            config::Environment::default().source(Some(variables))
        };
        let merged = Config::builder().add_source(layer(dot_env)).add_source(layer(environment));
        Self {
            merged: merged.build().expect("text under plain names always merges"),
            origins,
            broken,
        }
    }

    /// A variable's value, and where it came from.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(String, Origin)> {
        let origin = self.origins.get(name)?;
        let value = self.merged.get_string(&name.to_lowercase()).ok()?;
        Some((value, *origin))
    }

    /// Whether this is a dyno on Heroku.
    #[must_use]
    pub fn on_dyno(&self) -> bool {
        self.origins.get(DYNO) == Some(&Origin::Environment)
    }

    /// All names that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.origins.keys().map(String::as_str)
    }

    /// What could not be read of `.env`.
    #[must_use]
    pub fn broken(&self) -> &[DotEnvError] {
        &self.broken
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    /// Variables as the environment would give them, without a `.env`.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let environment = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::merge(non_empty(environment), Map::new(), Vec::new())
    }
}

fn non_empty(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, String> {
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Every `NAME=value` of a `.env` file, and every line that can't be parsed. A missing file is an empty
/// one.
fn read_dot_env(path: &Path) -> (Vec<(String, String)>, Vec<DotEnvError>) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
        Err(error) => return (Vec::new(), vec![DotEnvError::Unreadable(error.kind())]),
    };
    let mut pairs = Vec::new();
    let mut broken = Vec::new();
    // dotenvy would put variables in the place of $NAME, and so silently shorten a password. `heroku
    // local` does not, so neither do we: while dotenvy looks, another character stands for the dollar.
    let text = text.trim_start_matches('\u{feff}').replace('$', NO_DOLLAR);
    // One line at a time, as `heroku local` does it: dotenvy reports no line numbers.
    for (above, line) in text.lines().enumerate() {
        for entry in dotenvy::from_read_iter(line.as_bytes()) {
            match entry {
                Ok((name, value)) => pairs.push((name, value.replace(NO_DOLLAR, "$"))),
                // dotenvy's own message shows the line, secret included: only its number is kept.
                Err(_) => broken.push(DotEnvError::Line(above + 1)),
            }
        }
    }
    (pairs, broken)
}
