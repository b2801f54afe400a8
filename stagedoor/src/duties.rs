//! What happens to every request, in order: its id, the guards, `HEAD` as `GET`, the handler, 405, an error's page,
//! `Connection: close`, the log line, the headers.

use std::future::{Future, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, Service, fn_service};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppConfig, RequestHead, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::HeaderValue;
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{ConnectionType, Method};
use actix_web::{App, Error, HttpResponse, web};

use crate::body::Body;
use crate::client;
use crate::errors::{self, ErrorPage, WriteHtml};
use crate::format::Format;
use crate::guards::{Guards, Scheme};
use crate::headers::Headers;
use crate::log::{self, RequestLine};
use crate::methods::{self, Methods};
use crate::panics::{self, Panic};
use crate::release::Release;
use crate::request_id::RequestIds;
use crate::routes::Routes;
use crate::settings::Settings;
use crate::streamed;

/// What an app needs behind Heroku's router, put around any `App`: `/release`, `/health` and `/robots.txt`; the
/// redirect to https and the password of a preview; an id, a log line (a `tracing` event of the target
/// `stagedoor::request`) and the security headers on every answer; error pages; `HEAD` for every `GET`, 405 with
/// `Allow`, and an answer even where a handler panics.
///
/// ```
/// use actix_web::{App, HttpServer, web};
/// use stagedoor::{Duties, Release, Settings, Variables, build, load};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let variables = Variables::of_this_process();
/// let (settings, _) = load(&build!(), &variables, Settings::read).map_err(|r| r.refusal())?;
/// let duties = Duties::new(&settings, Release::new(&build!(), &settings)?);
/// let server = HttpServer::new(move || {
///     duties.around(App::new().route("/", web::get().to(async || "Hello!")))
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Duties(Arc<Shared>);

/// What all workers share.
struct Shared {
    guards: Guards,
    headers: Headers,
    routes: Routes,
    write_html: WriteHtml,
    release: web::Data<Release>,
    is_ending: AtomicBool,
}

impl Duties {
    /// The duties of a release with these settings.
    #[must_use]
    pub fn new(settings: &Settings, release: Release) -> Self {
        Self(Arc::new(Shared {
            guards: Guards::new(settings),
            headers: Headers { hsts: settings.force_https, indexed: settings.indexed },
            routes: Routes::new(&release),
            write_html: Arc::new(errors::fallback_html),
            release: web::Data::new(release),
            is_ending: AtomicBool::new(false),
        }))
    }

    /// Gives errors a page of the app's own, as HTML. Programs get problem details, terminals plain text.
    ///
    /// # Panics
    /// If these duties are in use already.
    #[must_use]
    pub fn error_page(
        mut self,
        write_html: impl Fn(&ErrorPage) -> String + Send + Sync + 'static,
    ) -> Self {
        self.setup().write_html = Arc::new(write_html);
        self
    }

    /// Lets a preview show, without its password, what is below this path: a stylesheet, say, so that the page
    /// which asks for the password looks like the others.
    ///
    /// # Panics
    /// If these duties are in use already.
    #[must_use]
    pub fn public(mut self, path: &str) -> Self {
        self.setup().guards.open(path);
        self
    }

    fn setup(&mut self) -> &mut Shared {
        Arc::get_mut(&mut self.0).expect("duties are set up before they are cloned")
    }

    /// Puts the duties around an app, for `HttpServer::new`. They are the outermost, whatever the app wraps:
    /// what comes back is no `App` any more, and takes no other middleware.
    ///
    /// ```compile_fail
    /// # fn wrong(duties: stagedoor::Duties) {
    /// duties.around(actix_web::App::new()).wrap(actix_web::middleware::NormalizePath::trim());
    /// # }
    /// ```
    pub fn around<T, B>(
        &self,
        app: App<T>,
    ) -> impl ServiceFactory<
        Request,
        Config = AppConfig,
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + use<T, B>
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let worker = self.worker();
        app.app_data(self.0.release.clone())
            .configure(|app| self.0.routes.register(app))
            .wrap_fn(move |request, app| {
                let begun = Begun::new(&worker, request, app);
                begun.answer(Rc::clone(&worker))
            })
            .into_factory()
    }

    /// What a client is told that asks, by `Expect: 100-continue`, whether it may send the body: the refusal that its
    /// request would get anyway, or to go on.
    pub(crate) fn expect(
        &self,
    ) -> impl ServiceFactory<
        Request,
        Config = (),
        Response = Request,
        Error = Response<BoxBody>,
        InitError = (),
    > + use<> {
        let worker = self.worker();
        fn_service(move |mut request: Request| {
            let Worker { shared, ids, .. } = &*worker;
            let client = client::address_of_raw(&request);
            let summary = RequestSummary::new(request.head_mut(), client, Body::unread(), ids);
            ready(match shared.guards.refuse(summary.scheme, request.head()) {
                None => Ok(request),
                Some(refusal) => Err(summary.finish(shared, refusal).into()),
            })
        })
    }

    /// `HttpServer` calls this once in each worker.
    fn worker(&self) -> Rc<Worker> {
        Rc::new(Worker {
            shared: Arc::clone(&self.0),
            ids: RequestIds::new(),
            methods: Methods::default(),
        })
    }

    /// From here on each answer is the last of its connection: the process is about to stop.
    pub(crate) fn end_connections(&self) {
        self.0.is_ending.store(true, Ordering::Relaxed);
    }
}

/// What one worker has for itself.
struct Worker {
    shared: Arc<Shared>,
    ids: RequestIds,
    methods: Methods,
}

/// What happens to each request, in order: first what is done at once, up to asking the app. (To leave that to the
/// future, as `actix_web::middleware::from_fn` does, takes a box for each request, and 200 instructions.)
enum Begun<Asked> {
    /// A guard has answered.
    Refused(ServiceResponse),
    /// The app is asked. It may have panicked before there is a future of it.
    Asked(RequestSummary, Result<Asked, Box<Panic>>),
}

impl<Asked> Begun<Asked> {
    fn new<App>(worker: &Worker, mut request: ServiceRequest, app: &App) -> Self
    where
        App: Service<ServiceRequest, Future = Asked>,
    {
        let Worker { shared, ids, .. } = worker;
        let (client, body) = (client::address(&request), Body::watch(&mut request));
        let summary = RequestSummary::new(request.head_mut(), client, body, ids);
        if let Some(refusal) = shared.guards.refuse(summary.scheme, request.head()) {
            return Self::Refused(request.into_response(summary.finish(shared, refusal)));
        }
        methods::route_head_as_get(&mut request);
        let asked = panics::catch(Some(&summary.id), || app.call(request));
        Self::Asked(summary, asked)
    }

    /// Then what is done as soon as the app has answered.
    async fn answer<B>(self, worker: Rc<Worker>) -> Result<ServiceResponse, Error>
    where
        B: MessageBody + 'static,
        Asked: Future<Output = Result<ServiceResponse<B>, Error>>,
    {
        let (summary, asked) = match self {
            Self::Refused(answer) => return Ok(answer),
            Self::Asked(summary, asked) => (summary, asked),
        };
        let shared = &*worker.shared;
        // A panic must not cut the connection: the router would show the visitor its own page (H13).
        let answered = match asked {
            Ok(asked) => panics::catch_async(&summary.id, asked).await,
            Err(panic) => Err(panic),
        };
        let response = match answered {
            Ok(Ok(answered)) => {
                let mut answered = answered.map_into_boxed_body();
                if methods::is_unanswered(answered.response()) {
                    // In a box, so that the future of a request that is answered stays small.
                    answered = Box::pin(worker.methods.correct(answered)).await;
                }
                let (request, response) = answered.into_parts();
                let response = streamed::watch(response, &summary.id);
                return Ok(ServiceResponse::new(request, summary.finish(shared, response)));
            }
            Ok(Err(error)) => HttpResponse::from_error(error),
            Err(panic) => {
                log::log_panic(&panic, Some(&summary.id));
                HttpResponse::InternalServerError().finish()
            }
        };
        // The request was consumed. actix answers an error with the response that it carries, so ours goes into one.
        Err(InternalError::from_response("answered", summary.finish(shared, response)).into())
    }
}

/// What is known of a request from its head, and needed once it is answered: by then actix has consumed it.
struct RequestSummary {
    arrived: Instant,
    id: HeaderValue,
    method: Method,
    path: Option<PathAndQuery>,
    format: Format,
    client: Option<Rc<str>>,
    scheme: Option<Scheme>,
    body: Body,
}

impl RequestSummary {
    /// Reads it off the head of the request, which gets its id.
    fn new(head: &mut RequestHead, client: Option<Rc<str>>, body: Body, ids: &RequestIds) -> Self {
        Self {
            arrived: Instant::now(),
            id: ids.assign(&mut head.headers),
            method: head.method.clone(),
            path: head.uri.path_and_query().cloned(),
            format: Format::preferred(&head.headers),
            client,
            scheme: Scheme::of(&head.headers),
            body,
        }
    }

    /// Adds an error's page, says whether the connection ends, logs the line, and adds the headers.
    fn finish(self, shared: &Shared, response: HttpResponse) -> HttpResponse {
        let status = response.status();
        let id = str::from_utf8(self.id.as_bytes()).unwrap_or_default();
        if let Some(error) = response.error() {
            log::log_error(error, status, id);
        }
        let mut response = if status.is_client_error() || status.is_server_error() {
            errors::with_page(response, self.format, &self.id, &shared.write_html)
        } else {
            response
        };
        // Else the rest of a body that was not read could be taken for the next request.
        if self.body.is_left() || shared.is_ending.load(Ordering::Relaxed) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        let path = self.path.as_ref().map_or("", PathAndQuery::path);
        RequestLine {
            method: self.method.as_str(),
            path,
            id,
            client: self.client.as_deref(),
            status,
            duration: self.arrived.elapsed(),
            release: shared.release.release.as_deref(),
        }
        .log();
        if shared.guards.is_private(path) {
            Headers::put_private(response.headers_mut());
        }
        let over_https = self.scheme == Some(Scheme::Https);
        shared.headers.put(response.headers_mut(), self.id, over_https);
        response
    }
}
