//! What came of a command: for people, for programs, and for the record.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use humantime::format_rfc3339_seconds;
use serde::Serialize;

use crate::exit::State;
use crate::failure::{Failure, system};
use crate::promotion::{Promotion, Replaced};
use crate::running::Running;
use crate::screen::Screen;

/// The version of what `--json` prints and what the record has. A field that goes or changes its meaning makes it 2.
pub const SCHEMA: u8 = 1;

/// The record, in the folder of git's own that all worktrees share.
pub const RECORD: &str = "pipeline-promotions.jsonl";

/// What came of a command.
#[derive(Debug, Serialize)]
pub struct Outcome {
    schema: u8,
    /// `promote` or `rollback`.
    pub command: &'static str,
    /// How it ended.
    pub state: State,
    /// Why: a word for programs, where there is more to say than the state says.
    pub reason: Option<&'static str>,
    exit_code: u8,
    /// The same for people.
    pub message: String,
    /// What to type now.
    pub next: Vec<String>,
    /// What was to be promoted, and what was made of it.
    pub promotion: Option<Promotion>,
    /// What was to be brought back, and the release that this made.
    pub rollback: Option<Rollback>,
    /// What production answered in the end, where it was asked.
    pub serves: Option<Running>,
}

/// A rollback.
#[derive(Clone, Debug, Serialize)]
pub struct Rollback {
    /// Production's app.
    pub app: String,
    /// Who goes back.
    pub by: String,
    /// The release that goes away.
    pub from: crate::platform::Release,
    /// The one that is brought back.
    pub to: Replaced,
    /// The config vars that this changes, by name.
    pub config_vars: Option<crate::platform::Changes>,
    /// The release that it made; nothing until then.
    pub makes: Option<crate::platform::Release>,
}

impl Outcome {
    /// How it ended, and the same for people.
    pub fn new(
        command: &'static str,
        state: State,
        reason: Option<&'static str>,
        message: String,
    ) -> Self {
        Self {
            schema: SCHEMA,
            command,
            state,
            reason,
            exit_code: state.code(),
            message,
            next: Vec::new(),
            promotion: None,
            rollback: None,
            serves: None,
        }
    }

    /// It failed before anything was changed.
    pub fn failed(command: &'static str, failure: &Failure) -> Self {
        let message = format!("{failure}\nNothing was changed.");
        Self::new(command, State::Failed, Some(failure.reason()), message)
    }

    /// Whether production may have been changed: then it is recorded.
    pub fn is_past_the_point_of_no_return(&self) -> bool {
        matches!(self.state, State::Arrived | State::NotArrived | State::RolledBack)
    }

    /// Says before all else why it came to this.
    pub fn because(mut self, why: &str) -> Self {
        self.message = format!("{why}\n{}", self.message);
        self
    }

    /// Adds what to type.
    pub fn next(mut self, command: String) -> Self {
        self.next.push(command);
        self
    }

    /// Adds the promotion that it came of.
    pub fn of(mut self, promotion: &Promotion) -> Self {
        self.promotion = Some(promotion.clone());
        self
    }

    /// Tells people, and programs.
    pub fn tell(&self, screen: &Screen) {
        let next = self.next.iter().map(|command| format!("\n  {command}"));
        screen.conclude(&format!("{}{}", self.message, next.collect::<String>()));
        screen.answer(&self.json());
    }

    /// For programs: one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// Writes a line of the record.
    pub fn record(&self, file: &Path) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Line<'a> {
            at: String,
            #[serde(flatten)]
            outcome: &'a Outcome,
        }
        let at = format_rfc3339_seconds(SystemTime::now()).to_string();
        let line = serde_json::to_string(&Line { at, outcome: self }).expect("it is JSON") + "\n";
        let told = || format!("the record of this promotion, {}", file.display());
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(system(told()))?;
        }
        let file = OpenOptions::new().append(true).create(true).open(file);
        // By one call, so that two that write at once write two lines.
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(system(told()))
    }
}
