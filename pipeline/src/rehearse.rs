//! `cargo pipeline rehearse`: the prompt of a rehearsal.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;

use crate::failure::{Failure, system};
use crate::platform::Platform;
use crate::promote::{Order, Outcome, promote};
use crate::rehearsal::Rehearsal;
use crate::site::Sites;
use crate::stage::Stage;
use crate::status::look;

const WELCOME: &str =
    "Unlike Heroku: no https, no domain, no add-ons; your own machine builds it, and runs it.
Heroku stops the old process at once; here it stays until the new one is healthy.";

const HELP: &str = "  deploy                  Build the working tree, and release it on staging
  promote                 Release on production what staging runs
  status                  Show both side by side
  set STAGE NAME=VALUE    Set a config var of staging or production: a release, too
  unset STAGE NAME        Remove one
  rollback [STAGE] [vN]   Go back, by default to production's release before
  open [STAGE]            Open it in the browser, by default staging
  !COMMAND                Run a command of the shell, as !git status
  help, quit";

/// Rehearses with staging and production on these ports, until standard input ends. Exits with 1 if anything
/// was refused or failed.
pub fn rehearse(ports: [u16; 2]) -> Result<ExitCode, Failure> {
    let mut rehearsal = Rehearsal::new(ports)?;
    let lines = lines()?;
    let is_asked = io::stdin().is_terminal();
    println!("{WELCOME}\n{}", if is_asked { HELP } else { "" });
    let mut code = ExitCode::SUCCESS;
    loop {
        print!("> ");
        let _ = io::stdout().flush();
        let Some(line) = lines.recv().ok().flatten().filter(|line| line.trim() != "quit") else {
            return Ok(code);
        };
        if !is_asked {
            println!("{line}");
        }
        match obey(&mut rehearsal, line.trim()) {
            Ok(true) => continue,
            Ok(false) => {}
            Err(failure) => println!("{failure}."),
        }
        code = ExitCode::FAILURE;
    }
}

/// Lines; nothing when there are no more, or when someone wants us to stop.
fn lines() -> Result<Receiver<Option<String>>, Failure> {
    let (sender, lines) = mpsc::channel();
    let end = sender.clone();
    let handler = ctrlc::set_handler(move || drop(end.send(None)));
    handler.map_err(|error| system("no signals")(io::Error::other(error)))?;
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).for_each(|line| drop(sender.send(Some(line))));
        sender.send(None)
    });
    Ok(lines)
}

/// Does what a line says. False where it was refused.
fn obey(rehearsal: &mut Rehearsal, line: &str) -> Result<bool, Failure> {
    if let Some(command) = line.strip_prefix('!') {
        // Our own input is not its input: the next line is for us.
        let ran = Command::new("bash").args(["-c", command]).stdin(Stdio::null()).status();
        return ran.map(|status| status.success()).map_err(system("bash"));
    }
    let words = shlex::split(line).unwrap_or_else(|| vec![line.to_owned()]);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let stage = |word| Stage::from_str(word, false).map_err(|_| unknown(word));
    match words[..] {
        [] => {}
        ["deploy"] => rehearsal.deploy()?,
        ["promote"] => {
            // There are no users to come to harm, and one dyno, on this machine.
            let order = Order { ask: false, pause: Duration::from_millis(100), ..Order::default() };
            return Ok(promote(rehearsal, &Sites::new(), &order)? == Outcome::Arrived);
        }
        ["status"] => println!("{}", look(rehearsal, &Sites::new())?.table()),
        ["set", of, assignment] => {
            let (name, value) = assignment.split_once('=').ok_or_else(|| unknown(assignment))?;
            rehearsal.set(stage(of)?, name, Some(value))?;
        }
        ["unset", of, name] => rehearsal.set(stage(of)?, name, None)?,
        ["rollback"] => rehearsal.back(Stage::Production, None)?,
        ["rollback", of] => rehearsal.back(stage(of)?, None)?,
        ["rollback", of, release] => rehearsal.back(stage(of)?, Some(release))?,
        ["open"] => return obey(rehearsal, "open staging"),
        ["open", of] => {
            open::that(rehearsal.app(stage(of)?)?.address).map_err(system("no browser"))?;
        }
        ["help"] => println!("{HELP}"),
        _ => return Err(unknown(line)),
    }
    Ok(true)
}

fn unknown(word: &str) -> Failure {
    Failure::InTheWay(format!("`{word}` says nothing here. Type: help"))
}
