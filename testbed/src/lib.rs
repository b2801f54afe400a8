//! A program under test: the real executable, started as an operator would, in a clean environment, in an empty
//! directory, on a free port; and asked as a visitor would.

#![allow(clippy::must_use_candidate, reason = "a test that asks and does not look asserts nothing")]

mod connection;
mod service;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

pub use connection::{Connection, Reply};
pub use service::{Answer, Killed, Service, port_in};

/// How long anything may take before a test gives up. Far longer than it takes: no test asserts time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A variable and its value.
pub type Variable<'a> = (&'a str, &'a str);

/// A program: the path of its executable.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub executable: PathBuf,
}

impl Program {
    /// The executable at this path.
    pub fn at(executable: impl Into<PathBuf>) -> Self {
        Self { executable: executable.into() }
    }

    /// What cargo built beside the running test: `my-app`, or `examples/whole`.
    ///
    /// # Panics
    /// If it is not there, or older than a file below `sources`: then cargo was asked for this test alone, and
    /// `command` builds the program.
    pub fn built(path: &str, sources: &[PathBuf], command: &str) -> Self {
        let executable = profile_directory().join(path);
        let made = modified(&executable);
        let newest = sources.iter().flat_map(|source| files(source)).map(|file| modified(&file));
        let is_fresh = made.is_some() && newest.max().flatten() <= made;
        assert!(is_fresh, "{} is not built, or not anew: {command}", executable.display());
        Self { executable }
    }

    /// The program, with these variables and no others.
    pub fn command(&self, variables: &[Variable]) -> Command {
        let mut command = Command::new(&self.executable);
        command.env_clear().envs(variables.iter().copied()).current_dir(directory());
        command
    }

    /// Runs it with these arguments to its end.
    pub fn run(&self, arguments: &[&str], variables: &[Variable]) -> Ran {
        Ran::from(self.command(variables).args(arguments).output().unwrap())
    }

    /// Starts it on a free port, and waits until it says that it is open.
    pub fn start(&self, variables: &[Variable]) -> Service {
        self.start_with(&[], variables)
    }

    /// The same, with arguments.
    pub fn start_with(&self, arguments: &[&str], variables: &[Variable]) -> Service {
        let mut command = self.command(&[("PORT", "0")]);
        command.envs(variables.iter().copied()).args(arguments);
        Service::of(command)
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The rows of a report of `check`: a name, what there is to say of it, and where that came from.
pub fn rows(report: &str) -> Vec<[String; 3]> {
    let row = |line: &str| {
        let (name, rest) = line.split_once("  ")?;
        let (value, origin) = rest.strip_suffix(')')?.rsplit_once("  (")?;
        Some([name, value.trim(), origin].map(str::to_owned))
    };
    report.lines().map_while(row).collect()
}

/// An empty directory of this test's own.
pub fn directory() -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{number}", std::process::id());
    let target = profile_directory();
    let path = target.parent().expect("a profile is below target").join("tmp").join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

/// `target/debug` or `target/release`: the test itself is in its `deps`.
fn profile_directory() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors().nth(2).expect("a test is in target/debug/deps").to_owned()
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Every file at or below this path.
///
/// # Panics
///
/// Where a directory can't be read to its end.
pub fn files(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flat_map(|entry| files(&entry.unwrap().path())).collect(),
        Err(_) => vec![path.to_owned()],
    }
}
