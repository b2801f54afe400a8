//! How a command can end: the one table of exit codes.

use std::process::ExitCode;

use serde::Serialize;

/// How a command ended. A program finds it in `--json`, a script in the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Production runs what was asked for.
    Arrived,
    /// Staging and production run the same build.
    InStep,
    /// All that was to be set up is there.
    Ready,
    /// A dry run: nothing stands in the way, and nothing was changed.
    DryRun,
    /// It could not be done, or not be told. Nothing was changed.
    Failed,
    /// It may not be done. Nothing was changed.
    Refused,
    /// Staging and production run other builds.
    NotInStep,
    /// Production may have been changed, and does not run what was asked for.
    NotArrived,
    /// It did not arrive, and what ran before runs again.
    RolledBack,
    /// Production runs it already.
    NothingToPromote,
    /// Something that was there is not as it should be. All else is set up, or would be by other than a dry run.
    LeftAsItIs,
    /// A step of `setup` failed, or Ctrl-C came between two: what was done stays.
    NotReady,
    /// Ctrl-C, before anything was changed.
    Interrupted,
}

/// Code by code, what each means. `docs/heroku.md` has the same; a test holds them together.
pub const TABLE: [(u8, &str); 10] = [
    (0, "yes: production runs what was asked for; both are in step; all is set up"),
    (1, "it could not be done, or nobody can tell; nothing was changed"),
    (2, "a wrong command line"),
    (3, "no: refused, and nothing was changed; or the stages are not in step"),
    (4, "production may have been changed, and does not run what was asked for"),
    (5, "it did not arrive, and what ran before runs again"),
    (6, "there is nothing to promote"),
    (7, "something that was there is not as it should be, and was left as it is"),
    (8, "not all is set up: what was done stays, and the same command does the rest"),
    (130, "Ctrl-C, before anything was changed"),
];

impl State {
    /// The exit code: 2 is clap's.
    pub fn code(self) -> u8 {
        match self {
            Self::Arrived | Self::InStep | Self::Ready | Self::DryRun => 0,
            Self::Failed => 1,
            Self::Refused | Self::NotInStep => 3,
            Self::NotArrived => 4,
            Self::RolledBack => 5,
            Self::NothingToPromote => 6,
            Self::LeftAsItIs => 7,
            Self::NotReady => 8,
            Self::Interrupted => 130, // as a shell has it: 128 and the number of the signal
        }
    }
}

impl From<State> for ExitCode {
    fn from(state: State) -> Self {
        state.code().into()
    }
}

/// The table, for `--help`.
pub fn table() -> String {
    let lines = TABLE.map(|(code, meaning)| format!("\n  {code:<4} {meaning}"));
    format!("Exit codes:{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_same_table() {
        let document = include_str!("../../docs/heroku.md");
        let rows = TABLE.map(|(code, meaning)| format!("| {code} | {meaning} |\n"));
        assert!(document.contains(&rows.concat()), "{}", rows.concat());
    }
}
