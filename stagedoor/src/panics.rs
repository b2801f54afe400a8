//! Panics: caught where a request is answered, and told in a line of the log.
//!
//! The hook knows where a panic was, and who catches it knows the request. So the hook leaves what it knows for who
//! catches, and logs by itself only what nobody here will catch.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use actix_web::http::header::HeaderValue;

use crate::log;

thread_local! {
    /// Inside of [`catch`], the panics that the hook has seen since.
    static SEEN: RefCell<Option<Vec<Panic>>> = const { RefCell::new(None) };
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
        let uncaught = SEEN.with_borrow_mut(|seen| {
            let Some(before) = seen else { return Some(panic) };
            if let Some(first) = before.last() {
                // Rust ends the process at a panic that another one causes, and no line is written any more.
                eprintln!("panicked: {first:?}\npanicked once more: {panic:?}");
            }
            before.push(panic);
            None
        });
        if let Some(panic) = uncaught {
            log::log_panic(&panic, None);
        }
    }));
}

/// Runs this for a request, and catches a panic of it.
pub fn catch<T>(
    request_id: Option<&HeaderValue>,
    work: impl FnOnce() -> T,
) -> Result<T, Box<Panic>> {
    let before = SEEN.replace(Some(Vec::new()));
    let done = catch_unwind(AssertUnwindSafe(work));
    let mut seen = SEEN.replace(before).unwrap_or_default();
    let done = done.map_err(|payload| {
        let text = || text(&*payload).map(ToOwned::to_owned);
        // In a box, so that there is little to move around where nothing panics.
        Box::new(seen.pop().unwrap_or_else(|| Panic { text: text(), ..Panic::default() }))
    });
    // Those that the app caught by itself leave their lines all the same.
    for panic in seen {
        log::log_panic(&panic, request_id);
    }
    done
}

/// The same of something asynchronous.
pub async fn catch_async<F: Future>(
    request_id: &HeaderValue,
    work: F,
) -> Result<F::Output, Box<Panic>> {
    let mut work = pin!(work);
    poll_fn(|context| match catch(Some(request_id), || work.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// What a panic says, where it says anything.
fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

impl Panic {
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
