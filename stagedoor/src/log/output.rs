//! Standard output, written by a thread of its own: many lines in one write, and no request waits for
//! whoever reads them.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long lines are gathered. A write for each would cost more than all else that a request costs.
const GATHER: Duration = Duration::from_millis(20);

/// How much may wait while nobody reads: some thousand lines. What comes after is dropped, and counted.
const MOST_WAITING: usize = 1024 * 1024;

/// How long the last lines may take on a stop. With the 25 s before them, that
/// stays below Heroku's 30.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Where lines go. Clones write to the same place.
#[derive(Clone)]
pub struct Output(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    dropped: u64,
    stopping: bool,
    stopped: bool,
}

impl Output {
    /// Starts the thread that writes.
    pub fn start() -> (Self, FlushOnDrop) {
        let output = Self(Arc::default());
        let writer = output.clone();
        thread::spawn(move || writer.write_until_stopped());
        (output.clone(), FlushOnDrop(output))
    }

    /// Hands over one line, its end included. Never waits for a reader.
    pub fn line(&self, line: &[u8]) {
        let mut state = self.state();
        if state.waiting.len() + line.len() > MOST_WAITING {
            state.dropped += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if was_empty {
            self.0.changed.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: takes what has gathered and writes it, until the last line is out.
    fn write_until_stopped(&self) {
        let mut taken = Vec::new();
        loop {
            let idle = |state: &mut State| state.waiting.is_empty() && !state.stopping;
            let state = self.0.changed.wait_while(self.state(), idle);
            let stopping = state.unwrap_or_else(PoisonError::into_inner).stopping;
            if !stopping {
                thread::sleep(GATHER);
            }
            let mut state = self.state();
            mem::swap(&mut taken, &mut state.waiting);
            let dropped = mem::take(&mut state.dropped);
            drop(state);

            // Nobody is left to tell when standard output is gone.
            let _ = io::stdout().write_all(&taken).and_then(|()| io::stdout().flush());
            if dropped > 0 {
                tracing::warn!(dropped, "log lines were dropped: standard output was not read");
            } else if taken.is_empty() {
                break;
            }
            taken.clear();
        }
        self.state().stopped = true;
        self.0.changed.notify_all();
    }
}

/// Sees to it that the last lines are written: keep it until the process ends.
#[must_use]
pub struct FlushOnDrop(Output);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        self.0.state().stopping = true;
        self.0.0.changed.notify_all();
        let Shared { changed, .. } = &*self.0.0;
        drop(changed.wait_timeout_while(self.0.state(), LAST_LINES, |state| !state.stopped));
    }
}

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Output {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
