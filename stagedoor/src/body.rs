//! Whether a request's body was read to its end, before which the next request on a connection can't be trusted.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A request's body, as far as its connection is concerned.
pub enum Body {
    /// There is none.
    None,
    /// The flag is set once it has been read to its end.
    Sent(Rc<Cell<bool>>),
}

impl Body {
    /// Begins to watch the body of a request, if it has one.
    pub fn watch(request: &mut ServiceRequest) -> Self {
        let payload = request.parts_mut().1;
        if matches!(payload, Payload::None) {
            return Self::None;
        }
        let is_read = Rc::new(Cell::new(false));
        let watched = Watched { payload: payload.take(), is_read: Rc::clone(&is_read) };
        *payload = Payload::Stream { payload: Box::pin(watched) };
        Self::Sent(is_read)
    }

    /// A body that was announced, and that nobody will read.
    pub fn unread() -> Self {
        Self::Sent(Rc::default())
    }

    /// Whether there is some of it left. Whether a chunked one is well-formed shows only at its end.
    pub fn is_left(&self) -> bool {
        matches!(self, Self::Sent(is_read) if !is_read.get())
    }
}

struct Watched {
    payload: Payload,
    is_read: Rc<Cell<bool>>,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(context);
        if matches!(polled, Poll::Ready(None)) {
            self.is_read.set(true);
        }
        polled
    }
}
