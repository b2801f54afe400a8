//! `cargo pipeline`: sets up, shows, promotes and rehearses the pipeline of this repository.
//!
//! | question | file |
//! |---|---|
//! | What can be typed? | [`options`] |
//! | How does it end? | [`exit`], the one table of exit codes; [`outcome`]: for people, programs and the record |
//! | How is it set up? | [`setup`] |
//! | How do both stages stand? | [`mod@status`], of what [`stages`] has seen, each [`stage`] in its app |
//! | What is a promotion? | [`promotion`], a value: from which release, to which |
//! | How is it promoted? | [`mod@promote`]: `promote/before.rs` looks, shows, asks and looks again; behind the point of no return `promote/after.rs` has outcomes alone |
//! | How does it go back? | [`rollback`] |
//! | Are the stages in step? May it be promoted? Has it arrived? | [`judgement`]; [`watch`] waits for it |
//! | What was made, where no answer told? | [`change`] |
//! | Where do releases live? | [`platform`]: [`heroku`], by its [`api`]; or a `rehearsal` on this machine, whose prompt is `rehearse` |
//! | What is a rehearsal made of? | `rehearsal/slug.rs`: from the working tree to what a dyno gets; `rehearsal/dyno.rs`, `rehearsal/router.rs`, `rehearsal/log.rs` |
//! | Who is asked? | an app: [`site`], which says what is [`running`], by [`http`]; the clone: [`git`]; any other program: [`typed`] |
//! | Who is told what? | [`screen`]; [`failure`]: what can fail, and what to type; [`interrupt`] hears Ctrl-C |
//! | What can nobody guess? | [`random`] digits |

// They panic where nobody reads any more.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod api;
mod change;
mod exit;
mod failure;
mod git;
mod heroku;
mod http;
mod interrupt;
mod judgement;
mod options;
mod outcome;
mod platform;
mod promote;
mod promotion;
mod random;
#[cfg(unix)]
mod rehearsal;
#[cfg(unix)]
mod rehearse;
mod rollback;
mod running;
mod screen;
mod setup;
mod site;
mod stage;
mod stages;
mod status;
mod typed;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use exit::State;
use failure::Failure;
use git::Repository;
use heroku::Heroku;
use interrupt::Interrupt;
use options::{Apps, Command, CommandLine, PromoteOptions, ReportOptions, RollbackOptions};
use outcome::{Outcome, RECORD};
use platform::Platform;
use promote::{Means, promote};
use rollback::roll_back;
use screen::Screen;
use site::Sites;
use stages::Stages;

/// Between two looks: soon enough for people, and not often enough to be a load.
const PAUSE: Duration = Duration::from_secs(1);

/// With one of two dynos ill, chance lets that through once in a thousand million times.
const SOAK: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match CommandLine::parse().command {
        Command::Setup(options) => {
            let screen = Screen::new(false);
            setup::set_up(&options, &screen).unwrap_or_else(|failure| failed(&screen, &failure))
        }
        Command::Status { apps, options } => status(&apps, options.json),
        Command::Promote { apps, options } => promote_on_heroku(&apps, &options),
        Command::Rollback { apps, options } => roll_back_on_heroku(&apps, &options),
        #[cfg(unix)]
        Command::Rehearse { staging, production } => {
            let screen = Screen::new(false);
            rehearse::rehearse([staging, production])
                .unwrap_or_else(|failure| failed(&screen, &failure))
        }
    }
    .into()
}

fn failed(screen: &Screen, failure: &Failure) -> State {
    screen.warn(&format!("cargo pipeline: {failure}"));
    State::Failed
}

fn status(apps: &Apps, json: bool) -> State {
    let screen = Screen::new(json);
    let look = || {
        let repository = around()?;
        let heroku = Heroku::of(apps, repository.as_ref())?;
        Stages::look(&heroku, &Sites::new(), repository.as_ref())
    };
    match look() {
        Ok(stages) => {
            if json {
                screen.answer(&stages.json());
            } else {
                screen.say(&stages.table());
            }
            stages.state()
        }
        Err(failure) => {
            screen.answer(&status::failed(&failure));
            failed(&screen, &failure)
        }
    }
}

fn promote_on_heroku(apps: &Apps, options: &PromoteOptions) -> State {
    on_heroku("promote", &options.report, |session| {
        let heroku = Heroku::of(apps, session.repository.as_ref())?;
        promote(&session.means(&heroku), options)
    })
}

fn roll_back_on_heroku(apps: &Apps, options: &RollbackOptions) -> State {
    on_heroku("rollback", &options.report, |session| {
        let heroku = Heroku::production_of(apps, session.repository.as_ref())?;
        roll_back(&session.means(&heroku), options)
    })
}

/// What a command that changes something works with.
struct Session {
    screen: Screen,
    interrupt: Interrupt,
    sites: Sites,
    repository: Option<Repository>,
}

impl Session {
    fn means<'a>(&'a self, platform: &'a dyn Platform) -> Means<'a> {
        let Self { screen, interrupt, sites, repository } = self;
        let repository = repository.as_ref();
        Means {
            platform,
            sites,
            repository,
            screen,
            interrupt,
            pause: PAUSE,
            soak: SOAK,
            asks: true,
        }
    }
}

/// Runs a command that changes something, tells its outcome, and writes the record.
fn on_heroku(
    command: &'static str,
    report: &ReportOptions,
    run: impl FnOnce(&Session) -> Result<Outcome, Failure>,
) -> State {
    let json = report.json;
    let unchanged = move || {
        let message = "Stopped. Nothing was changed.".to_owned();
        let outcome = Outcome::new(command, State::Interrupted, Some("interrupted"), message);
        outcome.tell(&Screen::new(json));
    };
    let session = Interrupt::listen(unchanged).and_then(|interrupt| {
        let repository = around()?;
        Ok(Session { screen: Screen::new(json), interrupt, sites: Sites::new(), repository })
    });
    let session = match session {
        Ok(session) => session,
        Err(failure) => {
            Outcome::failed(command, &failure).tell(&Screen::new(json));
            return State::Failed;
        }
    };
    let outcome = run(&session).unwrap_or_else(|failure| Outcome::failed(command, &failure));
    if outcome.is_past_the_point_of_no_return() {
        record(&outcome, report, session.repository.as_ref(), &session.screen);
    }
    outcome.tell(&session.screen);
    outcome.state
}

/// Where it can't be written, that changes nothing about the outcome.
fn record(
    outcome: &Outcome,
    report: &ReportOptions,
    repository: Option<&Repository>,
    screen: &Screen,
) {
    let file = match (&report.record, repository) {
        (Some(file), _) => Ok(file.clone()),
        (None, Some(clone)) => clone.private(RECORD),
        (None, None) => return,
    };
    if let Err(failure) = file.and_then(|file| outcome.record(&file)) {
        screen.warn(&format!("Not recorded: {failure}"));
    }
}

/// The clone around us. None where there is none: apps can be named, and a rollback needs no clone.
fn around() -> Result<Option<Repository>, Failure> {
    match Repository::around() {
        Ok(clone) => Ok(Some(clone)),
        Err(Failure::NoClone | Failure::NoProgram("git", _)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
