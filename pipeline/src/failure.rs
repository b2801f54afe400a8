//! Why something could not be done, as the operator is told it: what is wrong, and what to type.

use thiserror::Error;

use crate::stage::Stage;

/// Why a command could not do its work.
#[derive(Debug, Error)]
pub enum Failure {
    /// A program that is needed is not installed.
    #[error("there is no command `{0}` on this machine. Install it: {1}")]
    NoProgram(&'static str, &'static str),
    /// Older versions exit 0 when a promotion by hand failed (heroku/cli#3835).
    #[error(
        "heroku {0} is too old: before 11.9.0 a failed promotion looked like a good one. Run: heroku update"
    )]
    TooOld(String),
    /// There is no valid token.
    #[error("you are not logged in to Heroku. Run: heroku login")]
    NotLoggedIn,
    /// The token of the environment is not valid: while it is set, the heroku command does not log in either.
    #[error("HEROKU_API_KEY is not valid. Run: unset HEROKU_API_KEY, or make a new one")]
    WrongKey,
    /// The token would travel in the clear.
    #[error(
        "HEROKU_HOST is `{0}`, which is neither https nor on this machine. Run: unset HEROKU_HOST"
    )]
    OpenHost(String),
    /// There is no clone around us.
    #[error("this is not in a git repository. Run it in a clone of yours")]
    NoClone,
    /// There is no commit to build, or to push.
    #[error("this repository has no commit yet. Run: git add --all && git commit")]
    NoCommit,
    /// No remote says which app a stage is.
    #[error(
        "no git remote `{remote}` says which app is {0}. Run: cargo pipeline setup NAME, or name it: {option} APP",
        remote = .0.remote(),
        option = .0.option()
    )]
    NoRemote(Stage),
    /// A remote's address has no app in it.
    #[error("the git remote `{0}` leads to `{1}`, which names no app of Heroku's")]
    OddRemote(&'static str, String),
    /// Heroku has no such app, or not for this account.
    #[error("there is no app {0} for this account. Look: heroku apps --all")]
    NoApp(String),
    /// The release that was asked for is not in the app's list.
    #[error("{app} has no release {version} to go back to. Look: {look}")]
    NoRelease {
        /// Whose.
        app: String,
        /// As it was asked for.
        version: String,
        /// What to type.
        look: String,
    },
    /// Heroku can't be reached, or does not answer.
    #[error("{0} does not answer: {1}")]
    Unreachable(String, String),
    /// This account asked too often: 4,500 requests an hour are allowed.
    #[error(
        "Heroku takes no more requests from this account for now. Wait a minute, and try again"
    )]
    TooManyRequests,
    /// Heroku took a promotion, and made no release of it.
    #[error("Heroku did not promote it: {0}")]
    NotPromoted(String),
    /// Heroku answered that it can't.
    #[error("Heroku answers {status}: {message}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// Heroku's words.
        message: String,
    },
    /// A program or an API said something that we don't understand.
    #[error("{from} answered something else than expected: {why}")]
    Unexpected {
        /// Who.
        from: String,
        /// What is unexpected.
        why: String,
    },
    /// A command ended with an error. It has said why, or `why` does.
    #[error("`{command}` failed{}", if .why.is_empty() { String::new() } else { format!(": {why}") })]
    Command {
        /// The command, as it was shown.
        command: String,
        /// What it wrote to standard error, where nobody has seen that yet.
        why: String,
    },
    /// `setup` was asked for a name that Heroku does not take.
    #[error(
        "`{0}` can't be the name of an app with a staging: 3 to {longest} lower-case letters, digits and dashes, \
         a letter first. As in: cargo pipeline setup myapp",
        longest = crate::setup::LONGEST_NAME
    )]
    BadName(String),
    /// `app.json` does not say what `setup` needs.
    #[error("app.json lacks the stack or the buildpacks: {0}")]
    BadAppJson(String),
    /// A process of a rehearsal did not do its work, so the release before still runs.
    #[error("{0}. What ran before still runs")]
    Rehearsed(String),
    /// A line of a rehearsal that is no command.
    #[error("`{0}` says nothing here. Type: help")]
    UnknownLine(String),
    /// Ctrl-C in a rehearsal, or between two steps of `setup`.
    #[error("stopped")]
    Stopped,
    /// The operating system refused.
    #[error("{0}: {1}")]
    System(String, std::io::Error),
}

impl Failure {
    /// Its kind, for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoProgram(..) => "no-program",
            Self::TooOld(_) => "too-old",
            Self::NotLoggedIn => "not-logged-in",
            Self::WrongKey => "wrong-key",
            Self::OpenHost(_) => "open-host",
            Self::NoClone => "no-clone",
            Self::NoCommit => "no-commit",
            Self::NoRemote(_) => "no-remote",
            Self::OddRemote(..) => "odd-remote",
            Self::NoApp(_) => "no-app",
            Self::NoRelease { .. } => "no-release",
            Self::Unreachable(..) => "unreachable",
            Self::TooManyRequests => "too-many-requests",
            Self::NotPromoted(_) => "not-promoted",
            Self::Answered { .. } => "answered",
            Self::Unexpected { .. } => "unexpected",
            Self::Command { .. } => "command",
            Self::BadName(_) => "bad-name",
            Self::BadAppJson(_) => "bad-app-json",
            Self::Rehearsed(_) => "rehearsed",
            Self::UnknownLine(_) => "unknown-line",
            Self::Stopped => "stopped",
            Self::System(..) => "system",
        }
    }
}

/// Says what was tried when the operating system refused.
pub fn system(tried: impl Into<String>) -> impl FnOnce(std::io::Error) -> Failure {
    |error| Failure::System(tried.into(), error)
}
