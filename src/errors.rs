//! Error pages, for visitors: what happened, the way back, and the id that finds the log line. What
//! went wrong inside stays there.

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use askama::Template;
use serde::Serialize;

use crate::assets::Assets;
use crate::negotiate::Form;

/// The page, and the problem details for programs (RFC 9457).
#[derive(Template, Serialize)]
#[template(path = "error.html")]
struct Problem<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip)]
    site_name: &'a str,
    #[serde(skip)]
    assets: &'a Assets,
}

/// Any path that leads nowhere.
pub async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

/// Any method but those that every page of ours answers.
#[must_use]
pub fn method_not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET, HEAD")).finish()
}

/// Gives an error, of status 400 or more, its page. Its status and headers stay as they are, and so does
/// a body that a handler wrote on purpose. What an [`actix_web::Error`] would say goes: it was not
/// written for visitors.
pub fn with_page(
    mut response: HttpResponse,
    form: Form,
    request_id: &str,
    site_name: &str,
    assets: &Assets,
) -> HttpResponse {
    let deliberate = response.error().is_none() && !is_empty(response.body().size());
    if deliberate {
        return response;
    }
    let (title, detail) = words(response.status());
    let status = response.status().as_u16();
    let problem = Problem { title, status, detail, request_id, site_name, assets };
    let (content_type, body) = match form {
        Form::Html => ("text/html; charset=utf-8", problem.render().unwrap_or_default()),
        Form::Json => {
            ("application/problem+json", serde_json::to_string(&problem).unwrap_or_default())
        }
        Form::Text => (
            "text/plain; charset=utf-8",
            format!("{status} {title}: {detail}\nRequest id: {request_id}\n"),
        ),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    response.set_body(BoxBody::new(body))
}

fn is_empty(size: BodySize) -> bool {
    matches!(size, BodySize::None | BodySize::Sized(0))
}

/// A title, and what happened in a sentence.
fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => {
            ("Password needed", "This preview opens to those who know its password.")
        }
        StatusCode::NOT_FOUND => ("Not found", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Method not allowed", "This address can be read, and nothing else.")
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
