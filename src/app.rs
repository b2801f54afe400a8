//! The application: its routes, and what happens to every request on its way through them.

use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceFactory, ServiceRequest, ServiceResponse, fn_service};
use actix_web::error::{ErrorInternalServerError, InternalError};
use actix_web::http::header::{ACCEPT, HeaderValue};
use actix_web::http::{ConnectionType, Method, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpRequest, HttpResponse, Resource, web};
use futures_util::FutureExt;

use crate::assets::Assets;
use crate::client;
use crate::errors;
use crate::guards::{Guards, HEALTH, ROBOTS, Scheme};
use crate::headers::{Headers, X_REQUEST_ID};
use crate::index::Index;
use crate::logs;
use crate::negotiate::Form;
use crate::release::{RELEASE, Release};
use crate::representation::{Caching, Representation};
use crate::request_id::RequestIds;
use crate::settings::Settings;

/// All that is made at start, and shared by the workers.
pub struct Site {
    index: Index,
    release: Representation,
    health: Representation,
    robots: Representation,
    assets: Assets,
    guards: Guards,
    headers: Headers,
    name: String,
    /// The app's release, for log lines.
    release_version: Option<String>,
    is_ending: AtomicBool,
}

impl Site {
    /// Renders everything.
    #[must_use]
    pub fn new(settings: &Settings, release: &Release) -> Self {
        let assets = Assets::new(settings.environment);
        let robots = if settings.indexed {
            "User-agent: *\nAllow: /\n"
        } else {
            "User-agent: *\nDisallow: /\n"
        };
        let text = |caching, text| Representation::new("text/plain; charset=utf-8", caching, text);
        Self {
            index: Index::new(settings, release, &assets),
            release: release.representation(),
            health: text(Caching::Never, "ok\n"),
            robots: text(Caching::Ask, robots),
            guards: Guards::new(settings.force_https, settings.preview_password.as_ref()),
            headers: Headers { hsts: settings.force_https, indexed: settings.indexed },
            name: settings.site_name.clone(),
            release_version: release.release.clone(),
            is_ending: AtomicBool::new(false),
            assets,
        }
    }

    /// From here on each answer is the last of its connection: the process is about to stop.
    pub fn end_connections(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }
}

/// One worker's application.
pub fn app(
    site: &Arc<Site>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let Assets { stylesheet, script, icon } = &site.assets;
    let pass = {
        let (site, ids) = (Arc::clone(site), Rc::new(RequestIds::new()));
        move |request, next| every_request(Arc::clone(&site), Rc::clone(&ids), request, next)
    };
    App::new()
        .service(page("/", site, |site, request| site.index.view(request)))
        .service(page(RELEASE, site, |site, request| site.release.answer(request)))
        .service(page(HEALTH, site, |site, request| site.health.answer(request)))
        .service(page(ROBOTS, site, |site, request| site.robots.answer(request)))
        .service(page(&stylesheet.path, site, |site, request| {
            site.assets.stylesheet.representation.answer(request)
        }))
        .service(page(&script.path, site, |site, request| {
            site.assets.script.representation.answer(request)
        }))
        .service(page(&icon.path, site, |site, request| {
            site.assets.icon.representation.answer(request)
        }))
        .default_service(web::to(errors::not_found))
        .wrap(from_fn(pass))
}

/// A page, for `GET` and `HEAD` only. We check the method ourselves: actix's own check (`web::get()`) notes
/// each method on every request, which costs as much as two headers.
fn page(path: &str, site: &Arc<Site>, answer: fn(&Site, &HttpRequest) -> HttpResponse) -> Resource {
    let site = Arc::clone(site);
    // A plain service: a handler would run actix's extractors, and we need none.
    let service = fn_service(move |request: ServiceRequest| {
        let response = match *request.method() {
            Method::GET | Method::HEAD => answer(&site, request.request()),
            _ => errors::method_not_allowed(),
        };
        ready(Ok::<_, Error>(request.into_response(response)))
    });
    web::resource(path).route(web::route().service(service))
}

/// What happens to each request, in order: its id, the guards, the routes, an error's page, the headers,
/// the log line.
async fn every_request(
    site: Arc<Site>,
    ids: Rc<RequestIds>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let head = Asked::of(&request, &ids);

    let answered = match site.guards.refuse(head.scheme, request.head()) {
        Some(refusal) => Ok(request.into_response(refusal)),
        // A panic must not cut the connection: the router would show the visitor its own page (H13).
        None => match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(result) => result,
            Err(_) => Err(ErrorInternalServerError("panicked")),
        },
    };

    match answered {
        Ok(answered) => {
            let (request, response) = answered.into_parts();
            Ok(ServiceResponse::new(request, head.finish(&site, response)))
        }
        // The request is gone; the error carries the response.
        Err(error) => {
            let response = head.finish(&site, HttpResponse::from_error(error));
            Err(InternalError::from_response("answered", response).into())
        }
    }
}

/// What is known of a request from its head alone, and needed once it is answered.
struct Asked {
    at: Instant,
    id: HeaderValue,
    method: Method,
    uri: Uri,
    accept: Option<HeaderValue>,
    client: Option<Rc<str>>,
    scheme: Option<Scheme>,
    has_body: bool,
}

impl Asked {
    fn of(request: &ServiceRequest, ids: &RequestIds) -> Self {
        let headers = request.headers();
        Self {
            at: Instant::now(),
            id: ids.of(headers.get(X_REQUEST_ID)),
            method: request.method().clone(),
            uri: request.uri().clone(),
            accept: headers.get(ACCEPT).cloned(),
            client: client::of(request),
            scheme: Scheme::of(headers),
            has_body: !matches!(request.parts().1, Payload::None),
        }
    }

    /// Adds the error page, the headers and the log line.
    fn finish(self, site: &Site, mut response: HttpResponse) -> HttpResponse {
        let status = response.status();
        let id = str::from_utf8(self.id.as_bytes()).unwrap_or_default();
        if let Some(error) = response.error().filter(|_| status.is_server_error()) {
            logs::failure(error, id);
        }
        if status.is_client_error() || status.is_server_error() {
            let form = Form::preferred(self.accept.as_ref());
            response = errors::with_page(response, form, id, &site.name, &site.assets);
        }
        // We read no bodies. Whether a chunked one is well-formed shows only after this answer, so we do not
        // trust what follows it. (A handler of yours that reads them to the end needs none of this.)
        if self.has_body || site.is_ending.load(Ordering::Relaxed) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        logs::Request {
            method: self.method.as_str(),
            path: self.uri.path(),
            id,
            client: self.client.as_deref(),
            status,
            duration: self.at.elapsed(),
            release: site.release_version.as_deref(),
        }
        .log();
        site.headers.put(response.headers_mut(), self.id, self.scheme == Some(Scheme::Https));
        response
    }
}
