//! Ctrl-C: before anything is changed it ends the command at once; after that it ends the watch, in good order.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::iterator::Signals;

use crate::exit::State;
use crate::failure::Failure;
#[cfg(unix)]
use crate::failure::system;

/// How often a pause looks whether it was asked to end: soon enough for whoever presses the keys.
const NOTICE: Duration = Duration::from_millis(50);

/// Whether someone wants this command to end.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Held while we decide whether to end at once, and while we pass the point of no return: not both.
    is_past: Mutex<bool>,
    is_asked: AtomicBool,
}

impl Interrupt {
    /// Listens from now on. Until the point of no return Ctrl-C says this, and ends the process.
    pub fn listen(unchanged: impl Fn() + Send + 'static) -> Result<Self, Failure> {
        let interrupt = Self::default();
        let ours = interrupt.clone();
        ours.handle(move |inner| {
            let is_past = inner.is_past.lock().unwrap_or_else(PoisonError::into_inner);
            if !*is_past {
                unchanged();
                process::exit(State::Interrupted.code().into());
            }
            if inner.is_asked.swap(true, Ordering::Relaxed) {
                let _ = writeln!(
                    io::stderr(),
                    "Stopped without a last look. To see what production runs: cargo pipeline status"
                );
                process::exit(State::NotArrived.code().into());
            }
        })?;
        Ok(interrupt)
    }

    /// Listens from now on, never ends the process, and calls this, too.
    pub fn note(noted: impl Fn() + Send + 'static) -> Result<Self, Failure> {
        let interrupt = Self::default();
        let ours = interrupt.clone();
        ours.handle(move |inner| {
            inner.is_asked.store(true, Ordering::Relaxed);
            noted();
        })?;
        Ok(interrupt)
    }

    /// Does this at each Ctrl-C; at SIGTERM and when the terminal is closed, too.
    #[cfg(unix)]
    fn handle(self, act: impl Fn(&Inner) + Send + 'static) -> Result<(), Failure> {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]);
        let mut signals = signals.map_err(system("signals can't be heard"))?;
        thread::spawn(move || signals.forever().for_each(|_| act(&self.0)));
        Ok(())
    }

    /// Elsewhere Ctrl-C ends the process at once.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "on a Unix it can fail")]
    fn handle(self, _act: impl Fn(&Inner) + Send + 'static) -> Result<(), Failure> {
        Ok(())
    }

    /// From now on Ctrl-C ends the watch alone, and something is said of what was done.
    pub fn past_the_point_of_no_return(&self) {
        *self.0.is_past.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Whether it was pressed.
    pub fn is_asked(&self) -> bool {
        self.0.is_asked.load(Ordering::Relaxed)
    }

    /// Sleeps, until then at the latest.
    pub fn pause(&self, pause: Duration) {
        let started = Instant::now();
        while !self.is_asked() && started.elapsed() < pause {
            thread::sleep(NOTICE.min(pause.saturating_sub(started.elapsed())));
        }
    }
}
