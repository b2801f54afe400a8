//! What is answered to every request: the pages in process, through the application as it is served.

use std::sync::Arc;

use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service};
use actix_web::{HttpResponse, error, web};
use callboard::app::{Site, app};
use callboard::index::MESSAGE;
use callboard::release::Release;
use serde_json::{Value, json};

mod support;

const PRODUCTION: &[(&str, &str)] = &[("APP_ENV", "production")];
const PREVIEW: &[(&str, &str)] = &[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "open: sésame")];
/// `any:open: sésame`
const CREDENTIALS: &str = "Basic YW55Om9wZW46IHPDqXNhbWU=";

/// On every answer, whatever it is.
const ALWAYS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
];

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The paths of all assets that a page names, once for each time.
    fn assets(&self) -> Vec<&str> {
        self.text().split('"').filter(|text| text.starts_with("/assets/")).collect()
    }

    /// The path of its icon.
    fn icon(&self) -> &str {
        self.assets().into_iter().find(|path| path.contains(".svg")).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn site(variables: &[(&str, &str)]) -> Arc<Site> {
    let (settings, _) = support::load(variables).unwrap();
    Arc::new(Site::new(&settings, &Release::new(MESSAGE, "sha256:0123".to_owned(), &settings)))
}

/// Asks the application with these variables. Four more routes do what handlers of one's own do.
fn ask(variables: &[(&str, &str)], request: TestRequest) -> Answer {
    actix_web::rt::System::new().block_on(answer(variables, request))
}

async fn answer(variables: &[(&str, &str)], request: TestRequest) -> Answer {
    let secret = "the database is at db.internal";
    let service = init_service(
        app(&site(variables))
            .route("/panics", web::get().to(|| async { panic!("on purpose") as HttpResponse }))
            .route(
                "/fails",
                web::get().to(move || async move {
                    Err::<HttpResponse, _>(error::ErrorInternalServerError(secret))
                }),
            )
            .route(
                "/framed",
                web::get().to(|| async {
                    HttpResponse::Ok()
                        .append_header(("content-security-policy", "frame-ancestors a.example"))
                        .append_header(("content-security-policy", "img-src 'self'"))
                        .append_header(("x-request-id", "its own"))
                        .finish()
                }),
            )
            .route(
                "/teapot",
                web::get().to(|| async { HttpResponse::ImATeapot().body("short and stout") }),
            ),
    )
    .await;
    let answered = match service.call(request.to_request()).await {
        Ok(answered) => answered.map_into_boxed_body().into_parts().1,
        // What actix's dispatcher does with it.
        Err(error) => error.error_response(),
    };
    let (status, headers) = (answered.status(), answered.headers().clone());
    let body = to_bytes(answered.into_body()).await.unwrap().to_vec();
    Answer { status, headers, body }
}

fn get(path: &str) -> TestRequest {
    TestRequest::with_uri(path).insert_header(("host", "board.example"))
}

fn post(path: &str) -> TestRequest {
    get(path).method(Method::POST)
}

#[test]
fn the_index_shows_message_site_name_environment_and_release() {
    let variables = [
        ("APP_ENV", "staging"),
        ("SITE_NAME", "<Stage & Door>"),
        ("HEROKU_RELEASE_VERSION", "v42"),
        ("HEROKU_RELEASE_CREATED_AT", "2026-11-23T01:02:03Z"),
        ("HEROKU_BUILD_COMMIT", "0123456789abcdef"),
    ];
    let page = ask(&variables, get("/"));
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let shown =
        ["staging", "v42", "2026-11-23T01:02:03Z", "0123456789abcdef", "sha256:0123", MESSAGE];
    for text in shown {
        assert!(page.text().contains(text), "no {text} on {}", page.text());
    }
    assert!(page.text().contains("&#60;Stage &#38; Door&#62;"), "{}", page.text());
}

#[test]
fn the_index_leaves_out_what_is_not_known() {
    let page = ask(&[], get("/"));
    assert!(!page.text().contains("Release</dt>"), "{}", page.text());
    assert!(!page.text().contains("None"), "{}", page.text());
}

#[test]
fn the_index_tells_search_engines_and_shared_links_what_it_is() {
    let variables = [("SITE_NAME", "Mine"), ("SITE_URL", "https://www.example.com")];
    let production = ask(&[PRODUCTION, &variables].concat(), get("/"));
    let description = format!("On the board at Mine: {MESSAGE}");
    for tag in [
        format!("<title>{MESSAGE} · Mine</title>"),
        format!("<meta name=\"description\" content=\"{description}\">"),
        "<meta property=\"og:type\" content=\"website\">".to_owned(),
        "<meta property=\"og:site_name\" content=\"Mine\">".to_owned(),
        format!("<meta property=\"og:title\" content=\"{MESSAGE}\">"),
        format!("<meta property=\"og:description\" content=\"{description}\">"),
        "<meta property=\"og:url\" content=\"https://www.example.com/\">".to_owned(),
        "<link rel=\"canonical\" href=\"https://www.example.com/\">".to_owned(),
    ] {
        assert_eq!(production.text().matches(&tag).count(), 1, "{tag}: {}", production.text());
    }
    for environment in ["development", "review", "staging"] {
        let page = ask(&[&[("APP_ENV", environment)], &variables[..]].concat(), get("/"));
        assert!(!page.text().contains("example.com"), "{environment}: {}", page.text());
    }
}

#[test]
fn each_stages_icon_has_the_stages_colour_in_the_stylesheet() {
    let stylesheet = include_str!("../assets/callboard.css");
    for environment in ["development", "review", "staging", "production"] {
        let page = ask(&[("APP_ENV", environment)], get("/"));
        let path = page.icon();
        let rule = match environment {
            "development" => ":root {".to_owned(), // the others set it anew
            environment => format!(".{environment} {{"),
        };
        let (_, rule) = stylesheet.split_once(&rule).unwrap();
        let (_, colour) = rule.split_once("--stage: ").unwrap();
        let colour = &colour[.."#000000".len()];
        let icon = ask(&[("APP_ENV", environment)], get(path));
        assert!(icon.text().contains(colour), "{environment}: no {colour} in {}", icon.text());
    }
}

#[test]
fn the_stylesheet_has_a_class_for_every_size_of_the_message() {
    let stylesheet = include_str!("../assets/callboard.css");
    for length in 1..400 {
        let columns = callboard::poster::columns(&"x ".repeat(length));
        let rule = format!(".columns-{columns} {{ --columns: {columns}; }}");
        assert!(stylesheet.contains(&rule), "{rule}");
    }
}

#[test]
fn the_index_comes_in_the_form_that_the_client_prefers() {
    let json =
        ask(&[("SITE_NAME", "Mine")], get("/").insert_header(("accept", "application/json")));
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(json.json()["message"], MESSAGE);
    assert_eq!(json.json()["site_name"], "Mine");
    assert_eq!(json.json()["environment"], "development");
    assert_eq!(json.json()["build"], "sha256:0123");

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
fn the_page_and_its_assets_load_nothing_from_elsewhere() {
    let page = ask(&[], get("/"));
    let text = page.text();
    for reference in ["=\"http", "=\"//", "<script>", "style="] {
        assert!(!text.contains(reference), "{reference} in {text}");
    }
    assert_eq!(text.matches("src=").count(), text.matches("src=\"/assets/").count(), "{text}");
    for path in page.assets() {
        let asset = ask(&[], get(path));
        let text = asset.text().replace("http://www.w3.org/2000/svg", "");
        for reference in ["http:", "https:", "\"//", "url(", "import", "<script"] {
            assert!(!text.contains(reference), "{reference} in {path}");
        }
    }
}

#[test]
fn an_unchanged_page_costs_nothing_and_a_changed_one_shows_at_once() {
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
    let changed =
        ask(&[("SITE_NAME", "Another")], get("/").insert_header(("if-none-match", tag.as_str())));
    assert_eq!(changed.status, StatusCode::OK);
    for unknown in ["", "\"\"", tag.trim_matches('"'), &tag[..8]] {
        let page = ask(&[], get("/").insert_header(("if-none-match", unknown)));
        assert_eq!(page.status, StatusCode::OK, "{unknown}");
    }
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
    let release = ask(&variables, get("/release"));
    assert_eq!(release.header("content-type"), "application/json");
    assert_eq!(release.header("cache-control"), "no-store");
    assert_eq!(release.header("etag"), "");
    let commit = callboard::release::baked_commit().unwrap_or("abc");
    assert_eq!(
        release.json(),
        json!({
            "message": MESSAGE,
            "environment": "production",
            "version": env!("CARGO_PKG_VERSION"),
            "build": "sha256:0123",
            "commit": commit,
            "app": "myapp",
            "release": "v42",
            "released_at": "2026-11-23T01:02:03Z",
        })
    );
    let read: Release = serde_json::from_slice(&release.body).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), release.json());
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
        assert_eq!(robots.text(), "User-agent: *\nDisallow: /\n", "{environment}");
        assert_eq!(robots.header("x-robots-tag"), "noindex", "{environment}");
        assert_eq!(ask(&variables, get("/nowhere")).header("x-robots-tag"), "noindex");
    }
}

#[test]
fn the_pages_assets_are_named_by_content_and_kept_for_a_year() {
    let page = ask(&[], get("/"));
    let assets = page.assets();
    assert_eq!(assets.len(), 4, "the stylesheet, the script, and the icon twice: {assets:?}");
    for path in assets {
        let asset = ask(&[], get(path));
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert_eq!(asset.header("cache-control"), "max-age=31536000, immutable");
        assert_eq!(asset.header("vary"), "accept-encoding");
        let kind = match path.rsplit('.').next().unwrap() {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(asset.header("content-type"), kind);
    }
    let production = ask(PRODUCTION, get("/"));
    assert_ne!(page.icon(), production.icon(), "the icon tells the stage");
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
        "/assets/callboard.css",
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
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
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
        (StatusCode::PERMANENT_REDIRECT, get("/").insert_header(("x-forwarded-proto", "http"))),
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
    for path in ["/fails", "/panics"] {
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
    ];
    for (uri, expected) in table {
        let request = get(uri)
            .insert_header(("x-forwarded-proto", "http"))
            .insert_header(("forwarded", "host=evil.example;proto=https"))
            .insert_header(("x-forwarded-host", "evil.example"));
        let answer = ask(PRODUCTION, request);
        assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{uri}");
        assert_eq!(answer.header("location"), expected);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("strict-transport-security"), "");
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
fn the_page_that_asks_for_the_password_has_its_stylesheet_and_icon() {
    let page = ask(PREVIEW, get("/"));
    let assets = page.assets();
    assert_eq!(assets.len(), 2, "{}", page.text());
    for path in assets {
        assert_eq!(ask(PREVIEW, get(path)).status, StatusCode::OK, "{path}");
    }
}

#[test]
fn https_comes_before_the_password() {
    let answer = ask(PREVIEW, get("/").insert_header(("x-forwarded-proto", "http")));
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
}
