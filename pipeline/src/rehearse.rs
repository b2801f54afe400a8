//! `cargo pipeline rehearse`: the prompt of a rehearsal. What is asked of production is asked in the same words as
//! outside, and done by the same code.

use std::io::{self, IsTerminal};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::exit::State;
use crate::failure::{Failure, system};
use crate::git::Repository;
use crate::interrupt::Interrupt;
use crate::options::{PromoteOptions, ReportOptions, RollbackOptions, StatusOptions};
use crate::outcome::Outcome;
use crate::platform::Platform;
use crate::promote::{Means, promote};
use crate::rehearsal::{Log, Rehearsal};
use crate::rollback::roll_back;
use crate::screen::Screen;
use crate::site::Sites;
use crate::stage::Stage;
use crate::stages::Stages;

/// There is one dyno, on this machine: a look costs nothing, and chance has no part in what it shows.
const PAUSE: Duration = Duration::from_millis(100);
const SOAK: Duration = Duration::from_secs(1);

const WELCOME: &str =
    "Unlike Heroku: no https, no domain, no add-ons; your own machine builds it, and runs it; nobody is asked.
Heroku stops the old process at once; here it stays until the new one is healthy.
Where a line says `heroku config:set NAME=VALUE --app rehearsal-staging`, type: set staging NAME=VALUE";

const HELP: &str = "  deploy                     Build the working tree, and release it on staging
  promote                    Release on production what staging runs
  status                     Show both side by side
  rollback [vN]              Go back, by default to production's release before
  releases [STAGE]           List the releases of production, or of staging
  set STAGE NAME=VALUE...    Set config vars of staging or production: a release, too
  unset STAGE NAME           Remove one
  open [STAGE]               Open it in the browser, by default staging
  !COMMAND                   Run a command of the shell, as !git status
  help, quit                 promote, status and rollback have --help, as they have outside";

/// A line of the prompt.
#[derive(Parser)]
#[command(name = "", no_binary_name = true, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the working tree, and release it on staging
    Deploy,
    /// Promote what staging runs, and watch until production runs it
    Promote(Box<PromoteOptions>),
    /// Show staging and production side by side
    Status(StatusOptions),
    /// Go back to a release of production's: its code, and its config vars
    Rollback(RollbackOptions),
    /// List releases
    Releases { stage: Option<Stage> },
    /// Set config vars
    Set {
        stage: Stage,
        #[arg(required = true, value_parser = assignment)]
        assignments: Vec<(String, Option<String>)>,
    },
    /// Remove a config var
    Unset { stage: Stage, name: String },
    /// Open an app in the browser
    Open { stage: Option<Stage> },
    /// Tell all of these
    Help,
}

/// `NAME=VALUE`.
fn assignment(text: &str) -> Result<(String, Option<String>), &'static str> {
    let (name, value) = text.split_once('=').ok_or("it has no `=`")?;
    Ok((name.to_owned(), Some(value.to_owned())))
}

/// A rehearsal, and who watches it.
struct Rehearsing {
    rehearsal: Rehearsal,
    repository: Repository,
    interrupt: Interrupt,
    sites: Sites,
}

/// Rehearses with staging and production on these ports, until standard input ends. Not `Ready` where anything was
/// refused or failed.
pub fn rehearse(ports: [u16; 2]) -> Result<State, Failure> {
    let repository = Repository::around()?;
    let log = Arc::new(Log::seen());
    let (sender, lines) = mpsc::channel();
    let end = sender.clone();
    let interrupt = Interrupt::note(move || drop(end.send(None)))?;
    let rehearsal = Rehearsal::new(ports, Arc::clone(&log), interrupt.clone())?;
    let rehearsing = Rehearsing { rehearsal, repository, interrupt, sites: Sites::new() };
    read_lines(sender);
    let is_asked = io::stdin().is_terminal();
    log.say(&format!("{WELCOME}\n{}", if is_asked { HELP } else { "" }));
    rehearsing.obey_all(&lines, &log, is_asked)
}

/// Lines; nothing when there are no more, or when someone wants us to stop.
fn read_lines(sender: Sender<Option<String>>) {
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).for_each(|line| drop(sender.send(Some(line))));
        sender.send(None)
    });
}

impl Rehearsing {
    fn obey_all(
        &self,
        lines: &Receiver<Option<String>>,
        log: &Log,
        is_asked: bool,
    ) -> Result<State, Failure> {
        let mut state = State::Ready;
        loop {
            log.ask();
            let line = lines.recv().ok().flatten().filter(|line| line.trim() != "quit");
            log.answered();
            let Some(line) = line.filter(|_| !self.interrupt.is_asked()) else { return Ok(state) };
            if !is_asked {
                log.say(&line);
            }
            match self.obey(line.trim()) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(failure) => log.say(&failure.to_string()),
            }
            state = State::Failed;
        }
    }

    /// Does what a line says. False where it was refused.
    fn obey(&self, line: &str) -> Result<bool, Failure> {
        if let Some(command) = line.strip_prefix('!') {
            // Our own input is not its input: the next line is for us.
            let mut bash = Process::new("bash");
            bash.args(["-c", command]).current_dir(self.repository.top()).stdin(Stdio::null());
            return bash.status().map(|status| status.success()).map_err(system("bash"));
        }
        if line.is_empty() {
            return Ok(true);
        }
        let unknown = || Failure::UnknownLine(line.to_owned());
        let words = shlex::split(line).ok_or_else(unknown)?;
        let command = match Line::try_parse_from(words) {
            Ok(line) => line.command,
            Err(help) if help.kind() == clap::error::ErrorKind::DisplayHelp => {
                Screen::new(false).say(&help.to_string());
                return Ok(true);
            }
            Err(_) => return Err(unknown()),
        };
        let rehearsal = &self.rehearsal;
        match command {
            Command::Deploy => rehearsal.deploy(&self.repository)?,
            Command::Promote(options) => {
                return self.tell(&options.report, |means| promote(means, &options));
            }
            Command::Rollback(options) => {
                return self.tell(&options.report, |means| roll_back(means, &options));
            }
            Command::Status(StatusOptions { json }) => {
                let stages = Stages::look(rehearsal, &self.sites, Some(&self.repository))?;
                let screen = Screen::new(json);
                if json { screen.answer(&stages.json()) } else { screen.say(&stages.table()) }
            }
            Command::Releases { stage } => {
                let stage = stage.unwrap_or(Stage::Production);
                Screen::new(false).say(&rehearsal.releases(stage));
            }
            Command::Set { stage, assignments } => {
                rehearsal.set(stage, assignments)?;
            }
            Command::Unset { stage, name } => rehearsal.set(stage, vec![(name, None)])?,
            Command::Open { stage } => {
                let app = rehearsal.app(stage.unwrap_or(Stage::Staging))?;
                open::that(app.address).map_err(system("no browser"))?;
            }
            Command::Help => Screen::new(false).say(HELP),
        }
        Ok(true)
    }

    /// What a command came to, as it is told outside. It is recorded where a file is named: the record of the clone
    /// is of Heroku's promotions alone.
    fn tell(
        &self,
        report: &ReportOptions,
        run: impl FnOnce(&Means<'_>) -> Result<Outcome, Failure>,
    ) -> Result<bool, Failure> {
        let screen = Screen::new(report.json);
        let means = Means {
            platform: &self.rehearsal,
            sites: &self.sites,
            repository: Some(&self.repository),
            screen: &screen,
            interrupt: &self.interrupt,
            pause: PAUSE,
            soak: SOAK,
            asks: false,
        };
        let outcome = run(&means)?;
        if let Some(file) = &report.record
            && outcome.is_past_the_point_of_no_return()
            && let Err(failure) = outcome.record(file)
        {
            screen.warn(&format!("Not recorded: {failure}"));
        }
        outcome.tell(&screen);
        Ok(outcome.state.code() == 0)
    }
}
