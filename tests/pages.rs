//! What is answered to every request: the pages in process, through the application as it is served.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{HttpResponse, error, web};
use callboard::app::{Site, app};
use callboard::index::MESSAGE;
use callboard::release::Release;
use callboard::settings;
use serde_json::{Value, json};

const PRODUCTION: &[(&str, &str)] = &[("APP_ENV", "production")];
const PREVIEW: &[(&str, &str)] = &[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "open: sésame")];
/// `any:open: sésame`
const CREDENTIALS: &str = "Basic YW55Om9wZW46IHPDqXNhbWU=";

/// On every answer, whatever it is.
const ALWAYS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
];

struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn site(variables: &[(&str, &str)]) -> Arc<Site> {
    let (settings, _) = settings::load(&variables.iter().copied().collect()).unwrap();
    Arc::new(Site::new(&settings, &Release::new(&settings, "sha256:0123".to_owned())))
}

/// Asks the application with these variables. Three more routes fail in the ways that handlers do.
async fn ask(variables: &[(&str, &str)], request: TestRequest) -> Answer {
    let secret = "the database is at db.internal";
    let service = init_service(
        app(&site(variables))
            .route("/panics", web::get().to(|| async { panic!("on purpose") as HttpResponse }))
            .route(
                "/fails",
                web::get().to(move || async move { Err::<HttpResponse, _>(error::ErrorInternalServerError(secret)) }),
            )
            .route("/teapot", web::get().to(|| async { HttpResponse::ImATeapot().body("short and stout") })),
    )
    .await;
    let answered = match actix_web::dev::Service::call(&service, request.to_request()).await {
        Ok(answered) => answered.map_into_boxed_body().into_parts().1,
        // What actix's dispatcher does with it.
        Err(error) => HttpResponse::from(error.error_response()),
    };
    let (status, headers) = (answered.status(), answered.headers().clone());
    let body = actix_web::body::to_bytes(answered.into_body()).await.unwrap().to_vec();
    Answer { status, headers, body }
}

fn get(path: &str) -> TestRequest {
    TestRequest::with_uri(path).insert_header(("host", "board.example"))
}
