//! The log: one event a line, on standard output, where Heroku collects it and stamps the time.

mod output;

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::net::IpAddr;
use std::panic;
use std::time::Duration;

use actix_web::http::StatusCode;
use serde::Serializer;
use serde::ser::SerializeMap;
use tracing::{Event, Subscriber};
use tracing_serde::{AsSerde, SerdeMapVisitor};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::settings::LogFormat;
use output::{Output, Written};

/// Heroku splits a line at 10,000 bytes. A path of 2,000 leaves room for the rest, even where each
/// byte of it needs an escape in JSON.
const LONGEST_TEXT: usize = 2_000;

/// Starts the log. From here on a panic is a line of it, too.
pub fn start(filter: &Targets, format: LogFormat) -> Written {
    let filter = filter.clone();
    let (output, written) = Output::start();
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
    written
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
    pub client: Option<IpAddr>,
    /// The status that it was answered with.
    pub status: StatusCode,
    /// From when its head was read to when its answer was ready.
    pub duration: Duration,
    /// The app's release, where Heroku tells it.
    pub release: Option<&'a str>,
}

impl Request<'_> {
    /// Writes its line: an error when we failed, at debug when it only asked for our health.
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
                    client = self.client.map(tracing::field::display),
                    release = self.release,
                    "request"
                )
            };
        }
        if self.status.is_server_error() {
            line!(error);
        } else if self.path == "/health" {
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

/// One JSON object a line. tracing-subscriber's own format costs three times as much: 14,200 user
/// instructions a request against 4,900, by callgrind.
struct JsonLines(Output);

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local! { static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) } }
        let mut line = LINE.take();
        line.clear();
        if write_json(&mut line, event).is_ok() {
            line.push(b'\n');
            self.0.line(&line);
        }
        LINE.set(line);
    }
}

fn write_json(line: &mut Vec<u8>, event: &Event<'_>) -> serde_json::Result<()> {
    let mut serializer = serde_json::Serializer::new(line);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("level", &event.metadata().level().as_serde())?;
    object.serialize_entry("target", event.metadata().target())?;
    let mut fields = SerdeMapVisitor::new(object);
    event.record(&mut fields);
    fields.finish()
}
