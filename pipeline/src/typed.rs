//! The commands of other programs, as a person would type them: each one that changes something is shown
//! before it runs, so that people learn it.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command as Process, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::screen::{Screen, one_line};

/// How long a command may take whose answer we need. The slowest asks Heroku's API, which gives up after 30 s, and the
/// heroku command may ask it twice; git reads what is on this machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command, as it runs and as it is shown: where a secret is in it, the two differ. It has no `Debug`.
#[derive(Clone)]
pub struct Typed {
    program: &'static str,
    words: Vec<String>,
    secret: Option<Secret>,
}

#[derive(Clone)]
struct Secret {
    value: String,
    shown: &'static str,
}

/// A command of Heroku's. Always with `--app`: with two remotes it would not know which is meant.
pub fn heroku(words: &[&str]) -> Typed {
    Typed::new("heroku", words)
}

/// A command of git's.
pub fn git(words: &[&str]) -> Typed {
    Typed::new("git", words)
}

impl Typed {
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

    /// The command as a person would type it: it can be pasted.
    pub fn shown(&self) -> String {
        let words = self.words.iter().map(|word| match &self.secret {
            Some(secret) if word.ends_with(&secret.value) => {
                word.replace(&secret.value, secret.shown)
            }
            _ => quoted(word),
        });
        std::iter::once(self.program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// What it prints. For commands that change nothing, which are not shown.
    pub fn read(&self, at: Option<&Path>) -> Result<String, Failure> {
        let ran = self.output(at)?;
        if ran.status.success() {
            return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
        }
        Err(self.failed(&ran))
    }

    /// The same, with its exit code, whatever that is.
    pub fn output(&self, at: Option<&Path>) -> Result<Output, Failure> {
        self.output_within(PATIENCE, at)
    }

    fn output_within(&self, patience: Duration, at: Option<&Path>) -> Result<Output, Failure> {
        let mut process = self.process();
        process.current_dir(at.unwrap_or(Path::new("."))).stdout(Stdio::piped());
        let child = process.stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| self.not_started(error))?;
        let deadline = Instant::now() + patience;
        let left = || deadline.saturating_duration_since(Instant::now());
        let stdout = read_all(child.stdout.take().expect("it is piped"));
        let stderr = read_all(child.stderr.take().expect("it is piped"));
        // Both end when the command does.
        let read =
            stdout.recv_timeout(left()).and_then(|out| Ok((out, stderr.recv_timeout(left())?)));
        let Ok((stdout, stderr)) = read else {
            let _ = child.kill();
            let _ = child.wait();
            let why = format!("no answer within {} s", patience.as_secs());
            return Err(Failure::Command { command: self.shown(), why });
        };
        let status = child.wait().map_err(|error| self.not_started(error))?;
        Ok(Output { status, stdout, stderr })
    }

    /// Its own words, why it failed.
    pub fn failed(&self, ran: &Output) -> Failure {
        // heroku folds its errors to 80 columns, with a mark before each line.
        let why = one_line(&String::from_utf8_lossy(&ran.stderr).replace('›', " "));
        let why = match &self.secret {
            Some(secret) => why.replace(&secret.value, secret.shown),
            None => why,
        };
        Failure::Command { command: self.shown(), why }
    }

    /// Shows it, and lets it print. One that has a secret is silent: heroku repeats what it is given.
    pub fn run(&self, screen: &Screen) -> Result<(), Failure> {
        screen.show(&self.shown());
        if self.secret.is_some() {
            return self.read(None).map(drop);
        }
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
            (io::ErrorKind::NotFound, "heroku") => {
                Failure::NoProgram("heroku", "https://devcenter.heroku.com/articles/heroku-cli")
            }
            (io::ErrorKind::NotFound, program) => {
                Failure::NoProgram(program, "https://git-scm.com")
            }
            _ => Failure::System(self.shown(), error),
        }
    }
}

/// All that comes, once no more does. Behind us, since a command waits for whoever does not read.
fn read_all(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What can't be read is missing in what is made of the rest.
        let _ = pipe.read_to_end(&mut bytes);
        sender.send(bytes)
    });
    receiver
}

/// A word, quoted where a shell would take it for something else; of `NAME=value` the value alone.
pub fn quoted(word: &str) -> String {
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match word.split_once('=') {
        Some((name, value)) if is_name(name) => format!("{name}={}", quoted(value)),
        _ => shlex::try_quote(word).map_or_else(|_| one_line(word), Cow::into_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted_and_shows_no_secret() {
        let command = heroku(&["config:set", "SITE_NAME=My own board; rm -rf ~"])
            .with_secret("PREVIEW_PASSWORD", "swordfish".to_owned(), "\"$(openssl rand -hex 16)\"")
            .with(&["--app", "myapp"]);
        let shown = command.shown();
        assert_eq!(
            shown,
            "heroku config:set SITE_NAME='My own board; rm -rf ~' \
             PREVIEW_PASSWORD=\"$(openssl rand -hex 16)\" --app myapp"
        );
        assert_eq!(heroku(&["ps:scale", "web=1"]).shown(), "heroku ps:scale web=1");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let sleep = Typed::new("sleep", &["600"]).output_within(Duration::from_secs(1), None);
        let failure = sleep.expect_err("it does not end").to_string();
        assert_eq!(failure, "`sleep 600` failed: no answer within 1 s");
    }

    #[cfg(unix)]
    #[test]
    fn all_that_a_command_says_is_read_with_its_exit_code() {
        let script = "head -c 200000 /dev/zero; head -c 200000 /dev/zero >&2; exit 7";
        let ran = Typed::new("sh", &["-c", script]).output(None).unwrap();
        assert_eq!(
            (ran.stdout.len(), ran.stderr.len(), ran.status.code()),
            (200_000, 200_000, Some(7))
        );
    }
}
