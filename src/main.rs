//! The command line: `serve`, which is the default, and `check`.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use callboard::settings::report::Report;
use callboard::settings::variables::Variables;
use callboard::settings::{self, Settings};
use callboard::{logs, release, server};

const USAGE: &str = "\
Usage: callboard [COMMAND]

Commands:
  serve      Serve the page (the default)
  check      Print every setting, and whether the service would start with them:
             exit 0 if it would, 1 if not. Heroku runs it before each release.

Options:
  --help     Show this
  --version  Show the version and the commit of this build

Settings are environment variables, or lines of .env; README.md has the table.
";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(|word| word.to_str().unwrap_or("?")).collect();
    match words[..] {
        [] | ["serve"] => serve(),
        ["check"] => check(),
        ["--help" | "-h"] => say(io::stdout(), USAGE, ExitCode::SUCCESS),
        ["--version" | "-V"] => say(io::stdout(), version(), ExitCode::SUCCESS),
        _ => {
            let error = format!("callboard does not know `{}`.\n\n{USAGE}", words.join(" "));
            say(io::stderr(), error, ExitCode::from(2))
        }
    }
}

fn serve() -> ExitCode {
    let (settings, report) = match load() {
        Ok(loaded) => loaded,
        Err(report) => return say(io::stderr(), report.refusal(), ExitCode::FAILURE),
    };
    let _flush = logs::start(&settings.log, settings.log_format);
    for notice in report.notices {
        tracing::warn!("{notice}");
    }
    // This thread only waits for signals: each worker has a runtime of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the system has room for one more event queue");
    match runtime.block_on(server::serve(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(io::stderr(), format!("callboard: {error}\n"), ExitCode::FAILURE),
    }
}

fn check() -> ExitCode {
    match load() {
        Ok((_, report)) => say(io::stdout(), report, ExitCode::SUCCESS),
        Err(report) => say(io::stdout(), report, ExitCode::FAILURE),
    }
}

fn load() -> Result<(Settings, Report), Report> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    settings::load(&Variables::of_this_process(), processors)
}

fn version() -> String {
    let commit = release::baked_commit().map(|commit| format!(" ({commit})"));
    format!("callboard {}{}\n", env!("CARGO_PKG_VERSION"), commit.unwrap_or_default())
}

/// Prints to someone who may have stopped reading, as `head` does. That changes no exit code.
fn say(mut to: impl Write, text: impl Display, code: ExitCode) -> ExitCode {
    let _ = write!(to, "{text}");
    code
}
