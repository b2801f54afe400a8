//! The log: one event a line, on standard output, where Heroku collects it and stamps the time.

mod output;

use std::cell::RefCell;
use std::fmt::Debug;
use std::io::{self, IsTerminal};
use std::panic;
use std::time::Duration;

use actix_web::http::StatusCode;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::guards::HEALTH;
use crate::release::RELEASE;
use crate::settings::LogFormat;
use output::{FlushOnDrop, Output};

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

/// Says why a handler failed: the visitor is only told that one did.
pub fn failure(error: &actix_web::Error, request_id: &str) {
    tracing::error!(request_id, error = clip(&error.to_string()), "a request failed");
}

/// A request, and what came of it.
pub struct Request<'a> {
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

impl Request<'_> {
    /// Writes its line: an error when we failed, at debug what programs and open pages ask
    /// over and over.
    pub fn log(&self) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "callboard::request",
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
        } else if matches!(self.path, HEALTH | RELEASE) {
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

/// One JSON object a line. tracing-subscriber's own format costs nine times as much: 14,200 user
/// instructions a request against 1,500, by callgrind.
struct JsonLines(Output);

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local! { static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) } }
        let mut line = LINE.take();
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        line.clear();
        line.extend_from_slice(b"{\"level\":\"");
        line.extend_from_slice(level.as_bytes());
        line.extend_from_slice(b"\",\"target\":\"");
        line.extend_from_slice(target.as_bytes());
        line.push(b'"');
        event.record(&mut Members(&mut line));
        line.extend_from_slice(b"}\n");
        self.0.line(&line);
        LINE.set(line);
    }
}

/// Writes an event's fields as members of an object.
struct Members<'a>(&'a mut Vec<u8>);

impl Members<'_> {
    fn name(&mut self, field: &Field) {
        // Names of fields and targets are written in the code, and need no escape.
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(field.name().as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn member(&mut self, field: &Field, value: impl Serialize) {
        self.name(field);
        serde_json::to_writer(&mut *self.0, &value).expect("memory takes all that is written");
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Sixteen bytes at a time, where serde_json looks at one: most texts have nothing to escape.
        let is_special = |b| matches!(b, ..b' ' | b'"' | b'\\');
        if value.bytes().fold(false, |found, b| found | is_special(b)) {
            return self.member(field, value);
        }
        self.name(field);
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, format_args!("{value:?}"));
    }
}
