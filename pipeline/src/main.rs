//! `cargo pipeline`: sets up, shows, promotes and rehearses the pipeline of this repository.
//!
//! | question | file |
//! |---|---|
//! | Are the stages in step, may staging be promoted, has it arrived? | [`judgement`] |
//! | What does each command do? | [`setup`], [`status`], [`mod@promote`], [`rehearse`] |
//! | Where do releases live? | [`platform`]: [`heroku`], or a [`rehearsal`]; each [`stage`] has an app |
//! | Who is asked? | [`site`] an app, which answers its [`mod@release`], [`git`] the clone, [`command`] any other program |
//! | What can go wrong? | [`failure`] |

mod command;
mod failure;
mod git;
mod heroku;
mod judgement;
mod platform;
mod promote;
mod rehearsal;
mod rehearse;
mod release;
mod setup;
mod site;
mod stage;
mod status;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use failure::Failure;
use heroku::Heroku;
use promote::{Order, promote};
use setup::Setup;
use site::Sites;
use status::look;

/// Sets up, shows, promotes and rehearses the pipeline of this repository.
///
/// It drives the heroku and git commands that you have, and shows each before it runs.
#[derive(Parser)]
#[command(name = "cargo pipeline", bin_name = "cargo pipeline")]
struct CommandLine {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make NAME-staging, NAME and the pipeline with both. Can be run again: it does what is missing
    Setup {
        /// The name of production and of the pipeline
        name: String,
        /// The region of the apps, as `eu`
        #[arg(long)]
        region: Option<String>,
        /// The team that is to own them
        #[arg(long)]
        team: Option<String>,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show staging and production side by side
    ///
    /// Exits with 0 when production runs what staging runs, 3 when not, 1 when nobody can tell, or one is not healthy.
    Status {
        #[command(flatten)]
        apps: Apps,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Promote what staging runs, and watch until production runs it
    ///
    /// Exits with 0 when production runs it; 3 when it was refused, and nothing was changed; 4 when it did not
    /// arrive; 5 when it did not arrive and was rolled back; 1 on any other failure.
    Promote {
        #[command(flatten)]
        apps: Apps,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Go back to the release before when the build does not arrive
        #[arg(long)]
        rollback: bool,
        /// How long the build may take to arrive, in seconds: with preboot the old dynos answer for three
        /// minutes more, and a dyno may take one to start
        #[arg(long, value_name = "SECONDS", default_value_t = promote::LIMIT.as_secs(),
            value_parser = clap::value_parser!(u64).range(promote::SHORTEST..))]
        within: u64,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Play the whole pipeline on this machine, without an account
    ///
    /// Reads commands from the terminal, or from standard input: `help` tells which.
    Rehearse {
        /// The port of the rehearsed staging
        #[arg(long, value_name = "PORT", default_value_t = 8001)]
        staging: u16,
        /// The port of the rehearsed production
        #[arg(long, value_name = "PORT", default_value_t = 8002)]
        production: u16,
    },
}

#[derive(Args)]
struct Apps {
    /// The staging app; else the one that the git remote `staging` leads to
    #[arg(long, value_name = "APP")]
    staging: Option<String>,
    /// The production app; else the one that the git remote `prod` leads to
    #[arg(long, value_name = "APP")]
    production: Option<String>,
}

fn main() -> ExitCode {
    let ran = run(CommandLine::parse().command);
    ran.unwrap_or_else(|failure| {
        eprintln!("cargo pipeline: {failure}");
        ExitCode::FAILURE
    })
}

fn run(verb: Verb) -> Result<ExitCode, Failure> {
    git::go_to_the_top()?;
    match verb {
        Verb::Setup { name, region, team, dry_run } => {
            Setup { name, dry_run, region, team }.run()?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Status { apps, json } => {
            heroku::ready()?;
            let heroku = Heroku::of(apps.staging, apps.production, true)?;
            let both = look(&heroku, &Sites::new())?;
            println!("{}", if json { both.json() } else { both.table() });
            Ok(both.exit_code().into())
        }
        Verb::Promote { apps, yes, rollback, within, dry_run } => {
            heroku::ready()?;
            let mut heroku = Heroku::of(apps.staging, apps.production, dry_run)?;
            let order = Order {
                ask: !yes,
                dry_run,
                roll_back: rollback,
                limit: Duration::from_secs(within),
                ..Order::default()
            };
            Ok(promote(&mut heroku, &Sites::new(), &order)?.exit_code().into())
        }
        Verb::Rehearse { staging, production } => rehearse::rehearse([staging, production]),
    }
}
