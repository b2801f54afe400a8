//! The variables that settings are read from: the process environment, laid over `.env`.
//!
//! Nothing below [`crate::settings`] reads the environment, and `.env` is never written into it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use config::{Config, ConfigError, Map, Source, Value, ValueKind};

/// Set by Heroku on every dyno, and nowhere else that matters here.
const DYNO: &str = "DYNO";

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
    /// This line, counted from 1, is no `NAME=value`.
    Line(usize),
    /// The file is there, but the operating system or its encoding refuses it.
    Unreadable(io::ErrorKind),
}

/// Variables by their exact names, each with its origin. An empty variable is an unset one.
#[derive(Default)]
pub struct Variables {
    values: BTreeMap<String, (String, Origin)>,
    broken: Vec<DotEnvError>,
}

impl Variables {
    /// The environment of this process and, off a dyno, `.env` in the current directory.
    #[must_use]
    pub fn of_this_process() -> Self {
        // Lossy, so that odd bytes in a variable that is not ours can't stop the service. In one that
        // is ours they become U+FFFD, which no setting accepts.
        let environment = env::vars_os().map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        });
        Self::layered(environment, Path::new(".env"))
    }

    /// `environment` over the file `dot_env`. On a dyno the file is not looked at: there, config
    /// vars are the one place that counts.
    pub fn layered(
        environment: impl IntoIterator<Item = (String, String)>,
        dot_env: &Path,
    ) -> Self {
        let environment = Layer::new(Origin::Environment, environment);
        let on_dyno = environment.variables.contains_key(DYNO);
        let (file, broken) = if on_dyno { (Vec::new(), Vec::new()) } else { read_dot_env(dot_env) };
        Self { values: merge(Layer::new(Origin::DotEnv, file), environment), broken }
    }

    /// A variable's value, and where it came from.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(&str, Origin)> {
        self.values.get(name).map(|(value, origin)| (value.as_str(), *origin))
    }

    /// Whether this is a dyno on Heroku.
    #[must_use]
    pub fn on_dyno(&self) -> bool {
        self.values.contains_key(DYNO)
    }

    /// All names that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What could not be read of `.env`.
    #[must_use]
    pub fn broken(&self) -> &[DotEnvError] {
        &self.broken
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    /// Variables as the environment would give them, for tests.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let environment = pairs.into_iter().map(|(n, v)| (n.into(), v.into()));
        Self {
            values: merge(
                Layer::new(Origin::DotEnv, []),
                Layer::new(Origin::Environment, environment),
            ),
            broken: Vec::new(),
        }
    }
}

/// One source of variables. config's own `Environment` would lower-case the names, and so take
/// `port` for `PORT`.
#[derive(Clone)]
struct Layer {
    origin: Origin,
    variables: BTreeMap<String, String>,
}

impl Layer {
    fn new(origin: Origin, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables =
            pairs.into_iter().filter(|(name, value)| is_plain(name) && !value.is_empty()).collect();
        Self { origin, variables }
    }
}

/// config takes other names for paths: a variable called `A[999999999]` would become a long array.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl fmt::Debug for Layer {
    /// Says nothing of the values: config asks for `Debug`, and any of them may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layer({})", self.origin)
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let origin = self.origin.to_string();
        // A value stays the string that it is: config's own parsing would make 1.1 of 1.10, 1 of `yes`.
        let value = |text: &String| Value::new(Some(&origin), ValueKind::String(text.clone()));
        let pairs = self.variables.iter();
        Ok(pairs.map(|(name, text)| (name.clone(), value(text))).collect())
    }
}

/// Lays each source over the one before it.
fn merge(dot_env: Layer, environment: Layer) -> BTreeMap<String, (String, Origin)> {
    let merged = Config::builder()
        .add_source(dot_env)
        .add_source(environment)
        .build()
        .and_then(|config| config.cache.into_table())
        .expect("strings under plain names always merge");
    let with_origin = |value: Value| {
        let origin = match value.origin() {
            Some(".env") => Origin::DotEnv,
            _ => Origin::Environment,
        };
        (value.into_string().unwrap_or_default(), origin)
    };
    let pairs = merged.into_iter();
    pairs.map(|(name, value)| (name, with_origin(value))).collect()
}

/// Every `NAME=value` of a `.env` file, and every line that is none. A missing file is an empty one.
fn read_dot_env(path: &Path) -> (Vec<(String, String)>, Vec<DotEnvError>) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
        Err(error) => return (Vec::new(), vec![DotEnvError::Unreadable(error.kind())]),
    };
    let mut pairs = Vec::new();
    let mut broken = Vec::new();
    let lines = Lines::new(text.trim_start_matches('\u{feff}'));
    let read = Rc::clone(&lines.read);
    for entry in dotenvy::from_read_iter(lines) {
        match entry {
            Ok(pair) => pairs.push(pair),
            // dotenvy's own message shows the line, secret included: only its number is kept. Where a
            // quote is left open the rest of the file is one line to it, and the first is to blame.
            Err(dotenvy::Error::LineParse(line, _)) => {
                let swallowed = line.trim_end_matches('\n').matches('\n').count();
                broken.push(DotEnvError::Line(read.get() - swallowed));
            }
            Err(_) => broken.push(DotEnvError::Line(read.get())),
        }
    }
    (pairs, broken)
}

/// Hands a text over line by line and counts, since dotenvy says no line numbers.
struct Lines<'a> {
    rest: &'a [u8],
    read: Rc<Cell<usize>>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes(), read: Rc::default() }
    }
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self.rest.iter().position(|&b| b == b'\n');
        let end = line.map_or(self.rest.len(), |newline| newline + 1);
        let taken = end.min(buffer.len());
        buffer[..taken].copy_from_slice(&self.rest[..taken]);
        self.rest = &self.rest[taken..];
        if taken == end && taken > 0 {
            self.read.set(self.read.get() + 1);
        }
        Ok(taken)
    }
}
