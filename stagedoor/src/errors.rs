//! Error pages, for visitors: what happened, and the id that finds the log line. What went wrong inside stays
//! there.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use serde::Serialize;

use crate::format::Format;

/// What an error page tells a visitor. Programs get the same as problem details (RFC 9457).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ErrorPage<'a> {
    /// What happened, in two or three words.
    pub title: &'a str,
    /// The status of the answer, 400 to 599.
    pub status: u16,
    /// What happened, in a sentence.
    pub detail: &'a str,
    /// The id that finds the request's line in the log.
    pub request_id: &'a str,
}

impl fmt::Display for ErrorPage<'_> {
    /// As plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, status, detail, request_id } = self;
        writeln!(f, "{status} {title}: {detail}\nRequest id: {request_id}")
    }
}

/// Writes an error page as HTML.
pub type WriteHtml = Arc<dyn Fn(&ErrorPage) -> String + Send + Sync>;

/// The page of an app that has none of its own, or whose own one panics. What it shows is ours, and needs no escaping.
pub fn fallback_html(page: &ErrorPage) -> String {
    let ErrorPage { title, detail, request_id, .. } = page;
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n<p>{detail}</p>\n\
         <p>Request <code>{request_id}</code></p>\n</html>\n"
    )
}

/// Gives an error, of status 400 or more, its page. Its status and headers stay as they are, and so does
/// a body that a handler wrote on purpose.
pub fn with_page(
    response: HttpResponse,
    format: Format,
    request_id: &str,
    write_html: &WriteHtml,
) -> HttpResponse {
    if has_own_body(&response) {
        return response;
    }
    let (title, detail) = sentences(response.status());
    let page = ErrorPage { title, status: response.status().as_u16(), detail, request_id };
    let (content_type, body) = match format {
        Format::Html => {
            // The app's own page may panic, and there is no other to show for that.
            let html = catch_unwind(AssertUnwindSafe(|| write_html(&page)));
            ("text/html; charset=utf-8", html.unwrap_or_else(|_| fallback_html(&page)))
        }
        Format::Json => {
            ("application/problem+json", serde_json::to_string(&page).unwrap_or_default())
        }
        Format::Text => ("text/plain; charset=utf-8", page.to_string()),
    };
    let mut response = response.set_body(body).map_into_boxed_body();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// Whether the app wrote this answer's body on purpose: a handler, or an error type in its
/// `ResponseError::error_response`. By default an error's body is its text, which was not written for visitors.
pub fn has_own_body(response: &HttpResponse) -> bool {
    let length = match response.body().size() {
        BodySize::None | BodySize::Sized(0) => return false,
        BodySize::Sized(length) => length,
        BodySize::Stream => return true,
    };
    response.error().is_none_or(|error| {
        let is_text = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/plain");
        let is_plain = response.headers().get(CONTENT_TYPE).is_none_or(is_text);
        !is_plain || length != error.to_string().len() as u64
    })
}

/// A title, and what happened in a sentence.
fn sentences(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => {
            ("Password needed", "This preview opens to those who know its password.")
        }
        StatusCode::NOT_FOUND => ("Not found", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Method not allowed", "This address does not take this method.")
        }
        status if status.is_server_error() => {
            ("Something went wrong", "The fault is ours, and it has been logged.")
        }
        status => (
            status.canonical_reason().unwrap_or("Bad request"),
            "The request can't be answered as it is.",
        ),
    }
}
