//! What can fail, as the operator is told it: what is wrong, and what to type.

use thiserror::Error;

use crate::stage::Stage;

/// Why a command could not do its work.
#[derive(Debug, Error)]
pub enum Failure {
    /// A program that everything here needs is not installed.
    #[error("there is no command `{0}` on this machine. Install it: {1}")]
    NoCommand(String, &'static str),
    /// Older versions exit 0 when a promotion failed.
    #[error(
        "heroku {0} is too old: before 11.9.0 a failed promotion looked like a good one. Run: heroku update"
    )]
    TooOld(String),
    /// The command line has no valid token.
    #[error("the heroku command is not logged in. Run: heroku login")]
    NotLoggedIn,
    /// There is no clone around us.
    #[error("this is no clone of git's. Run this in a clone of your repository")]
    NoClone,
    /// No remote says which app a stage is.
    #[error(
        "no git remote `{remote}` says which app is {0}. Run: cargo pipeline setup NAME, or name it: --{0} APP",
        remote = .0.remote()
    )]
    NoRemote(Stage),
    /// Heroku has no such app, or not for this account.
    #[error("Heroku shows this account no app {0}. Run: cargo pipeline setup NAME")]
    NoApp(String),
    /// A command ended with an error. It has said why, or `why` does.
    #[error("`{command}` failed{}", if .why.is_empty() { String::new() } else { format!(": {why}") })]
    Command {
        /// The command, as it was shown.
        command: String,
        /// What it wrote to standard error, where nobody has seen that yet.
        why: String,
    },
    /// A program said something that we don't understand.
    #[error("`{command}` answered something else than expected: {why}")]
    Unexpected {
        /// The command, as it was shown.
        command: String,
        /// What is unexpected.
        why: String,
    },
    /// Something that is there stands in the way. We change nothing that is there.
    #[error("{0}")]
    InTheWay(String),
    /// There is nobody to ask.
    #[error(
        "nobody can be asked here. To promote without a question: cargo pipeline promote --yes"
    )]
    NobodyToAsk,
    /// A rehearsed release failed, so the one before still runs.
    #[error("{stage} v{number} failed: {why}. What ran before still runs")]
    Release {
        /// Whose.
        stage: Stage,
        /// Its number.
        number: usize,
        /// What went wrong.
        why: String,
    },
    /// The operating system refused.
    #[error("{0}: {1}")]
    System(String, std::io::Error),
}

/// Says what was tried when the operating system refused.
pub fn system(tried: impl Into<String>) -> impl FnOnce(std::io::Error) -> Failure {
    |error| Failure::System(tried.into(), error)
}
