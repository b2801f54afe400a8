//! The command line: what can be typed, and what each option means. A rehearsal's prompt takes the same.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::exit;
use crate::judgement::Expected;
use crate::watch::Patience;

/// With preboot the old dynos answer for three minutes more, and a new one may take one to start (R10): five.
const WITHIN: u64 = 300;

/// Sets up, shows, promotes and rehearses the pipeline of this repository.
///
/// What production runs is what was reviewed on staging: it speaks Heroku's API, with the host and the login of the
/// `heroku` command, and names the very release that it promotes.
#[derive(Parser)]
#[command(name = "cargo pipeline", bin_name = "cargo pipeline", version, after_help = exit::table())]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Subcommand)]
pub enum Command {
    /// Make NAME-staging, NAME and the pipeline with both. Can be run again: it does what is missing
    #[command(after_help = "Examples:
  cargo pipeline setup myapp --dry-run
  cargo pipeline setup myapp --region eu --team mytheatre")]
    Setup(SetupOptions),
    /// Show staging and production side by side
    #[command(after_help = "Examples:
  cargo pipeline status
  cargo pipeline status --staging myapp-staging --to myapp-eu --json")]
    Status {
        #[command(flatten)]
        apps: Apps,
        #[command(flatten)]
        options: StatusOptions,
    },
    /// Promote what staging runs, and watch until production runs it
    #[command(after_help = format!("Examples:
  cargo pipeline promote
  cargo pipeline promote --yes --rollback
  cargo pipeline promote --yes --expect \"$(git rev-parse HEAD)\" --json

{}", exit::table()))]
    Promote {
        #[command(flatten)]
        apps: Apps,
        #[command(flatten)]
        options: PromoteOptions,
    },
    /// Go back to a release of production's: its code, and its config vars
    #[command(after_help = format!("Examples:
  cargo pipeline rollback
  cargo pipeline rollback v41 --yes

{}", exit::table()))]
    Rollback {
        #[command(flatten)]
        apps: Apps,
        #[command(flatten)]
        options: RollbackOptions,
    },
    /// Play the whole pipeline on this machine, without an account
    ///
    /// Reads commands from the terminal, or from standard input: `help` tells which.
    #[cfg(unix)]
    Rehearse {
        /// The port of the rehearsed staging
        #[arg(long, value_name = "PORT", default_value_t = 8001)]
        staging: u16,
        /// The port of the rehearsed production
        #[arg(long, value_name = "PORT", default_value_t = 8002)]
        production: u16,
    },
}

/// Which apps are meant.
#[derive(Args)]
pub struct Apps {
    /// The staging app; else the one that the git remote `staging` leads to
    #[arg(long, value_name = "APP")]
    pub staging: Option<String>,
    /// The production app; else the one that the git remote `prod` leads to
    #[arg(long = "to", visible_alias = "production", value_name = "APP")]
    pub production: Option<String>,
}

/// Of `setup`.
#[derive(Args)]
pub struct SetupOptions {
    /// The name of production and of the pipeline
    pub name: String,
    /// The region of the apps, as `eu`
    #[arg(long)]
    pub region: Option<String>,
    /// The team that is to own them
    #[arg(long)]
    pub team: Option<String>,
    /// Do not ask before an app or a pipeline is adopted that is there already
    #[arg(long)]
    pub yes: bool,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Of `status`.
#[derive(Args)]
pub struct StatusOptions {
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// Of `promote`.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct PromoteOptions {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Promote nothing but this commit, or this build, as `sha256:0123456789abcdef`
    #[arg(long, value_name = "COMMIT|DIGEST")]
    pub expect: Option<Expected>,
    /// Agree that commits which production has and staging lacks go away
    #[arg(long)]
    pub backwards: bool,
    /// Go back to the release before when the build does not arrive
    #[arg(long)]
    pub rollback: bool,
    #[command(flatten)]
    pub watch: WatchOptions,
    #[command(flatten)]
    pub report: ReportOptions,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Of `rollback`.
#[derive(Args)]
pub struct RollbackOptions {
    /// The release, as `v41`; else the one before
    pub release: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub watch: WatchOptions,
    #[command(flatten)]
    pub report: ReportOptions,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How long to watch.
#[derive(Args)]
pub struct WatchOptions {
    /// How long it may take until all of it runs and answers, in seconds: with preboot the old dynos answer for three
    /// minutes more, and a dyno may take one to start
    #[arg(long, value_name = "SECONDS", default_value_t = WITHIN, value_parser = clap::value_parser!(u64).range(10..=86400))]
    pub within: u64,
    /// How long every answer has to be good from then on before it has arrived, in seconds; by default 30
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=86400))]
    pub soak: Option<u64>,
}

/// Where the outcome goes.
#[derive(Args)]
pub struct ReportOptions {
    /// For programs: the outcome as JSON on standard output, all else on standard error
    #[arg(long)]
    pub json: bool,
    /// The file that gets a line of JSON; else pipeline-promotions.jsonl in .git, or none in a rehearsal
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

impl WatchOptions {
    /// How long to watch, where every look of so long has to be good unless an option says otherwise.
    pub fn patience(&self, usual_soak: Duration) -> Patience {
        let soak = self.soak.map_or(usual_soak, Duration::from_secs);
        Patience { soak, within: Duration::from_secs(self.within) + soak }
    }
}
