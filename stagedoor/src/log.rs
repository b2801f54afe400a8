//! The log: one event a line, on standard output, where Heroku collects it and stamps the time.

mod json;
mod output;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::panics::{self, Panic};
use crate::routes::{HEALTH, RELEASE};
use crate::settings::LogFormat;
use json::JsonLines;
pub use output::FlushOnDrop;
use output::Output;

/// Heroku splits a line at 10,000 bytes. A text of 1,500 leaves room for the rest, even where JSON
/// needs six bytes for each of them.
const LONGEST_TEXT: usize = 1_500;

/// So much of a backtrace, in which JSON needs two bytes for few characters, and none for most.
const LONGEST_BACKTRACE: usize = 6_000;

/// Starts the log of an app, whose crate has this name. From here on a panic is a line of it, too.
pub fn start(filter: &Targets, format: LogFormat, app: &str) -> FlushOnDrop {
    let filter = with_errors(filter, &app.replace('-', "_"));
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
    panics::install_hook();
    flush
}

/// The filter, but for errors of this library and of the app: no filter silences them.
fn with_errors(filter: &Targets, app: &str) -> Targets {
    let ours = ["stagedoor", app];
    let is_ours = |target: &str| {
        ours.iter().any(|ours| {
            let rest = target.strip_prefix(ours);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    };
    let mut louder = filter.clone();
    for target in ours {
        if !filter.would_enable(target, &Level::ERROR) {
            louder = louder.with_target(target, LevelFilter::ERROR);
        }
    }
    for (target, level) in filter {
        if level == LevelFilter::OFF && is_ours(target) {
            louder = louder.with_target(target, LevelFilter::ERROR);
        }
    }
    louder
}

/// Says that an answer could not be sent to its end.
pub fn log_broken_off(error: &dyn Error, request_id: &HeaderValue) {
    let (error, request_id) = (error.to_string(), request_id.to_str().ok());
    tracing::error!(request_id, error = clip(&error), "an answer broke off");
}

/// Says of a panic where it was and, where one was being answered, in which request.
pub fn log_panic(panic: &Panic, request_id: Option<&HeaderValue>) {
    let request_id = request_id.and_then(|id| id.to_str().ok());
    let Panic { text, location, backtrace } = panic;
    tracing::error!(
        request_id,
        location,
        panic = text.as_deref().map(clip),
        backtrace = backtrace.as_deref().map(|text| clip_at(text, LONGEST_BACKTRACE)),
        "panicked"
    );
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

/// Says what was answered on a connection to what could not be understood as a request. It has no method, no path and
/// no id.
pub fn log_no_request(status: StatusCode, reason: &str, client: Option<&str>) {
    tracing::info!(
        target: "stagedoor::request",
        status = status.as_u16(),
        reason = clip(reason),
        client,
        "refused before it reached the app",
    );
}

/// Says that a connection was closed on a client that did not read.
pub fn log_unread_answer(client: Option<&str>) {
    tracing::info!(target: "stagedoor::request", client, "closed: the client did not read its answer");
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
    clip_at(text, LONGEST_TEXT)
}

fn clip_at(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_filter_silences_our_errors() {
        let filters =
            ["off", "hyper=debug", "stagedoor=off", "info,stagedoor::request=off,my_app=off"];
        for filter in filters {
            let louder = with_errors(&filter.parse().unwrap(), "my_app");
            for target in ["stagedoor::log", "stagedoor::request", "my_app", "my_app::index"] {
                assert!(louder.would_enable(target, &Level::ERROR), "{filter}: {target}");
            }
        }
        // A name that begins as another does.
        let louder = with_errors(&"info,stagedoor_app::x=off".parse().unwrap(), "stagedoor_app");
        assert!(louder.would_enable("stagedoor_app::x", &Level::ERROR));
        let quiet = with_errors(&"off".parse().unwrap(), "my_app");
        assert!(!quiet.would_enable("stagedoor::request", &Level::WARN));
        assert!(!quiet.would_enable("other", &Level::ERROR));
        let loud = with_errors(&"stagedoor=debug".parse().unwrap(), "my_app");
        assert!(loud.would_enable("stagedoor::request", &Level::DEBUG));
    }
}
