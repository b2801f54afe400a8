//! Panics: caught where a request is answered, and told in a line of the log.
//!
//! The hook knows where a panic was, and who catches it knows the request. So the hook leaves what it knows for who
//! catches, and logs by itself only what nobody here will catch.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::thread;

use futures_util::FutureExt;

use crate::log;

thread_local! {
    static WATCH: Cell<Watch> = const { Cell::new(Watch::Off) };
    /// The last panic that the hook left here.
    static LEFT: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Whether what this thread runs is inside of [`catch`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    Off,
    On,
    /// On, and the hook has left a panic.
    Seen,
}

/// What is known of a panic. Without our hook that is its text alone.
#[derive(Debug, Default)]
pub struct Panic {
    /// What it says, where it says anything.
    pub text: Option<String>,
    /// The place in the code.
    pub location: Option<String>,
    /// Where `RUST_BACKTRACE` asks for it.
    pub backtrace: Option<String>,
}

/// From here on a panic is a line of the log.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let panic = Panic::of(info);
        if WATCH.get() == Watch::Off {
            log::log_panic(&panic, None);
        } else {
            LEFT.set(Some(panic));
            WATCH.set(Watch::Seen);
        }
    }));
}

/// Runs this, and catches a panic of it.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Box<Panic>> {
    let watched = || {
        let _watching = Watching::begin();
        work()
    };
    catch_unwind(AssertUnwindSafe(watched)).map_err(|payload| Panic::caught(&*payload))
}

/// The same of something asynchronous.
pub async fn catch_async<F: Future>(work: F) -> Result<F::Output, Box<Panic>> {
    let mut work = pin!(work);
    let watched = poll_fn(|context| {
        let _watching = Watching::begin();
        work.as_mut().poll(context)
    });
    AssertUnwindSafe(watched).catch_unwind().await.map_err(|payload| Panic::caught(&*payload))
}

/// The thread is watched while this lives.
struct Watching {
    before: Watch,
}

impl Watching {
    fn begin() -> Self {
        Self { before: WATCH.replace(Watch::On) }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // An app may catch a panic by itself. It leaves its line all the same.
        if WATCH.replace(self.before) == Watch::Seen
            && !thread::panicking()
            && let Some(panic) = LEFT.take()
        {
            log::log_panic(&panic, None);
        }
    }
}

/// What a panic says, where it says anything.
pub fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

impl Panic {
    /// In a box, so that there is little to move around where nothing panics.
    #[allow(clippy::unnecessary_box_returns, reason = "both callers need the box")]
    fn caught(payload: &(dyn Any + Send)) -> Box<Self> {
        let text = || text(payload).map(ToOwned::to_owned);
        Box::new(LEFT.take().unwrap_or_else(|| Self { text: text(), ..Self::default() }))
    }

    fn of(info: &PanicHookInfo<'_>) -> Self {
        let backtrace = Backtrace::capture(); // where RUST_BACKTRACE asks for it
        let is_captured = backtrace.status() == BacktraceStatus::Captured;
        Self {
            text: text(info.payload()).map(ToOwned::to_owned),
            location: info.location().map(ToString::to_string),
            backtrace: is_captured.then(|| backtrace.to_string()),
        }
    }
}
