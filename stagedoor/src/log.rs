//! The log: one event a line, on standard output, where Heroku collects it and stamps the time.

mod json;
mod output;

use std::io::{self, IsTerminal};
use std::panic;
use std::time::Duration;

use actix_web::http::StatusCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::routes::{HEALTH, RELEASE};
use crate::settings::LogFormat;
use json::JsonLines;
pub use output::FlushOnDrop;
use output::Output;

/// Heroku splits a line at 10,000 bytes. A text of 1,500 leaves room for the rest, even where JSON
/// needs six bytes for each of them.
const LONGEST_TEXT: usize = 1_500;

/// Starts the log. From here on a panic is a line of it, too.
pub fn start(filter: &Targets, format: LogFormat) -> FlushOnDrop {
    let filter = filter.clone();
    let (output, flush) = Output::start();
    match format {
        LogFormat::Json => registry().with(filter).with(JsonLines(output)).init(),
        LogFormat::Text => {
            let is_terminal = io::stdout().is_terminal();
            let text = fmt::layer().without_time().with_target(false).with_ansi(is_terminal);
            let text = text.with_writer(output);
            registry().with(filter).with(text).init();
        }
    }
    panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, panic = text.map(clip), "panicked");
    }));
    flush
}

/// Says why a request failed, or at debug why it was refused: the visitor is only told that it was.
pub fn log_error(error: &actix_web::Error, status: StatusCode, request_id: &str) {
    let error = error.to_string();
    if status.is_server_error() {
        tracing::error!(request_id, error = clip(&error), "a request failed");
    } else {
        tracing::debug!(request_id, error = clip(&error), "a request was refused");
    }
}

/// A request, and what came of it, for its line.
pub struct RequestLine<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path. Never the query, which may hold a secret.
    pub path: &'a str,
    /// Its id.
    pub id: &'a str,
    /// The visitor, as the router saw them.
    pub client: Option<&'a str>,
    /// The status that it was answered with.
    pub status: StatusCode,
    /// From when its head was read to when its answer was ready.
    pub duration: Duration,
    /// The app's release, where Heroku tells it.
    pub release: Option<&'a str>,
}

impl RequestLine<'_> {
    /// Writes it: an error when we failed, at debug what programs and open pages ask over and over, as long as
    /// that succeeds.
    pub fn log(&self) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "stagedoor::request",
                    method = clip(self.method),
                    path = clip(self.path),
                    status = self.status.as_u16(),
                    duration_us = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
                    request_id = self.id,
                    client = self.client,
                    release = self.release,
                )
            };
        }
        if self.status.is_server_error() {
            line!(error);
        } else if matches!(self.path, HEALTH | RELEASE) && self.status.is_success() {
            line!(debug);
        } else {
            line!(info);
        }
    }
}

/// As much of a text as fits in a line.
fn clip(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
