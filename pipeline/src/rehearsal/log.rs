//! What a rehearsal's processes write: to be seen, without burying the prompt; or kept until someone asks.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// What is asked for at the prompt.
const PROMPT: &str = "> ";

/// Goes to the beginning of the line, and clears it.
const CLEAR: &str = "\r\u{1b}[K";

/// A log.
pub struct Log {
    state: Mutex<State>,
    is_seen: bool,
    is_terminal: bool,
}

#[derive(Default)]
struct State {
    kept: Vec<String>,
    /// Whether the prompt stands there, and someone may be typing.
    is_asking: bool,
}

impl Log {
    /// One that is seen.
    pub fn seen() -> Self {
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        Self { state: Mutex::default(), is_seen: true, is_terminal }
    }

    /// One that is kept.
    pub fn kept() -> Self {
        Self { state: Mutex::default(), is_seen: false, is_terminal: false }
    }

    /// A line: above the prompt or the progress, where that stands. Whoever reads may have gone away.
    pub fn say(&self, line: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_seen {
            state.kept.push(line.to_owned());
        } else if self.is_terminal {
            let prompt = if state.is_asking { PROMPT } else { "" };
            let _ = write!(io::stdout(), "{CLEAR}{line}\n{prompt}");
        } else {
            let _ = writeln!(io::stdout(), "{line}");
        }
        let _ = io::stdout().flush();
    }

    /// Shows the prompt.
    pub fn ask(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_asking = true;
        let _ = write!(io::stdout(), "{PROMPT}");
        let _ = io::stdout().flush();
    }

    /// Somebody has answered.
    pub fn answered(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_asking = false;
    }

    /// What was kept.
    pub fn lines(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).kept.clone()
    }
}
