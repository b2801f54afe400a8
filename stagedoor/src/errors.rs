//! Error pages, for visitors: what happened, and the id that finds the log line. What went wrong inside stays
//! there.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use serde::Serialize;

use crate::format::Format;
use crate::log;
use crate::panics;

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

impl ErrorPage<'_> {
    /// An answer whose page says this, in the format that the client prefers: for errors of an app's own.
    ///
    /// ```
    /// use actix_web::{HttpResponse, ResponseError, http::StatusCode};
    /// use stagedoor::ErrorPage;
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// #[error("no seat is free in row {row}")] // for the log
    /// struct SoldOut {
    ///     row: u32,
    /// }
    ///
    /// impl ResponseError for SoldOut {
    ///     fn error_response(&self) -> HttpResponse {
    ///         ErrorPage::answer(StatusCode::CONFLICT, "Sold out", "Every seat of tonight is taken.")
    ///     }
    /// }
    /// ```
    ///
    /// # Panics
    /// If the status is that of no error: below 400.
    #[must_use]
    pub fn answer(
        status: StatusCode,
        title: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> HttpResponse {
        assert!(status.as_u16() >= 400, "{status} is no error");
        let mut answer = HttpResponse::new(status);
        answer.extensions_mut().insert(Words { title: title.into(), detail: detail.into() });
        answer
    }
}

/// What a page says, where it is not what all pages of its status say.
#[derive(Clone)]
struct Words {
    title: Cow<'static, str>,
    detail: Cow<'static, str>,
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

/// The page of an app that has none of its own, or whose own one panics.
pub fn fallback_html(page: &ErrorPage) -> String {
    let [title, detail, request_id] = [page.title, page.detail, page.request_id].map(escaped);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n<p>{detail}</p>\n\
         <p>Request <code>{request_id}</code></p>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Gives an error, of status 400 or more, its page. Its status and headers stay as they are, and so does
/// a body that a handler wrote on purpose.
pub fn with_page(
    response: HttpResponse,
    format: Format,
    id: &HeaderValue,
    write_html: &WriteHtml,
) -> HttpResponse {
    if has_own_body(&response) {
        return response;
    }
    let own = response.extensions().get::<Words>().cloned();
    let Words { title, detail } = own.unwrap_or_else(|| words(response.status()));
    let (status, request_id) = (response.status().as_u16(), id.to_str().unwrap_or_default());
    let page = ErrorPage { title: &title, status, detail: &detail, request_id };
    let (content_type, body) = match format {
        Format::Html => {
            // The app's own page may panic, and there is no other to show for that.
            let html = panics::catch(Some(id), || write_html(&page)).unwrap_or_else(|panic| {
                log::log_panic(&panic, Some(id));
                fallback_html(&page)
            });
            ("text/html; charset=utf-8", html)
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

/// What pages of a status say.
fn words(status: StatusCode) -> Words {
    let (title, detail) = match status {
        StatusCode::UNAUTHORIZED => ("Sign in first", "This address opens to those who sign in."),
        StatusCode::FORBIDDEN => ("Not allowed", "This address is not open to you."),
        StatusCode::NOT_FOUND => ("Not found", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Method not allowed", "This address does not take this method.")
        }
        StatusCode::PRECONDITION_FAILED => {
            ("Changed meanwhile", "What the request is about is not what it was any more.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("Too much", "More was sent than this address takes."),
        StatusCode::TOO_MANY_REQUESTS => ("Too many requests", "Try again in a while."),
        StatusCode::SERVICE_UNAVAILABLE => ("Not ready", "Try again in a while."),
        status if status.is_server_error() => {
            ("Something went wrong", "The fault is ours, and it has been logged.")
        }
        status => (
            status.canonical_reason().unwrap_or("Bad request"),
            "The request can't be answered as it is.",
        ),
    };
    Words { title: title.into(), detail: detail.into() }
}
