//! `HEAD` wherever there is `GET`, and 405 with `Allow` for every handler, however it is written.

use std::cell::OnceCell;
use std::mem;

use actix_http::Request;
use actix_service::boxed::{self, BoxService};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::{App, Error, HttpMessage, HttpRequest, HttpResponse, web};

use crate::errors::has_own_body;

/// Lets the handler of `GET` answer `HEAD`. actix leaves out the body of the answer by itself. (A route of the
/// app's own for `HEAD` is not reached.)
pub fn route_head_as_get(request: &mut ServiceRequest) {
    if *request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}

/// Whether this is actix's own 404 or 405, and no handler's.
pub fn is_unanswered(response: &HttpResponse) -> bool {
    matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
        && !has_own_body(response)
}

/// Tells which methods the handlers of a path take.
///
/// While actix looks for a handler it notes the methods that it has tried in the request's extensions, where only its
/// own resources can read them. So the extensions are lent to a small app, whose one resource takes no method: it
/// answers 405, and names the methods in `Allow`.
#[derive(Default)]
pub struct Methods(OnceCell<BoxService<Request, ServiceResponse, Error>>);

impl Methods {
    /// Corrects what actix answers to a method that no handler takes: 404 where the route was added by
    /// `App::route`, and elsewhere 405 without `HEAD`.
    pub async fn correct(&self, answered: ServiceResponse) -> ServiceResponse {
        let (request, mut response) = answered.into_parts();
        let allowed = self.noted_with(&request).await;
        if !allowed.is_empty() && !allowed.contains(request.method()) {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, list(allowed));
        }
        ServiceResponse::new(request, response)
    }

    async fn noted_with(&self, request: &HttpRequest) -> Vec<Method> {
        if self.0.get().is_none() {
            let app = App::new().service(web::resource("/")).into_factory();
            let Ok(service) = app.new_service(AppConfig::default()).await else {
                return Vec::new();
            };
            let _ = self.0.set(boxed::service(service));
        }
        let Some(service) = self.0.get() else { return Vec::new() };
        let mut question = Request::new();
        *question.uri_mut() = Uri::default(); // actix hands out heads that were used before
        mem::swap(&mut *question.extensions_mut(), &mut *request.extensions_mut());
        let Ok(answered) = service.call(question).await else { return Vec::new() };
        let (question, answer) = answered.into_parts();
        mem::swap(&mut *question.extensions_mut(), &mut *request.extensions_mut());
        let allowed = answer.headers().get(ALLOW).and_then(|allowed| allowed.to_str().ok());
        let names = allowed.unwrap_or_default().split(", ");
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

/// As `Allow` lists them: each once, and `HEAD` beside `GET`.
fn list(mut methods: Vec<Method>) -> HeaderValue {
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    let mut names: Vec<_> = methods.iter().map(Method::as_str).collect();
    names.sort_unstable();
    names.dedup();
    HeaderValue::try_from(names.join(", ")).expect("names of methods are a header value")
}
