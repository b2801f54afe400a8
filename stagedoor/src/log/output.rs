//! Standard output, written by a thread of its own: many lines in one write, and no request waits for
//! whoever reads them.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long lines are gathered. A write for each would cost more than all else that a request costs. After a longer time
/// there is more to write at once, for which requests wait that share a processor with this.
const GATHER: Duration = Duration::from_millis(8);

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

    /// One that nobody writes: for tests of what would be written.
    #[cfg(test)]
    pub fn gathering() -> Self {
        Self(Arc::default())
    }

    /// What has gathered.
    #[cfg(test)]
    pub fn gathered(&self) -> String {
        String::from_utf8(self.state().waiting.clone()).expect("lines are text")
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
        let mut output = unbuffered_stdout();
        let mut lines = Vec::new();
        loop {
            let has_nothing = lines.is_empty();
            let idle =
                |state: &mut State| has_nothing && state.waiting.is_empty() && !state.stopping;
            let state = self.0.changed.wait_while(self.state(), idle);
            let stopping = state.unwrap_or_else(PoisonError::into_inner).stopping;
            if !stopping || !has_nothing {
                thread::sleep(GATHER);
            }
            let mut state = self.state();
            if has_nothing {
                mem::swap(&mut lines, &mut state.waiting); // else more waits, up to its limit
            }
            let dropped = mem::take(&mut state.dropped);
            drop(state);

            let was_last = stopping && lines.is_empty();
            match write(&mut lines, &mut output) {
                Ok(()) if dropped > 0 => {
                    let message = "log lines were dropped: standard output did not take them";
                    tracing::warn!(dropped, "{message}");
                }
                Ok(()) if was_last => break,
                Ok(()) => {}
                // To say so now would be lost as well.
                Err(lost) => {
                    self.state().dropped += dropped + lost;
                    if stopping && lost > 0 {
                        break;
                    }
                }
            }
        }
        self.state().stopped = true;
        self.0.changed.notify_all();
    }
}

/// Writes these lines, and leaves what is still to be written: all of it where the output is only full for the
/// moment, as a pipe that must not be waited for; the rest of a line that was begun where it fails, as a full disk.
///
/// # Errors
/// How many lines are lost.
fn write(lines: &mut Vec<u8>, output: &mut impl Write) -> Result<(), u64> {
    let mut written = 0;
    let error = loop {
        match output.write(&lines[written..]) {
            Ok(_) if written == lines.len() => break None,
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break Some(error.kind()),
        }
    };
    let is_between_lines = written == 0 || lines[written - 1] == b'\n';
    lines.drain(..written);
    let kept = match error {
        None => return Ok(()),
        Some(ErrorKind::WouldBlock) => return Err(0),
        Some(ErrorKind::BrokenPipe) => 0, // nobody is left who saw its beginning
        Some(_) if is_between_lines => 0,
        Some(_) => lines.iter().position(|&b| b == b'\n').map_or(lines.len(), |end| end + 1),
    };
    let lost = lines[kept..].split(|&b| b == b'\n').count() - 1;
    lines.truncate(kept);
    Err(lost as u64)
}

/// Standard output without the buffer of `io::stdout`, which would not tell how much of a line was written.
#[cfg(unix)]
fn unbuffered_stdout() -> Box<dyn Write> {
    use std::os::fd::AsFd;
    let stdout = io::stdout();
    match stdout.as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(File::from(descriptor)),
        Err(_) => Box::new(stdout),
    }
}

#[cfg(not(unix))]
fn unbuffered_stdout() -> Box<dyn Write> {
    Box::new(io::stdout())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and then fails.
    struct Full(usize, ErrorKind, Vec<u8>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            if taken == 0 && !bytes.is_empty() {
                return Err(self.1.into());
            }
            self.0 -= taken;
            self.2.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_output_does_not_take_is_counted_and_no_half_line_is_left() {
        for (room, left, lost) in [(9, "", 0), (6, "", 1), (5, "\n", 1), (4, "b\n", 1), (0, "", 3)]
        {
            let mut output = Full(room, ErrorKind::StorageFull, Vec::new());
            let mut lines = b"aa\nbb\ncc\n".to_vec();
            let result = write(&mut lines, &mut output);
            assert_eq!(result, if room == 9 { Ok(()) } else { Err(lost) }, "{room}");
            assert_eq!(String::from_utf8(lines.clone()).unwrap(), left, "{room}");
            // Once there is room again, what was begun is ended.
            output.0 = 100;
            write(&mut lines, &mut output).unwrap();
            let written = String::from_utf8(output.2).unwrap();
            assert!(written.lines().all(|line| line.len() == 2), "{written}");
            assert_eq!(written.lines().count() as u64 + lost, 3, "{written}");
        }
    }

    #[test]
    fn what_an_output_does_not_take_at_the_moment_is_written_later() {
        let mut output = Full(4, ErrorKind::WouldBlock, Vec::new());
        let mut lines = b"aa\nbb\n".to_vec();
        assert_eq!(write(&mut lines, &mut output), Err(0));
        output.0 = 100;
        write(&mut lines, &mut output).unwrap();
        assert_eq!(output.2, b"aa\nbb\n");
    }
}
