//! An app of the tests' own, in this process: its settings, and its page with the duties around it.

use actix_http::Request;
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::rt::System;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error};
use serde_json::Value;
use stagedoor::{
    Caching, Duties, Environment, Format, Reader, Release, Report, Representation, Variables, build,
};

/// What its page says.
pub const MESSAGE: &str = "Hello from a test.";

/// Every setting, in the order in which they are read: two of an app's own, and the platform's.
pub const NAMES: [&str; 10] = [
    "APP_ENV",
    "SITE_NAME",
    "SITE_URL",
    "HOST",
    "PORT",
    "WEB_CONCURRENCY",
    "RUST_LOG",
    "LOG_FORMAT",
    "FORCE_HTTPS",
    "PREVIEW_PASSWORD",
];

/// The settings of an app.
#[derive(Debug)]
pub struct Settings {
    pub site_name: String,
    pub canonical_url: Option<String>,
    pub platform: stagedoor::Settings,
}

impl Settings {
    pub fn read(reader: &mut Reader) -> Self {
        let is_production = reader.environment() == Environment::Production;
        Self {
            site_name: reader.text("SITE_NAME", "Board", 60),
            canonical_url: reader.site_url("SITE_URL").filter(|_| is_production),
            platform: stagedoor::Settings::read(reader),
        }
    }
}

impl AsRef<stagedoor::Settings> for Settings {
    fn as_ref(&self) -> &stagedoor::Settings {
        &self.platform
    }
}

/// Settings from these variables, on a machine with eight processors.
pub fn load(variables: &[(&str, &str)]) -> Result<(Settings, Report), Report> {
    load_of(variables.iter().copied().collect())
}

pub fn load_of(variables: Variables) -> Result<(Settings, Report), Report> {
    stagedoor::load(&build!(), &variables.on_processors(8), Settings::read)
}

/// What there is to say of these variables, whether they load or not.
pub fn report(variables: &[(&str, &str)]) -> Report {
    load(variables).map_or_else(|report| report, |(_, report)| report)
}

pub fn loaded(variables: &[(&str, &str)]) -> Settings {
    load(variables).unwrap_or_else(|report| panic!("{report}")).0
}

/// What is wrong, and how it is mended.
pub fn problems(report: &Report) -> Vec<(String, String)> {
    let refusal = report.refusal();
    let lines: Vec<_> = refusal.lines().collect();
    let pair = |pair: &[&str]| {
        let what = pair[0].strip_prefix("  ")?;
        Some((what.to_owned(), pair[1].strip_prefix("    Fix: ")?.to_owned()))
    };
    lines.windows(2).filter_map(pair).collect()
}

/// The duties of an app with these variables, and of a build that is said to be `sha256:0123`.
pub fn duties(variables: &[(&str, &str)]) -> Duties {
    let settings = loaded(variables).platform;
    let heroku = settings.heroku.clone();
    let release = Release {
        message: Some(MESSAGE.to_owned()),
        environment: settings.environment,
        version: "1.2.3".to_owned(),
        build: "sha256:0123".to_owned(),
        commit: heroku.commit,
        app: heroku.app,
        release: heroku.release,
        released_at: heroku.released_at,
    };
    Duties::new(&settings, release)
}

/// Its page, in each format.
pub fn page(app: &mut ServiceConfig) {
    let form = |content_type, body: String| {
        Representation::by_accept(content_type, Caching::Revalidate, body)
    };
    let html = form(
        "text/html; charset=utf-8",
        format!("<!doctype html>\n<h1>{MESSAGE}</h1>\n").repeat(9),
    );
    let json = form("application/json", format!("{{\"message\":\"{MESSAGE}\"}}\n"));
    let text = form("text/plain; charset=utf-8", format!("{MESSAGE}\n"));
    let view = move |format: Format| {
        let page = match format {
            Format::Html => &html,
            Format::Json => &json,
            Format::Text => &text,
        };
        std::future::ready(page.clone())
    };
    app.route("/", web::get().to(view));
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether the connection ends with it.
    pub is_last: bool,
}

impl Answer {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        std::str::from_utf8(self.bytes(name)).unwrap()
    }

    pub fn bytes(&self, name: &str) -> &[u8] {
        self.headers.get(name).map_or(b"", HeaderValue::as_bytes)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The app with these duties and these routes, made once: that takes longer than a thousand requests.
pub fn serve<R: FnOnce(&mut ServiceConfig)>(
    duties: &Duties,
    routes: R,
) -> impl Fn(TestRequest) -> Answer + use<R> {
    asked(duties.around(App::new().configure(page).configure(routes)))
}

/// Any service of actix-web.
pub fn asked<A, S, B>(app: A) -> impl Fn(TestRequest) -> Answer + use<A, S, B>
where
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        >,
    B: MessageBody + 'static,
{
    let system = System::new();
    let service = system.block_on(init_service(app));
    move |request| {
        system.block_on(async {
            let mut response = match service.call(request.to_request()).await {
                Ok(answered) => answered.map_into_boxed_body().into_parts().1,
                // What actix's dispatcher does with it.
                Err(error) => error.error_response(),
            };
            let is_last = response.head_mut().connection_type() == ConnectionType::Close;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = to_bytes(response.into_body()).await.unwrap().to_vec();
            Answer { status, headers, body, is_last }
        })
    }
}
