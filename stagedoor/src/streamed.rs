//! Bodies that are made while they are sent. What goes wrong there can only end the connection, and leaves a line.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;

use crate::log;
use crate::panics;

/// The answer, whose body is watched if nobody knows how long it gets.
pub fn watch(answer: HttpResponse, request_id: &HeaderValue) -> HttpResponse {
    if answer.body().size() != BodySize::Stream {
        return answer;
    }
    let request_id = request_id.clone();
    answer.map_body(|_, body| BoxBody::new(Streamed { body, request_id }))
}

struct Streamed {
    body: BoxBody,
    request_id: HeaderValue,
}

impl MessageBody for Streamed {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, request_id } = self.get_mut();
        match panics::catch(Some(request_id), || Pin::new(body).poll_next(context)) {
            Ok(Poll::Ready(Some(Err(error)))) => {
                log::log_broken_off(&*error, request_id);
                Poll::Ready(Some(Err(error)))
            }
            Ok(polled) => polled,
            Err(panic) => {
                log::log_panic(&panic, Some(request_id));
                Poll::Ready(Some(Err("a handler panicked".into())))
            }
        }
    }
}
