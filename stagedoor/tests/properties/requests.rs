//! Requests with any headers: none makes us fail, none opens a preview but by its password, and none is
//! led elsewhere.

use std::io::{Read, Write};
use std::net::Ipv6Addr;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use testbed::Variable;

use super::*;
use support::app::{Answer, duties, serve};
use support::start;

const PREVIEW: [Variable; 2] = [("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "open: sésame")];

/// What is read of a request, and words that it is made of. None opens a preview.
const HEADERS: [(&str, &[&str]); 7] = [
    (
        "accept",
        &[
            "text/html",
            "text/*",
            "text/plain",
            "application/json",
            "*/*",
            ",",
            ";q=",
            ";Q=0.",
            "0",
            "1",
            "-1",
            "1e9",
            "NaN",
            "inf",
            " ",
        ],
    ),
    ("accept-encoding", &["gzip", "br", "*", "identity", ",", ";q=", "0", "1.000", " "]),
    ("authorization", &["Basic", "bearer", " ", "=", "OnNlc2FtZQ==", "Og==", "og", "sésame", ":"]),
    ("if-none-match", &["*", "W/", "\"", "0123456789abcdef", ",", " "]),
    (
        "x-forwarded-for",
        &["203.0.113.7", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1%eth0", ",", " "],
    ),
    ("x-forwarded-proto", &["http", "https", ","]),
    ("x-request-id", &["0123456789abcdef", "AZ", "+/=-", "_", "é", " "]),
];

const PATHS: [&str; 7] =
    ["/", "/release", "/health", "/robots.txt", "/nowhere?a=b", "//", "http://board.example"];

const METHODS: [Method; 5] =
    [Method::GET, Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];

/// The app as it is served.
fn application(variables: &[Variable]) -> impl Fn(TestRequest) -> Answer + use<> {
    serve(&duties(variables), |_| {})
}

/// A request for `path` with this header.
fn get(path: &str, name: &str, value: impl AsRef<[u8]>) -> TestRequest {
    let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
    TestRequest::with_uri(path).append_header((HeaderName::try_from(name).unwrap(), value))
}

/// A header of any bytes at all, most of them near what they should be.
fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    select(&HEADERS[..]).prop_flat_map(|(name, words)| {
        let words = vec(select(words), 1..9);
        let value = words.clone().prop_map(|words| words.concat().into_bytes());
        let long = (words, 50..500_usize);
        let value = prop_oneof![
            4 => value.clone(),
            4 => mutated(value, any::<u8>()),
            2 => vec(any::<u8>(), 0..300),
            1 => long.prop_map(|(words, times)| words.concat().repeat(times).into_bytes()),
        ];
        (Just(name), value)
    })
}

/// Whether a header may hold this byte: whatever sends another, actix refuses.
fn is_allowed(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

#[test]
fn no_headers_make_us_fail_or_open_a_preview() {
    let requests = (select(&METHODS[..]), select(&PATHS[..]), vec(header(), 0..6));
    for variables in [&PREVIEW[..], &[]] {
        let ask = application(variables);
        for_any(3_000, &requests, |(method, path, headers)| {
            let mut request = get(path, "host", "board.example").method(method);
            for (name, mut value) in headers {
                value.retain(|b| is_allowed(*b));
                request = request.append_header((name, HeaderValue::from_bytes(&value).unwrap()));
            }
            let status = ask(request).status;
            prop_assert!(!status.is_server_error(), "{}", status);
            let is_open = variables.is_empty() || ["/health", "/robots.txt"].contains(&path);
            let turned_away = [
                StatusCode::UNAUTHORIZED,
                StatusCode::MOVED_PERMANENTLY,
                StatusCode::PERMANENT_REDIRECT,
            ];
            prop_assert!(is_open || turned_away.contains(&status), "{} is {}", path, status);
            Ok(())
        });
    }
}

#[test]
fn no_bytes_on_a_connection_make_us_fail() {
    let variables = [("RUST_LOG", "trace"), ("LOG_FORMAT", "json"), ("FORCE_HTTPS", "true")];
    let service = start(&variables);
    for_any(1_000, &vec(header(), 1..4), |headers| {
        let mut request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_vec();
        for (name, value) in headers {
            request.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        let mut stream = service.connect();
        stream.write_all(&request).unwrap();
        let mut status = [0; 10];
        stream.read_exact(&mut status).unwrap();
        prop_assert!(matches!(&status, b"HTTP/1.1 2" | b"HTTP/1.1 3" | b"HTTP/1.1 4"));
        Ok(())
    });
    assert_eq!(service.get("/health").status, 200);
    let (ended, log) = service.stop();
    assert_eq!(ended.code(), Some(0));
    for line in log {
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
        assert!(!line.contains("panicked"), "{line}");
    }
}

#[test]
fn a_redirect_leads_to_the_requests_own_host_path_and_query() {
    let plausible =
        "[A-Za-z0-9._-]{1,60}(:[0-9]{0,4})?|\\[[0-9a-f]{1,4}::[0-9a-f]{1,4}\\](:[0-9]{2})?";
    let plausible = plausible.prop_map(String::into_bytes).boxed();
    let host = prop_oneof![plausible.clone(), mutated(plausible, any::<u8>())];
    let path = "/[!-~&&[^#<>?`]]{0,40}"; // what actix takes, and no fragment: none is ever sent
    let query = "(\\?[!-~&&[^\"#<>]]{0,40})?";
    let form = select(&["", "", "http://", "HTTPS://"][..]);
    let ask = application(&[("APP_ENV", "production")]);
    for_any(5_000, &(host, form, path, query), |(mut host, form, path, query)| {
        host.retain(|b| is_allowed(*b));
        let is_ours = is_host(&host);
        // Its target may have the host, too.
        let form = if is_ours { form } else { "" };
        let authority = if form.is_empty() { "" } else { str::from_utf8(&host).unwrap() };
        let request = get(&format!("{form}{authority}{path}{query}"), "host", &host)
            .append_header(("x-forwarded-proto", "http"))
            .append_header(("x-forwarded-host", "evil.example"))
            .append_header(("forwarded", "host=evil.example"));
        let answer = ask(request);
        if is_ours {
            let location =
                [b"https://", without_port(&host), path.as_bytes(), query.as_bytes()].concat();
            prop_assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
            prop_assert_eq!(answer.bytes("location"), location);
        } else {
            prop_assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            prop_assert_eq!(answer.bytes("location"), b"");
        }
        Ok(())
    });
}

/// A host as it stands before its port.
fn without_port(host: &[u8]) -> &[u8] {
    let ends_address = host.iter().position(|&b| b == b']');
    let end = ends_address.map(|at| at + 1).or_else(|| host.iter().position(|&b| b == b':'));
    &host[..end.unwrap_or(host.len())]
}

/// Whether these bytes are a name or an address, and a port if there is a colon behind it.
fn is_host(host: &[u8]) -> bool {
    let is_in_names = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    let Ok(text) = str::from_utf8(host) else { return false };
    let after_name = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) if address.parse::<Ipv6Addr>().is_ok() => after,
        Some(_) => return false,
        None => {
            let name = text.bytes().take_while(|b| is_in_names(*b)).count();
            if name == 0 {
                return false;
            }
            &text[name..]
        }
    };
    let port = after_name.strip_prefix(':').unwrap_or(after_name);
    after_name.is_empty() || port != after_name && port.bytes().all(|b| b.is_ascii_digit())
}

#[test]
fn a_preview_opens_to_any_password_that_it_has_and_to_no_other() {
    let password = "[!-~é ]{0,39}[!-~é]"; // blanks alone are refused at start
    let others = prop_oneof![misspelled(password.prop_map(String::from)), text()];
    for_any(500, &(password, others, "[^:]{0,20}"), |(password, other, user)| {
        let ask = application(&[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", &password)]);
        let opens_to = |given: &str| {
            let credentials = format!("Basic {}", BASE64.encode(format!("{user}:{given}")));
            ask(get("/", "authorization", credentials)).status == StatusCode::OK
        };
        prop_assert!(opens_to(&password));
        prop_assert_eq!(opens_to(&other), other == password);
        Ok(())
    });
}

#[test]
fn an_id_is_kept_if_the_router_would_have_let_it_pass_and_every_answer_has_one() {
    let is_id = |id: &[u8]| {
        let is_of_it = |b: &u8| b.is_ascii_alphanumeric() || b"+/=-".contains(b);
        (20..=200).contains(&id.len()) && id.iter().all(is_of_it)
    };
    let likely = "[A-Za-z0-9+/=-]{18,24}|[A-Za-z0-9+/=-]{195,205}".prop_map(String::into_bytes);
    let likely = likely.boxed();
    let ids = prop_oneof![likely.clone(), mutated(likely, any::<u8>())];
    let ask = application(&[]);
    for_any(3_000, &(select(&PATHS[..]), ids), |(path, mut id)| {
        id.retain(|b| is_allowed(*b));
        let answer = ask(get(path, "x-request-id", &id));
        let answered = answer.bytes("x-request-id");
        prop_assert!(is_id(answered));
        prop_assert_eq!(answered == id, is_id(&id));
        Ok(())
    });
}

#[test]
fn a_page_is_sent_again_unless_its_own_tag_is_in_the_list() {
    let ask = application(&[]);
    let own = String::from_utf8(ask(TestRequest::get()).bytes("etag").to_vec()).unwrap();
    let other = "(W/)?\"[!#-~]{0,30}\"";
    let lists = (vec(other, 0..6), any::<Index>(), any::<bool>(), select(&[",", ", ", " , "][..]));
    for_any(2_000, &(lists, any::<bool>()), |((mut tags, at, is_weak, comma), is_known)| {
        if is_known {
            let own = if is_weak { format!("W/{own}") } else { own.clone() };
            tags.insert(at.index(tags.len() + 1), own);
        }
        let answer = ask(get("/", "if-none-match", tags.join(comma)));
        let expected = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        prop_assert_eq!(answer.status, expected);
        Ok(())
    });
}
