//! The command line: `serve`, which is the default, and `check`.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use callboard::settings::variables::Variables;
use callboard::{logs, release, server, settings};

const USAGE: &str = "\
Usage: callboard [COMMAND]

Commands:
  serve      Serve the page (the default)
  check      Say what every setting is, and whether the service starts with them:
             exit 0 if it does, 1 if not. Heroku runs it before each release.

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
        ["--help" | "-h"] => say(USAGE, ExitCode::SUCCESS),
        ["--version" | "-V"] => say(version(), ExitCode::SUCCESS),
        _ => {
            eprint!("callboard does not know `{}`.\n\n{USAGE}", words.join(" "));
            ExitCode::from(2)
        }
    }
}

fn serve() -> ExitCode {
    let (settings, report) = match settings::load(&Variables::of_this_process()) {
        Ok(loaded) => loaded,
        Err(report) => {
            eprint!("{}", report.refusal());
            return ExitCode::FAILURE;
        }
    };
    let _written = logs::start(&settings.log, settings.log_format);
    for notice in report.notices {
        tracing::warn!("{notice}");
    }
    // This thread only waits for signals: each worker has a runtime of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => {
            runtime.block_on(server::serve(&settings)).map_err(|error| error.to_string())
        }
        Err(error) => Err(format!("can't start a runtime: {error}")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("Callboard does not start: {why}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> ExitCode {
    match settings::load(&Variables::of_this_process()) {
        Ok((_, report)) => say(report, ExitCode::SUCCESS),
        Err(report) => say(report, ExitCode::FAILURE),
    }
}

fn version() -> String {
    let commit = release::baked_commit().map(|commit| format!(" ({commit})"));
    format!("callboard {}{}\n", env!("CARGO_PKG_VERSION"), commit.unwrap_or_default())
}

/// Prints to who may have stopped reading, as `head` does. That changes no exit code.
fn say(text: impl Display, code: ExitCode) -> ExitCode {
    let _ = write!(io::stdout(), "{text}");
    code
}
