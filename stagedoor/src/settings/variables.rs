//! The variables that settings are read from: the process environment, laid over `.env`.
//!
//! Nothing else in this crate reads the environment, and `.env` is never written into it.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use config::{Config, ConfigError, Map, Source, Value};

use super::dot_env::DotEnv;
use super::dot_env::fault::Fault;

/// Set by Heroku on every dyno, and nowhere else that matters here.
const DYNO: &str = "DYNO";

/// Where a variable's value came from, as the report says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The process environment; on Heroku, the app's config vars.
    Environment,
    /// The file `.env` in the current directory.
    DotEnv,
    /// Nobody set it.
    Default,
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Default => "default",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a process was given: its variables, of which an empty one is an unset one, and its processors.
///
/// Collect one from pairs to read settings from them alone, as tests do:
///
/// ```
/// use stagedoor::Variables;
///
/// let variables: Variables = [("APP_ENV", "staging")].into_iter().collect();
/// ```
pub struct Variables {
    merged: Map<String, Value>,
    faults: Vec<Fault>,
    dot_env_is_json: bool,
    processors: usize,
}

impl Variables {
    /// The environment of this process and, off a dyno, `.env` in the current directory.
    #[must_use]
    pub fn of_this_process() -> Self {
        // Lossy, so that odd bytes in a variable that is not ours can't stop the service. In one that
        // is ours they become U+FFFD, which no setting accepts.
        let lossy = |text: OsString| text.to_string_lossy().into_owned();
        let environment = env::vars_os().map(|(name, value)| (lossy(name), lossy(value)));
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Self::layered(environment, Path::new(".env")).on_processors(processors)
    }

    /// `environment` over the file `dot_env`. On a dyno the file is not looked at: there, config
    /// vars are the one place that counts.
    pub fn layered(
        environment: impl IntoIterator<Item = (String, String)>,
        dot_env: &Path,
    ) -> Self {
        let environment = Layer::new(Origin::Environment, environment);
        let on_dyno = environment.variables.contains_key(DYNO);
        let file = if on_dyno { DotEnv::default() } else { DotEnv::read(dot_env) };
        let merged = merge([Layer::new(Origin::DotEnv, file.variables), environment]);
        Self { merged, faults: file.faults, dot_env_is_json: file.is_json, processors: 1 }
    }

    /// The same on a machine with so many processors, which the number of worker threads follows.
    #[must_use]
    pub fn on_processors(mut self, processors: usize) -> Self {
        self.processors = processors;
        self
    }

    /// A variable's value, and where it came from.
    pub(super) fn get(&self, name: &str) -> Option<(String, Origin)> {
        let value = self.merged.get(name)?;
        let is_from = |origin: &Origin| value.origin() == Some(origin.name());
        let origin = [Origin::Environment, Origin::DotEnv].into_iter().find(is_from)?;
        Some((value.clone().into_string().ok()?, origin))
    }

    /// Whether this is a dyno on Heroku.
    pub(super) fn on_dyno(&self) -> bool {
        matches!(self.get(DYNO), Some((_, Origin::Environment)))
    }

    /// All names that are set, in alphabetical order.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.merged.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// What of `.env` looks unintended.
    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether `.env` is JSON.
    pub(super) fn dot_env_is_json(&self) -> bool {
        self.dot_env_is_json
    }

    /// How many processors this machine has.
    pub(super) fn processors(&self) -> usize {
        self.processors
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    /// Variables as the environment would give them, without a `.env`.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let environment = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        let merged = merge([Layer::new(Origin::Environment, environment)]);
        Self { merged, faults: Vec::new(), dot_env_is_json: false, processors: 1 }
    }
}

/// The variables of all layers, of which the later ones lie over those before.
fn merge<const N: usize>(layers: [Layer; N]) -> Map<String, Value> {
    let mut builder = Config::builder();
    for layer in layers {
        builder = builder.add_source(layer);
    }
    let merged = builder.build().and_then(|merged| merged.get_table(Layer::TABLE));
    merged.expect("layers of text always merge")
}

/// The variables of one origin, as a source for [`config`].
///
/// Its own source for the environment would fold the case of names, and so take `port` for `PORT`.
#[derive(Clone, Debug)]
struct Layer {
    origin: Origin,
    variables: Map<String, String>,
}

impl Layer {
    /// One table for all of them. At the top level config would take a name such as `A[999999999]` for a place in
    /// a very long list.
    const TABLE: &str = "variables";

    fn new(origin: Origin, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: Map<_, _> = pairs.into_iter().collect();
        variables.retain(|_, value| !value.is_empty()); // so that a later, empty one unsets one before
        Self { origin, variables }
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let origin = self.origin.name().to_owned();
        let value = |text: &String| Value::new(Some(&origin), text.clone());
        let table: Map<_, _> =
            self.variables.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        Ok([(Self::TABLE.to_owned(), table.into())].into())
    }
}
