//! A process that runs as it would on a dyno.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Log, Slug, Variables};
use crate::failure::{Failure, system};
use crate::interrupt::Interrupt;
use crate::screen::plain;
use crate::site::Sites;
use crate::stage::App;

/// Heroku gives a web process this long to listen (R10).
const BOOT: Duration = Duration::from_secs(60);

/// And this long to end after SIGTERM, before it is killed (R12).
const GRACE: Duration = Duration::from_secs(30);

/// How often to look whether a process has come up, or ended: short beside what it takes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// When our end of its standard input closes, however we come to an end, all its processes get SIGTERM, as on a
/// dyno. They are a group, whose number is given to no other while the one that reads is in it.
const SCRIPT: &str = r#"{ trap "" TERM; read -r; kill -TERM -- -$$; } <&0 >/dev/null 2>&1 &
exec bash -c "$0" </dev/null 2>&1"#;

/// A running process, and what passes its log on. It stops with this.
pub struct Dyno(Child, Option<JoinHandle<()>>);

impl Dyno {
    /// Starts a command of a `Procfile` in its slug, with these variables and no others.
    pub fn start(
        name: String,
        command: &str,
        slug: &Slug,
        variables: &Variables,
        log: &Arc<Log>,
    ) -> Result<Self, Failure> {
        let mut bash = Command::new("bash");
        bash.args(["-c", SCRIPT, command]).current_dir(&slug.directory).env_clear().envs(variables);
        // Its name is its number: `production[web.1]`.
        let number = name.split(['[', ']']).nth(1).unwrap_or_default();
        bash.env("DYNO", number).env("HOME", slug.directory.as_ref());
        bash.env("PATH", env::var_os("PATH").unwrap_or_default());
        bash.process_group(0); // so that Ctrl-C is for us alone
        let child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(system("bash, which runs the lines of a Procfile"))?;
        let lines = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let log = Arc::clone(log);
        let passed_on = thread::spawn(move || {
            let lines = lines.lines().map_while(Result::ok);
            lines.for_each(|line| log.say(&format!("{name}: {}", plain(&line))));
        });
        Ok(Self(child, Some(passed_on)))
    }

    /// Waits until it ends by itself: well, or not.
    pub fn ended(mut self, interrupt: &Interrupt) -> Result<(), String> {
        let status = loop {
            if let Ok(Some(status)) = self.0.try_wait() {
                break status;
            }
            if interrupt.is_asked() {
                return Err("it was stopped".to_owned());
            }
            thread::sleep(LOOK_AGAIN);
        };
        // Its last words, before anybody asks for them.
        drop(self.0.stdin.take());
        let _ = self.1.take().map(JoinHandle::join);
        let why = |status: ExitStatus| format!("its release command ended with {status}");
        if status.success() { Ok(()) } else { Err(why(status)) }
    }

    /// Waits until it answers, or says why it does not.
    pub fn answers(
        &mut self,
        sites: &Sites,
        app: &App,
        interrupt: &Interrupt,
    ) -> Result<(), String> {
        let started = Instant::now();
        while started.elapsed() < BOOT {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Err(format!("its process ended with {status}"));
            }
            if sites.ask(app).health.is_ok() {
                return Ok(());
            }
            if interrupt.is_asked() {
                return Err("it was stopped".to_owned());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(format!("its process was not healthy within {} s", BOOT.as_secs()))
    }

    /// Whether it runs.
    pub fn is_up(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Dyno {
    /// Sends SIGTERM, and kills it after the grace that Heroku gives.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let asked = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && asked.elapsed() < GRACE {
            thread::sleep(LOOK_AGAIN);
        }
        let _ = self.0.kill().and_then(|()| self.0.wait());
        let _ = self.1.take().map(JoinHandle::join);
    }
}
