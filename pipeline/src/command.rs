//! The commands of other programs: each is shown before it runs, so that people learn them.

use std::io;
use std::process::{Command as Process, Stdio};

use console::style;

use crate::failure::Failure;

/// A command, as it runs and as it is shown: where a secret is in it, the two differ.
#[derive(Clone, Debug)]
pub struct Command {
    program: &'static str,
    words: Vec<String>,
    secret: Option<Secret>,
}

#[derive(Clone)]
struct Secret {
    value: String,
    shown: &'static str,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.shown)
    }
}

/// A command of Heroku's. Always with `--app`: with two remotes it would not know which is meant.
pub fn heroku(words: &[&str]) -> Command {
    Command::new("heroku", words)
}

/// A command of git's.
pub fn git(words: &[&str]) -> Command {
    Command::new("git", words)
}

impl Command {
    fn new(program: &'static str, words: &[&str]) -> Self {
        Self { program, words: Vec::new(), secret: None }.with(words)
    }

    /// Adds words.
    pub fn with(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|&word| word.to_owned()));
        self
    }

    /// Adds `NAME=value`, of which only `NAME=shown` is seen: a shell expression that makes such a value.
    pub fn with_secret(mut self, name: &str, value: String, shown: &'static str) -> Self {
        self.words.push(format!("{name}={value}"));
        self.secret = Some(Secret { value, shown });
        self
    }

    /// The command as a person would type it.
    pub fn shown(&self) -> String {
        let mut shown = self.program.to_owned();
        for word in &self.words {
            let secret = self.secret.as_ref().filter(|secret| word.ends_with(&secret.value));
            let word = match secret {
                Some(secret) => word.replace(&secret.value, secret.shown),
                None if word.contains(' ') => format!("'{word}'"),
                None => word.clone(),
            };
            shown = shown + " " + &word;
        }
        shown
    }

    /// Shows it. On standard error, which leaves standard output to the answer.
    pub fn show(&self) {
        eprintln!("{}", style(format!("$ {}", self.shown())).for_stderr().dim());
    }

    /// Shows it, and returns what it prints. For commands that change nothing.
    pub fn read(&self) -> Result<String, Failure> {
        self.show();
        let ran = self.process().stdout(Stdio::piped()).stderr(Stdio::piped()).output();
        let ran = ran.map_err(|error| self.not_started(error))?;
        if !ran.status.success() {
            // heroku folds its errors to 80 columns, with a mark before each line.
            let why = String::from_utf8_lossy(&ran.stderr).replace('›', " ");
            let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(Failure::Command { command: self.shown(), why });
        }
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// The same, of a command that prints JSON.
    pub fn read_json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.read()?)
            .map_err(|error| Failure::Unexpected { command: self.shown(), why: error.to_string() })
    }

    /// Shows it, and lets it print. One that has a secret is silent: heroku repeats what it is given.
    pub fn run(&self) -> Result<(), Failure> {
        if self.secret.is_some() {
            return self.read().map(drop).map_err(|failure| self.without_secret(failure));
        }
        self.show();
        // What it prints is not the answer to our own command, so it goes where the commands go.
        let status = self.process().stdout(io::stderr()).status();
        if status.map_err(|error| self.not_started(error))?.success() {
            return Ok(());
        }
        Err(Failure::Command { command: self.shown(), why: String::new() })
    }

    fn process(&self) -> Process {
        let mut process = Process::new(self.program);
        // heroku would read arguments that it misses from standard input, and take ours.
        process.args(&self.words).stdin(Stdio::null());
        process
    }

    fn not_started(&self, error: io::Error) -> Failure {
        match (error.kind(), self.program) {
            (io::ErrorKind::NotFound, "heroku") => Failure::NoCommand(
                self.program.to_owned(),
                "https://devcenter.heroku.com/articles/heroku-cli",
            ),
            (io::ErrorKind::NotFound, _) => {
                Failure::NoCommand(self.program.to_owned(), "https://git-scm.com")
            }
            _ => Failure::System(self.shown(), error),
        }
    }

    fn without_secret(&self, failure: Failure) -> Failure {
        match (failure, &self.secret) {
            (Failure::Command { command, why }, Some(secret)) => {
                Failure::Command { command, why: why.replace(&secret.value, secret.shown) }
            }
            (failure, _) => failure,
        }
    }
}
