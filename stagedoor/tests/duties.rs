//! What every request meets on its way through the duties, around an app of the tests' own.

use std::fs::{self, File};
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::ContentType;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App, HttpResponse, ResponseError, error};
use futures_util::stream;
use serde_json::{Value, json};
use stagedoor::{Build, Caching, Duties, ErrorPage, Release, Representation, RequestId, build};
use testbed::directory;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level};

use support::app::{Answer, MESSAGE, asked, duties, loaded, serve};

mod support;

const PRODUCTION: &[(&str, &str)] = &[("APP_ENV", "production")];
const PREVIEW: &[(&str, &str)] = &[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "open: sésame")];
/// `any:open: sésame`
const CREDENTIALS: &str = "Basic YW55Om9wZW46IHPDqXNhbWU=";

/// On every answer, whatever it is.
const ALWAYS: [(&str, &str); 2] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
];

/// Asks an app with these variables, and with the routes below.
fn ask(variables: &[(&str, &str)], request: TestRequest) -> Answer {
    serve(&duties(variables), routes)(request)
}

/// What apps do: panic, fail, set headers, stream, answer with errors of their own.
fn routes(app: &mut ServiceConfig) {
    app.route("/panics", web::get().to(async || panic!("on purpose") as HttpResponse));
    app.route(
        "/panics-at-once",
        web::get().to(|| -> std::future::Ready<HttpResponse> { panic!("on purpose") }),
    );
    app.route(
        "/fails",
        web::get().to(async || {
            Err::<HttpResponse, _>(error::ErrorInternalServerError(
                "the database is at db.internal",
            ))
        }),
    );
    app.route(
        "/framed",
        web::get().to(async || {
            HttpResponse::Ok()
                .append_header(("content-security-policy", "frame-ancestors a.example"))
                .append_header(("content-security-policy", "img-src 'self'"))
                .append_header(("x-request-id", "its own"))
                .finish()
        }),
    );
    app.route("/teapot", web::get().to(async || HttpResponse::ImATeapot().body("short and stout")));
    app.route("/id", web::get().to(async |id: RequestId| id.to_string()));
    app.route(
        "/which",
        web::get().to(async |release: web::Data<Release>| release.environment.to_string()),
    );
    app.route(
        "/stream",
        web::get().to(async || {
            let parts =
                ["one, ", "two, ", "three"].map(|part| Ok::<_, error::Error>(Bytes::from(part)));
            HttpResponse::Ok().streaming(stream::iter(parts))
        }),
    );
    let done = Representation::new("text/plain", Caching::Revalidate, "done\n");
    app.route("/posted", web::post().to(move || std::future::ready(done.clone())));
    app.route("/echo", web::post().to(async |body: Bytes| body));
    app.route("/typed/{number}", web::get().to(async |number: web::Path<u8>| number.to_string()));
    app.route(
        "/sold-out",
        web::get().to(async || {
            ErrorPage::answer(StatusCode::CONFLICT, "Sold out", "Every seat <is> taken.")
        }),
    );
    app.route("/members", web::get().to(async || HttpResponse::Unauthorized().finish()));
    app.route("/full", web::get().to(async || Err::<HttpResponse, _>(House::Full)));
    app.route("/both", web::get().to(async || "got"))
        .route("/both", web::post().to(async || "posted"));
    app.service(
        web::resource("/resource")
            .route(web::get().to(async || "got"))
            .route(web::put().to(async || "put")),
    );
    app.service(
        web::scope("/scope")
            .route("/deep", web::delete().to(async || "deleted"))
            .service(web::resource("/resource").route(web::get().to(async || "got"))),
    );
    app.route("/any", web::to(async || "any"));
}

/// An error of an app's own, with a body of its own.
#[derive(Debug)]
enum House {
    Full,
}

impl std::fmt::Display for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sold out in the table `seats`")
    }
}

impl ResponseError for House {
    fn status_code(&self) -> StatusCode {
        StatusCode::CONFLICT
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .content_type(ContentType::json())
            .body(r#"{"error":"sold out"}"#)
    }
}

fn get(path: &str) -> TestRequest {
    TestRequest::with_uri(path).insert_header(("host", "board.example"))
}

fn post(path: &str) -> TestRequest {
    get(path).method(Method::POST)
}

#[test]
fn a_page_comes_in_the_format_that_the_client_prefers() {
    let json = ask(&[], get("/").insert_header(("accept", "application/json")));
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(json.json()["message"], MESSAGE);

    let text = ask(&[], get("/").insert_header(("accept", "text/plain")));
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(text.text(), format!("{MESSAGE}\n"));

    for accept in ["*/*", "text/html,*/*;q=0.8", "image/png"] {
        let html = ask(&[], get("/").insert_header(("accept", accept)));
        assert_eq!(html.header("content-type"), "text/html; charset=utf-8", "{accept}");
        assert_eq!(html.header("vary"), "accept, accept-encoding");
    }
}

#[test]
fn an_unchanged_page_costs_nothing() {
    let page = ask(&[], get("/"));
    let tag = page.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "a strong tag: {tag}");
    assert_eq!(page.header("cache-control"), "no-cache");

    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = ask(&[], get("/").insert_header(("if-none-match", known.as_str())));
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{known}");
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), tag);
        assert_eq!(again.header("cache-control"), "no-cache");
        assert_eq!(again.header("vary"), "accept, accept-encoding");
    }
    for unknown in ["", "\"\"", tag.trim_matches('"'), &tag[..8]] {
        let page = ask(&[], get("/").insert_header(("if-none-match", unknown)));
        assert_eq!(page.status, StatusCode::OK, "{unknown}");
    }
}

#[test]
fn who_wants_another_form_than_there_is_gets_412() {
    let tag = ask(&[], get("/")).header("etag").to_owned();
    for same in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
        let page = ask(&[], get("/").insert_header(("if-match", same.as_str())));
        assert_eq!(page.status, StatusCode::OK, "{same}");
        // Where both stand, it counts first.
        let both = get("/").insert_header(("if-match", same.as_str()));
        let both = ask(&[], both.insert_header(("if-none-match", tag.as_str())));
        assert_eq!(both.status, StatusCode::NOT_MODIFIED, "{same}");
    }
    for another in ["\"other\"".to_owned(), format!("W/{tag}"), String::new()] {
        let refused = get("/").insert_header(("if-match", another.as_str()));
        let refused = ask(&[], refused.insert_header(("if-none-match", tag.as_str())));
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{another}");
    }
}

#[test]
fn no_condition_turns_what_a_post_answers_into_something_else() {
    for (name, value) in [("if-none-match", "*"), ("if-match", "\"other\"")] {
        let answer = ask(&[], post("/posted").insert_header((name, value)));
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "done\n"), "{name}");
    }
}

#[test]
fn all_lines_of_a_list_count_as_one() {
    let lines = |name, values: [&str; 2]| {
        let [first, second] = values;
        get("/").append_header((name, first)).append_header((name, second))
    };
    let json = ask(&[], lines("accept", ["text/html;q=0.1", "application/json"]));
    assert_eq!(json.header("content-type"), "application/json");
    let problem = ask(&[], {
        let accept = ("accept", "application/problem+json");
        get("/nowhere").append_header(("accept", "text/html;q=0.1")).append_header(accept)
    });
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let gzip = ask(&[], lines("accept-encoding", ["br", "gzip"]));
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let tag = ask(&[], get("/")).header("etag").to_owned();
    let known = ask(&[], lines("if-none-match", ["\"other\"", &tag]));
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&[], lines("if-match", ["\"other\"", &tag])).status, StatusCode::OK);
}

#[test]
fn each_form_has_a_tag_of_its_own() {
    let mut tags = Vec::new();
    for (accept, encoding) in
        [("*/*", ""), ("*/*", "gzip"), ("application/json", ""), ("text/plain", "")]
    {
        let request =
            get("/").insert_header(("accept", accept)).insert_header(("accept-encoding", encoding));
        let tag = ask(&[], request).header("etag").to_owned();
        assert!(!tags.contains(&tag), "{accept} {encoding} shares {tag}");
        tags.push(tag);
    }
}

#[test]
fn gzip_is_sent_to_who_takes_it() {
    let plain = ask(&[], get("/"));
    assert_eq!(plain.header("content-encoding"), "");
    let gzip = ask(&[], get("/").insert_header(("accept-encoding", "gzip, br")));
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip.body[..]), &mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.body);
    assert!(gzip.body.len() < plain.body.len());

    let tag = gzip.header("etag").to_owned();
    let again =
        get("/").insert_header(("accept-encoding", "gzip")).insert_header(("if-none-match", tag));
    assert_eq!(ask(&[], again).status, StatusCode::NOT_MODIFIED);
}

#[test]
fn release_says_what_runs_and_is_never_cached() {
    let variables = [
        ("APP_ENV", "production"),
        ("HEROKU_APP_NAME", "myapp"),
        ("HEROKU_RELEASE_VERSION", "v42"),
        ("HEROKU_RELEASE_CREATED_AT", "2026-11-23T01:02:03Z"),
        ("HEROKU_SLUG_COMMIT", "abc"),
    ];
    let settings = loaded(&variables).platform;
    let release = Release::new(&Build { message: Some(MESSAGE), ..build!() }, &settings).unwrap();
    let build = release.build.clone();
    let release = serve(&Duties::new(&settings, release), |_| {})(get("/release"));
    assert_eq!(release.header("content-type"), "application/json");
    assert_eq!(release.header("cache-control"), "no-store");
    assert_eq!(release.header("etag"), "");
    let commit = option_env!("SOURCE_VERSION").filter(|c| !c.is_empty()).unwrap_or("abc");
    assert_eq!(
        release.json(),
        json!({
            "message": MESSAGE,
            "environment": "production",
            "version": env!("CARGO_PKG_VERSION"),
            "build": build,
            "commit": commit,
            "app": "myapp",
            "release": "v42",
            "released_at": "2026-11-23T01:02:03Z",
        })
    );
    let digest = build.strip_prefix("sha256:").unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{build}");
}

#[test]
fn what_is_unknown_of_a_release_is_null() {
    let release = ask(&[], get("/release")).json();
    for field in ["app", "release", "released_at"] {
        assert_eq!(release[field], Value::Null, "{field}");
    }
}

#[test]
fn health_is_ok_without_password_or_detour() {
    let http = get("/health").insert_header(("x-forwarded-proto", "http"));
    let health = ask(PREVIEW, http);
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.text(), "ok\n");
    assert_eq!(health.header("cache-control"), "no-store");
}

#[test]
fn production_alone_may_be_indexed() {
    let robots = ask(PRODUCTION, get("/robots.txt"));
    assert_eq!(robots.text(), "User-agent: *\nAllow: /\n");
    assert_eq!(robots.header("x-robots-tag"), "");
    for environment in ["development", "review", "staging"] {
        let variables = [("APP_ENV", environment), ("PREVIEW_PASSWORD", "x")];
        let robots = ask(&variables, get("/robots.txt"));
        assert_eq!(robots.status, StatusCode::OK, "{environment}");
        // Crawlers must be let in to see that they may list nothing.
        assert_eq!(robots.text(), "User-agent: *\nAllow: /\n", "{environment}");
        assert_eq!(robots.header("x-robots-tag"), "noindex", "{environment}");
        assert_eq!(ask(&variables, get("/nowhere")).header("x-robots-tag"), "noindex");
    }
}

#[test]
fn an_unknown_path_is_not_found_in_the_form_that_the_client_prefers() {
    let id = "0123456789-abcdefghij";
    let request = |accept| {
        get("/nowhere?q").insert_header(("x-request-id", id)).insert_header(("accept", accept))
    };

    let html = ask(&[], request("*/*"));
    assert_eq!(html.status, StatusCode::NOT_FOUND);
    assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
    assert!(html.text().contains(id) && html.text().contains("Not found"), "{}", html.text());
    assert_eq!(html.header("cache-control"), "no-store");

    let json = ask(&[], request("application/json"));
    assert_eq!(json.header("content-type"), "application/problem+json");
    assert_eq!(json.json()["status"], 404);
    assert_eq!(json.json()["request_id"], id);

    let text = ask(&[], request("text/plain"));
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    assert!(text.text().contains(id), "{}", text.text());
}

#[test]
fn a_path_that_only_resembles_a_page_is_not_found() {
    for path in [
        "//",
        "/release/",
        "/RELEASE",
        "/%2F",
        "/release%00",
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/assets/",
        "/assets/site.css",
    ] {
        assert_eq!(ask(&[], get(path)).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn every_page_can_be_read_and_nothing_else() {
    for path in ["/", "/release", "/health", "/robots.txt"] {
        assert_eq!(ask(&[], get(path)).status, StatusCode::OK, "GET {path}");
        assert_eq!(ask(&[], get(path).method(Method::HEAD)).status, StatusCode::OK, "HEAD {path}");
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = ask(&[], get(path).method(method.clone()));
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }
    }
}

#[test]
fn what_a_handler_sets_itself_stays_but_for_the_request_id() {
    let id = "0123456789-abcdefghij";
    let answer = ask(&[], get("/framed").insert_header(("x-request-id", id)));
    let policies: Vec<_> = answer.headers.get_all("content-security-policy").collect();
    assert_eq!(policies, ["frame-ancestors a.example", "img-src 'self'"]);
    let ids: Vec<_> = answer.headers.get_all("x-request-id").collect();
    assert_eq!(ids, [id]);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[test]
fn every_answer_has_the_headers() {
    let credentials = ("authorization", CREDENTIALS);
    let table = [
        (StatusCode::OK, get("/").insert_header(credentials)),
        (StatusCode::OK, get("/health")),
        (
            StatusCode::NOT_MODIFIED,
            get("/").insert_header(credentials).insert_header(("if-none-match", "*")),
        ),
        (StatusCode::MOVED_PERMANENTLY, get("/").insert_header(("x-forwarded-proto", "http"))),
        (StatusCode::PERMANENT_REDIRECT, post("/").insert_header(("x-forwarded-proto", "http"))),
        (
            StatusCode::PRECONDITION_FAILED,
            get("/").insert_header(credentials).insert_header(("if-match", "\"another\"")),
        ),
        (
            StatusCode::BAD_REQUEST,
            TestRequest::with_uri("/").insert_header(("x-forwarded-proto", "http")),
        ),
        (StatusCode::UNAUTHORIZED, get("/")),
        (StatusCode::NOT_FOUND, get("/nowhere").insert_header(credentials)),
        (StatusCode::METHOD_NOT_ALLOWED, post("/").insert_header(credentials)),
        (StatusCode::IM_A_TEAPOT, get("/teapot").insert_header(credentials)),
        (StatusCode::INTERNAL_SERVER_ERROR, get("/fails").insert_header(credentials)),
        (StatusCode::INTERNAL_SERVER_ERROR, get("/panics").insert_header(credentials)),
        (StatusCode::CONFLICT, get("/full").insert_header(credentials)),
        (StatusCode::OK, get("/stream").insert_header(credentials)),
    ];
    for (status, request) in table {
        let answer = ask(PREVIEW, request);
        assert_eq!(answer.status, status);
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), value, "{name} with {status}");
            assert_eq!(answer.headers.get_all(name).count(), 1, "{name} with {status}");
        }
        assert_eq!(answer.header("x-robots-tag"), "noindex", "{status}");
        assert!(answer.header("x-request-id").len() >= 20, "{status}");
        assert_eq!(answer.headers.get_all("x-request-id").count(), 1);
    }
}

#[test]
fn a_handlers_failure_says_nothing_but_the_request_id() {
    for path in ["/fails", "/panics", "/panics-at-once"] {
        let answer = ask(&[], get(path).insert_header(("accept", "application/json")));
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(
            !answer.text().contains("db.internal") && !answer.text().contains("purpose"),
            "{}",
            answer.text()
        );
        assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
    }
}

#[test]
fn why_a_request_failed_is_logged_as_an_error_and_why_one_was_refused_at_debug() {
    let file = directory().join("log");
    let log = Arc::new(File::create(&file).unwrap());
    let subscriber = tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_writer(log);
    // Of a line that another test comes by first, on a thread without a subscriber, `tracing` would think that nobody
    // wants it, as long as there is one subscriber alone.
    let _another = Dispatch::new(NoSubscriber::default());
    tracing::subscriber::with_default(subscriber.with_ansi(false).finish(), || {
        ask(&[], get("/fails"));
        ask(&[], get("/typed/many"));
        ask(&[], get("/panics").insert_header(("x-request-id", "0123456789-abcdefghij")));
    });
    let log = fs::read_to_string(file).unwrap();
    let line = |text: &str| {
        log.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{log}"))
    };
    assert!(line("a request failed").contains("ERROR"), "{log}");
    assert!(line("a request failed").contains("db.internal"), "{log}");
    assert!(line("panicked").contains("on purpose"), "{log}");
    assert!(line("panicked").contains("0123456789-abcdefghij"), "{log}");
    assert_eq!(log.matches("panicked").count(), 1, "{log}");
    assert!(line("a request was refused").contains("DEBUG"), "{log}");
    assert!(line("a request was refused").contains("many"), "{log}");
}

#[test]
fn an_app_gives_an_error_words_of_its_own_in_every_format() {
    let ask = |accept| ask(&[], get("/sold-out").insert_header(("accept", accept)));
    let html = ask("text/html");
    assert_eq!(html.status, StatusCode::CONFLICT);
    assert!(
        html.text().contains("<h1>Sold out</h1>\n<p>Every seat &lt;is&gt; taken.</p>"),
        "{}",
        html.text()
    );
    let json = ask("application/json").json();
    assert_eq!(json["title"], "Sold out");
    assert_eq!(json["detail"], "Every seat <is> taken.");
    assert!(ask("text/plain").text().starts_with("409 Sold out: Every seat <is> taken.\n"));
}

#[test]
fn only_the_previews_own_refusal_speaks_of_a_preview() {
    let of_the_app = ask(&[], get("/members").insert_header(("accept", "text/plain")));
    assert_eq!(of_the_app.status, StatusCode::UNAUTHORIZED);
    assert!(!of_the_app.text().contains("preview"), "{}", of_the_app.text());
    let of_the_preview = ask(PREVIEW, get("/members").insert_header(("accept", "text/plain")));
    assert!(of_the_preview.text().contains("This preview opens"), "{}", of_the_preview.text());
    // No status has a text that says what is not so: that only reading is possible, say.
    let posted = ask(&[], get("/echo").insert_header(("accept", "text/plain")));
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(posted.text().contains("does not take this method"), "{}", posted.text());
}

#[test]
fn an_answer_that_a_handler_wrote_on_purpose_is_kept() {
    assert_eq!(ask(&[], get("/teapot")).text(), "short and stout");
}

#[test]
fn a_request_id_is_kept_when_the_router_would_keep_it_and_else_made() {
    let kept = "AZaz09+/=-AZaz09+/=-";
    let answer = ask(&[], get("/").insert_header(("x-request-id", kept)));
    assert_eq!(answer.header("x-request-id"), kept);
    for odd in ["short", "<script>alert(1)</script>", "with spaces in it, 20 and more"] {
        let answer = ask(&[], get("/nowhere").insert_header(("x-request-id", odd)));
        let made = answer.header("x-request-id");
        assert!(made.len() >= 20 && made != odd, "{made}");
        assert!(!answer.text().contains(odd));
    }
}

#[test]
fn plain_http_is_redirected_with_its_host_path_and_query() {
    let table = [
        ("/", "https://board.example/"),
        ("/x?a=1&b=2", "https://board.example/x?a=1&b=2"),
        ("//evil.example/x", "https://board.example//evil.example/x"),
        ("/%0d%0aset-cookie:x", "https://board.example/%0d%0aset-cookie:x"),
        ("http://board.example/x?y", "https://board.example/x?y"),
        ("http://board.example?y", "https://board.example/?y"),
        ("http://other.example:80/x?y", "https://other.example/x?y"),
    ];
    for (uri, expected) in table {
        let request = get(uri)
            .insert_header(("x-forwarded-proto", "http"))
            .insert_header(("forwarded", "host=evil.example;proto=https"))
            .insert_header(("x-forwarded-host", "evil.example"));
        let answer = ask(PRODUCTION, request);
        assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY, "{uri}");
        assert_eq!(answer.header("location"), expected);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("strict-transport-security"), "");
    }
}

#[test]
fn a_redirect_leads_to_the_host_without_its_port_and_a_post_stays_one() {
    let hosts = [
        ("board.example:80", "https://board.example/"),
        ("board.example:", "https://board.example/"),
        ("[::1]:5000", "https://[::1]/"),
        ("[::1]", "https://[::1]/"),
    ];
    for (host, location) in hosts {
        let (http, host) = (("x-forwarded-proto", "http"), ("host", host));
        for (method, status) in [("GET", 301), ("HEAD", 301), ("POST", 308), ("PUT", 308)] {
            let request = TestRequest::with_uri("/").method(method.parse().unwrap());
            let answer = ask(PRODUCTION, request.insert_header(host).insert_header(http));
            assert_eq!(answer.status, status, "{method}");
            assert_eq!(answer.header("location"), location);
        }
    }
}

#[test]
fn a_redirect_never_leads_to_what_is_no_host() {
    for host in ["", "evil.example/", "user@evil.example", "a b", "a?b", "a#b", "a\\b"] {
        let request = TestRequest::with_uri("/")
            .insert_header(("host", host))
            .insert_header(("x-forwarded-proto", "http"));
        let answer = ask(PRODUCTION, request);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{host}");
        assert_eq!(answer.header("location"), "");
    }
}

#[test]
fn only_the_routers_own_word_for_http_redirects() {
    for proto in ["https", "HTTP", "http, https", ""] {
        let answer = ask(PRODUCTION, get("/").insert_header(("x-forwarded-proto", proto)));
        assert_eq!(answer.status, StatusCode::OK, "{proto}");
    }
    assert_eq!(ask(PRODUCTION, get("/")).status, StatusCode::OK);
    let allowed = [("APP_ENV", "production"), ("FORCE_HTTPS", "false")];
    let answer = ask(&allowed, get("/").insert_header(("x-forwarded-proto", "http")));
    assert_eq!(answer.status, StatusCode::OK);
}

#[test]
fn hsts_is_sent_over_https_only() {
    let https = || get("/").insert_header(("x-forwarded-proto", "https"));
    let answer = ask(PRODUCTION, https());
    assert_eq!(answer.header("strict-transport-security"), "max-age=2592000");
    assert_eq!(ask(PRODUCTION, get("/")).header("strict-transport-security"), "");
    assert_eq!(ask(&[], https()).header("strict-transport-security"), "");
}

#[test]
fn a_preview_opens_to_its_password_under_any_name() {
    // `printf 'NAME:PASSWORD' | base64`, with the names `any`, `` and `a b`.
    for credentials in
        [CREDENTIALS, "basic Om9wZW46IHPDqXNhbWU=", "Basic  YSBiOm9wZW46IHPDqXNhbWU="]
    {
        let answer = ask(PREVIEW, get("/").insert_header(("authorization", credentials)));
        assert_eq!(answer.status, StatusCode::OK, "{credentials}");
    }
}

#[test]
fn a_preview_stays_shut_without_its_password() {
    // `printf ':open' | base64`, the right one without a colon before it, in another scheme, broken.
    let wrong = [
        "",
        "Basic",
        "Basic ",
        "Basic Om9wZW4=",
        "Basic b3BlbjogccOpc2FtZQ==",
        "Bearer YW55Om9wZW46IHPDqXNhbWU=",
        "Basic YW55Om9wZW46IHPDqXNhbWU",
        "Basic !!!!",
        "YW55Om9wZW46IHPDqXNhbWU=",
        "Basic Og==",
    ];
    for credentials in wrong {
        let answer = ask(PREVIEW, get("/release").insert_header(("authorization", credentials)));
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{credentials}");
        assert!(answer.header("www-authenticate").starts_with("Basic realm="));
        assert!(!answer.text().contains("sha256:"), "{}", answer.text());
    }
    for path in ["/", "/nowhere", "/assets"] {
        assert_eq!(ask(PREVIEW, get(path)).status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(ask(PREVIEW, post(path)).status, StatusCode::UNAUTHORIZED, "POST {path}");
    }
}

#[test]
fn what_a_password_opens_is_for_no_shared_cache() {
    let ask = serve(&duties(PREVIEW).public("/assets/"), |app| {
        app.route("/plain", web::get().to(async || "plain"));
        app.route("/assets/site.css", web::get().to(async || "p {}"));
    });
    let cached = |path| {
        let request = get(path).insert_header(("authorization", CREDENTIALS));
        ask(request).header("cache-control").to_owned()
    };
    assert_eq!(cached("/"), "private, no-cache");
    assert_eq!(cached("/plain"), "private");
    assert_eq!(cached("/release"), "no-store");
    for public in ["/robots.txt", "/assets/site.css", "/health"] {
        assert!(!cached(public).contains("private"), "{public}");
    }
    let known = get("/").insert_header(("authorization", CREDENTIALS));
    let known = ask(known.insert_header(("if-none-match", "*")));
    assert_eq!(known.header("cache-control"), "private, no-cache");
    assert_eq!(crate::ask(&[], get("/")).header("cache-control"), "no-cache");
}

#[test]
fn https_comes_before_the_password() {
    let answer = ask(PREVIEW, get("/").insert_header(("x-forwarded-proto", "http")));
    assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
}

#[test]
fn head_is_answered_wherever_get_is_and_405_names_what_is_allowed() {
    let table = [
        ("/id", "GET, HEAD"),
        ("/echo", "POST"),
        ("/both", "GET, HEAD, POST"),
        ("/typed/7", "GET, HEAD"),
        ("/resource", "GET, HEAD, PUT"),
        ("/scope/deep", "DELETE"),
        ("/scope/resource", "GET, HEAD"),
    ];
    let ask = serve(&duties(&[]), routes);
    for (path, allowed) in table {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = ask(get(path).method(method.clone()));
            if allowed.split(", ").any(|name| name == method.as_str()) {
                assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
                assert_eq!(answer.header("allow"), "");
            } else {
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                assert_eq!(answer.header("allow"), allowed, "{method} {path}");
                assert!(answer.text().contains("Method not allowed"), "{}", answer.text());
            }
        }
    }
    for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
        assert_eq!(ask(get("/any").method(method)).text(), "any");
    }
    for path in ["/nowhere", "/scope/nowhere", "/scope"] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let answer = ask(get(path).method(method));
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.header("allow"), "", "{path}");
        }
    }
}

#[test]
fn what_an_app_itself_answers_to_an_unknown_path_or_method_stays() {
    let nothing = async || HttpResponse::NotFound().body("gone fishing");
    let app =
        App::new()
            .route("/read", web::get().to(async || "read"))
            .service(web::resource("/told").route(web::get().to(async || "read")).default_service(
                web::to(async || HttpResponse::MethodNotAllowed().body("read it")),
            ))
            .default_service(web::to(nothing));
    let ask = asked(duties(&[]).around(app));
    assert_eq!(ask(get("/nowhere")).text(), "gone fishing");
    let told = ask(post("/told"));
    assert_eq!((told.status, told.text()), (StatusCode::METHOD_NOT_ALLOWED, "read it"));
    // It answers a wrong method too: actix asks it as it would for an unknown path.
    assert_eq!(ask(post("/read")).text(), "gone fishing");
}

#[test]
fn a_body_is_streamed_and_an_error_body_of_the_apps_own_stays() {
    let ask = serve(&duties(&[]), routes);
    assert_eq!(ask(get("/stream")).text(), "one, two, three");
    let full = ask(get("/full"));
    assert_eq!(full.status, StatusCode::CONFLICT);
    assert_eq!(full.header("content-type"), "application/json");
    assert_eq!(full.text(), r#"{"error":"sold out"}"#);
    assert_eq!(ask(post("/echo").set_payload("and back")).text(), "and back");
}

#[test]
fn an_error_whose_body_is_only_its_text_gets_a_page_that_does_not_show_it() {
    for path in ["/typed/many", "/typed/256"] {
        let answer = ask(&[], get(path));
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.text().contains("Not found"), "{}", answer.text());
        assert!(
            !answer.text().contains("parse") && !answer.text().contains("number"),
            "{}",
            answer.text()
        );
    }
}

#[test]
fn handlers_take_the_requests_id_and_the_release() {
    let kept = "0123456789-abcdefghij";
    assert_eq!(ask(&[], get("/id").insert_header(("x-request-id", kept))).text(), kept);
    let made = ask(&[], get("/id"));
    assert_eq!(made.text(), made.header("x-request-id"));
    assert_eq!(ask(PRODUCTION, get("/which")).text(), "production");
}

#[test]
fn an_id_without_the_duties_is_an_error_that_says_what_is_missing() {
    let answer =
        asked(App::new().route("/", web::get().to(async |_: RequestId| "never")))(get("/"));
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text().contains("Duties::around"), "{}", answer.text());
}

#[test]
fn an_apps_own_error_page_is_shown_to_browsers_alone() {
    let duties = duties(&[]).error_page(|error| format!("<p>{} {}</p>", error.status, error.title));
    let ask = serve(&duties, routes);
    assert_eq!(ask(get("/nowhere")).text(), "<p>404 Not found</p>");
    assert_eq!(ask(get("/fails")).text(), "<p>500 Something went wrong</p>");
    let json = ask(get("/nowhere").insert_header(("accept", "application/json")));
    assert_eq!(json.json()["title"], "Not found");
}

#[test]
fn an_error_page_that_panics_is_replaced_by_a_plain_one() {
    let duties = duties(&[]).error_page(|_| panic!("no page today"));
    let answer = serve(&duties, routes)(get("/nowhere"));
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("Not found"), "{}", answer.text());
    assert!(answer.text().contains(answer.header("x-request-id")), "{}", answer.text());
}

#[test]
fn a_preview_shows_without_its_password_what_is_public_and_nothing_else() {
    let duties = duties(PREVIEW).public("/assets/");
    let ask = serve(&duties, |app| {
        app.route("/assets/site.css", web::get().to(async || "p {}"));
    });
    assert_eq!(ask(get("/assets/site.css")).text(), "p {}");
    for path in ["/assets", "/", "/assetsx", "//assets/site.css", "/x/assets/site.css"] {
        assert_eq!(ask(get(path)).status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[test]
fn a_middleware_of_the_apps_own_that_answers_early_is_inside_the_duties() {
    let app = App::new().route("/", web::get().to(async || "never")).wrap(from_fn(
        async |request: ServiceRequest, _: Next<BoxBody>| {
            Ok(request.into_response(HttpResponse::TooManyRequests().finish()))
        },
    ));
    let answer = asked(duties(&[]).around(app))(get("/"));
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text().contains("Too many requests"), "{}", answer.text());
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), value);
    }
}

#[test]
fn an_apps_own_route_comes_before_one_of_the_duties() {
    let ask = serve(&duties(&[]), |app| {
        app.route("/robots.txt", web::get().to(async || "its own"));
    });
    assert_eq!(ask(get("/robots.txt")).text(), "its own");
    assert_eq!(ask(get("/health")).text(), "ok\n");
}

#[test]
fn a_connection_ends_after_a_body_that_was_not_read_and_goes_on_after_one_that_was() {
    let ask = serve(&duties(&[]), routes);
    assert!(!ask(post("/echo").set_payload("read")).is_last);
    assert!(ask(get("/id").set_payload("not read")).is_last);
    assert!(ask(post("/nowhere").set_payload("not read")).is_last);
}
