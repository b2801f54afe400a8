//! Broken and ambiguous requests, byte by byte: each is refused with the status that the RFCs ask for, and no
//! part of it is taken for another request. Sections are RFC 9112's unless another is named.

use std::io::{Read, Write};
use std::net::Shutdown;

use testbed::Service;

use crate::support::start;

/// What a smuggler puts behind a broken request, or into a body: 52 bytes. If it is answered, there is a
/// status line too many.
const HIDDEN: &[u8] = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// What actix reads of a head: 128 KiB. It closes on what goes beyond, and its answer may get lost.
const LONGEST_HEAD: usize = 131_072;

/// A site with every guard up.
const GUARDED: &[(&str, &str)] =
    &[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "swordfish"), ("FORCE_HTTPS", "true")];

/// What is wrong, and the bytes before the line of `Host: x`: 400 (3). For a version that is not ours 505
/// would do as well (RFC 9110, 15.6.6).
const LINES: &[(&str, &[u8])] = &[
    ("no version", b"GET /"),
    ("a whole request of HTTP/0.9", b"GET /\r\n"),
    ("version 0.9", b"GET / HTTP/0.9"),
    ("version 2.0", b"GET / HTTP/2.0"),
    ("version 9.9", b"GET / HTTP/9.9"),
    ("lower-case version", b"GET / http/1.1"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("CRs for line ends", b"GET / HTTP/1.1\rHost: x\r\r"),
    ("two spaces before the target", b"GET  / HTTP/1.1"),
    ("two spaces after the target", b"GET /  HTTP/1.1"),
    ("tabs", b"GET\t/\tHTTP/1.1"),
    ("a space in front", b" GET / HTTP/1.1"),
    ("a space at the end", b"GET / HTTP/1.1 "),
    ("NUL in front", b"\0GET / HTTP/1.1"),
    ("a delimiter in the method", b"G<T / HTTP/1.1"),
    ("non-ASCII in the method", b"G\xc3\x8bT / HTTP/1.1"),
    ("a space in the target", b"GET /a b HTTP/1.1"),
    ("NUL in the target", b"GET /\0health HTTP/1.1"),
    ("a control in the target", b"GET /\x01health HTTP/1.1"),
    ("DEL in the target", b"GET /health\x7f HTTP/1.1"),
    ("non-ASCII in the target", b"GET /\xc3\xa9 HTTP/1.1"),
    ("not UTF-8 in the query", b"GET /health?\xe9 HTTP/1.1"),
    ("a delimiter in the target", b"GET /<health> HTTP/1.1"),
    ("a URI without its host", b"GET http:///health HTTP/1.1"),
    ("two Hosts in HTTP/1.0 (3.2)", b"GET / HTTP/1.0\r\nHost: y"),
    ("chunks in HTTP/1.0 (6.1)", b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked"),
];

/// What is wrong, and the fields of a GET: 400.
const FIELDS: &[(&str, &[u8])] = &[
    ("no Host (3.2)", b"A: b"),
    ("two Hosts", b"Host: x\r\nHost: y"),
    ("two equal Hosts", b"Host: x\r\nhOST: x"),
    ("a space before the colon (5.1)", b"Host: x\r\nA : b"),
    ("no colon", b"Host: x\r\nA b"),
    ("no name", b"Host: x\r\n: b"),
    ("obs-fold (5.2)", b"Host: x\r\nA: b\r\n c"),
    ("obs-fold of Host", b"Host:\r\n x"),
    ("a space before the first field (2.2)", b" A: b\r\nHost: x"),
    ("NUL in a value (RFC 9110, 5.5)", b"Host: x\r\nA: b\0c"),
    ("a control in a value", b"Host: x\r\nA: b\x0bc"),
    ("a delimiter in a name", b"Host: x\r\nA(b): c"),
    ("non-ASCII in a name", b"Host: x\r\n\xc3\xa9: b"),
    ("CR in a value (2.2)", b"Host: x\r\nA: b\rHost: y"),
    ("LF in a value", b"Host: x\r\nA: b\nc"),
    ("CR CR LF", b"Host: x\r"),
];

/// What is wrong, and the fields that tell the length of a POST's body: 400 (6.1 to 6.3). The body is an
/// empty chunk of 5 bytes, and then those that are hidden.
const LENGTHS: &[(&str, &[u8])] = &[
    ("length and chunks", b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
    ("chunks and length", b"Transfer-Encoding: chunked\r\nContent-Length: 57"),
    ("chunks and no length", b"Transfer-Encoding: chunked\r\nContent-Length: 0"),
    ("two lengths", b"Content-Length: 5\r\nContent-Length: 57"),
    ("two equal lengths", b"Content-Length: 5\r\nContent-Length: 5"),
    ("a list of lengths", b"Content-Length: 5, 5"),
    ("a plus", b"Content-Length: +5"),
    ("a minus", b"Content-Length: -1"),
    ("hexadecimal", b"Content-Length: 0x5"),
    ("a length and more", b"Content-Length: 5 x"),
    ("an empty length", b"Content-Length:"),
    ("2 to the 64", b"Content-Length: 18446744073709551616"),
    ("a space before the colon", b"Content-Length : 5"),
    ("obs-fold", b"Content-Length:\r\n 5"),
    ("chunked, chunked", b"Transfer-Encoding: chunked, chunked"),
    ("chunked, and chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    ("identity, and chunked", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
    ("chunked, but not last", b"Transfer-Encoding: chunked, gzip"),
    ("identity", b"Transfer-Encoding: identity"),
    ("xchunked", b"Transfer-Encoding: xchunked"),
    ("VT and chunked", b"Transfer-Encoding: \x0bchunked"),
];

/// `Host`s that can't be ours: 400 (3.2). With `,`, `;`, `~` or `%` it is a name by RFC 3986 (3.2.2), but none in the DNS.
const HOSTS: &[&str] = &[
    "a b", "x, y", "x,y", "x;y", "x~y", "x%2ey", "x/health", "x?y", "x#y", "x\\y", "user@x",
    "http://x", "\"x\"", "é", ":80", "x:port", "x:80:80", "x:-1", "::1", "[::1", "[::1]x", "[x]",
];

/// Targets that can't be ours: 400 (3 and 3.2), or 405 where the method makes them well-formed.
const TARGETS: &[(&str, u16)] = &[
    ("GET *", 400),
    ("OPTIONS *", 405),
    ("GET health", 400),
    ("GET x:80", 400),
    ("OPTIONS x", 400),
    ("GET mailto:x", 400),
    ("GET http://user@x/health", 400), // RFC 9110, 4.2.4
    ("GET ftp://x/health", 400),
    ("CONNECT x:443", 405),
    ("CONNECT evil.example:443", 405),
    ("CONNECT /health", 405),
];

/// A target, its status, and the status without a preview's password. What needs no encoding means the
/// same with it (RFC 3986, 6.2.2.2); a slash does not, and nobody decodes twice.
const SPELLINGS: &[(&str, u16, u16)] = &[
    ("/health", 200, 200),
    ("/health?", 200, 200),
    ("/health?/../release%00%", 200, 200),
    ("http://x/health", 200, 200),
    ("HTTP://X/health", 200, 200),
    ("/robots.txt", 200, 200),
    ("/", 200, 401),
    ("http://x", 200, 401),
    ("/%68ealth", 200, 401),
    ("/robots%2Etxt", 200, 401),
    ("/%72elease", 200, 401),
    ("/%2572elease", 404, 401),
    ("/%2e%2e/release", 404, 401),
    ("/../release", 404, 401),
    ("/.%2e/health", 404, 401),
    ("/./health", 404, 401),
    ("/%2Fhealth", 404, 401),
    ("//health", 404, 401),
    ("/health/", 404, 401),
    ("/health%2f", 404, 401),
    ("/health%00", 404, 401),
    ("/health;x", 404, 401),
    ("/HEALTH", 404, 401),
    ("/\\health", 404, 401),
    ("/..\\health", 404, 401),
];

/// Name, fields and start of the body of a POST, and the statuses that come back. The hidden bytes are in the
/// body, or follow it. We answer before a broken chunk can show (7.1), so every answer says that the
/// connection ends.
const BODIES: &[(&str, &[u8], &[u16])] = &[
    ("a request for a body", b"Content-Length: 52\r\n\r\n", &[405]),
    ("more to come", b"Content-Length: 18446744073709551615\r\n\r\n", &[405]),
    ("a request for a chunk", b"Transfer-Encoding: chunked\r\n\r\n34\r\n", &[405]),
    ("a size that is none", b"Transfer-Encoding: chunked\r\n\r\ng\r\n", &[405]),
    ("a minus", b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", &[405]),
    ("0x", b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", &[405]),
    ("2 to the 64", b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n", &[405]),
    ("LF after the size", b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", &[405]),
    ("CR after the size", b"Transfer-Encoding: chunked\r\n\r\n0\r\r\n\r\n", &[405]),
    ("too short a chunk", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhi\r\n0\r\n\r\n", &[405]),
    ("too long a chunk", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", &[405]),
    ("no CRLF after a chunk", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", &[405]),
    ("a body awaited", b"Expect: 100-continue\r\nContent-Length: 52\r\n\r\n", &[100, 405]),
    // Only the exact names count: without them there is no body, and this is two more requests.
    ("an underscore", b"Content_Length: 52\r\n\r\n", &[405, 200]),
    ("another underscore", b"Transfer_Encoding: chunked\r\n\r\n", &[405, 200]),
    // Both may be ignored (RFC 9110, 10.1.1 and 7.8).
    ("an unknown expectation", b"Expect: tea\r\n\r\n", &[405, 200]),
    ("another protocol", b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n", &[405, 200]),
];

/// What it is, the whole request, and each status that comes back: what is taken otherwise than the RFCs
/// would like, most of it by actix. Held here to be seen when that changes.
const OTHERWISE: &[(&str, &[u8], &[u16])] = &[
    // May be taken for a line's end (2.2).
    ("LF for line ends", b"GET /health HTTP/1.1\nHost: x\n\n", &[200, 200]),
    ("LF between fields", b"GET /health HTTP/1.1\r\nA: b\nHost: x\r\n\r\n", &[200, 200]),
    // Should be 400 (3): cut off before the guards and the routes, which see one path.
    ("a fragment", b"GET /health#/../release HTTP/1.1\r\nHost: x\r\n\r\n", &[200, 200]),
    // Should be 400 (3), but browsers send them, and they mean nothing else.
    ("a bar in the query", b"GET /health?a|b HTTP/1.1\r\nHost: x\r\n\r\n", &[200, 200]),
    ("braces in the path", b"GET /{health} HTTP/1.1\r\nHost: x\r\n\r\n", &[404, 200]),
    // Should be taken for 1.1 (RFC 9110, 6.2): nobody speaks it.
    ("version 1.2", b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", &[400]),
    // Should be 501 (6.1; RFC 9110, 9.1): refused all the same. The 405s are ours: whoever reads the
    // metrics should find no 5xx there that was not our fault.
    ("gzip", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", &[400]),
    ("no such method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", &[405, 200]),
    ("a lower-case method", b"get / HTTP/1.1\r\nHost: x\r\n\r\n", &[405, 200]),
    // Has no body by 6.3, and is refused by RFC 1945, 8.3.
    ("no length in HTTP/1.0", b"POST / HTTP/1.0\r\n\r\n", &[400]),
    // Must not be answered (9.6), but what came along is. It is whole, and of the same client.
    ("a request after the last", HIDDEN, &[200, 200]),
    (
        "a request after a body",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n.",
        &[405, 200],
    ),
    ("a request after a 400 of ours", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", &[400, 200]),
    // Should be 400 (2.2): trailers are skipped, up to a CRLF of their own. Nobody reads them, and the
    // connection ends.
    (
        "a trailer",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\0\r\n\r\n",
        &[200, 200],
    ),
    (
        "LF for CRLF",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n",
        &[200],
    ),
    // May be ignored (RFC 9110, 7.8), and what follows is still a request: it goes unread.
    ("a websocket", b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", &[200]),
];

#[test]
fn a_broken_request_is_a_400_and_the_last_of_its_connection() {
    let service = start(&[]);
    let (get, post) = (b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n");
    let tables: [(&[u8], _, &[u8]); 3] = [
        (b"", LINES, b"\r\nHost: x\r\n\r\n"),
        (get, FIELDS, b"\r\n\r\n"),
        (post, LENGTHS, b"\r\n\r\n0\r\n\r\n"),
    ];
    for (before, table, after) in tables {
        for (name, bytes) in table {
            // Nothing says that this client is done: it is the service that closes.
            let answer = service.send(&[before, bytes, after, HIDDEN].concat());
            assert_eq!(statuses(&answer), [400], "{name}: {answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{name}: {answer}");
        }
    }
    let (_, log) = service.stop();
    let reached_us =
        log.iter().any(|line| line.contains("request_id") || line.contains("panicked"));
    assert!(!reached_us, "{log:#?}");
}

#[test]
fn what_is_too_long_is_refused() {
    let service = start(&[]);
    let filled = |start: &str| start.to_owned() + &"x".repeat(LONGEST_HEAD - start.len());
    let cases = [
        ("97 fields", format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(96)), 431),
        ("a name", filled("GET / HTTP/1.1\r\nHost: x\r\n"), 431),
        ("a value", filled("GET / HTTP/1.1\r\nHost: x\r\nA: "), 431),
        ("a Host", filled("GET / HTTP/1.1\r\nHost: "), 431),
        ("a version", filled("GET / HTTP/1.1"), 400),
        // Should be 501, and must be 414 (3), but actix decides: refused all the same.
        ("a method", filled(""), 431),
        ("a target", filled("GET /"), 431),
        (
            "64 KiB of target",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(65_535)),
            400,
        ),
    ];
    for (name, bytes, status) in cases {
        let answer = service.send(bytes.as_bytes());
        assert_eq!(statuses(&answer), [status], "{name}: {answer}");
    }
    // Should be 431. actix panics at it, and no answer comes: this connection ends, and no other.
    let name = format!("GET / HTTP/1.1\r\nHost: x\r\n{}: x\r\n\r\n", "x".repeat(65_536));
    assert_eq!(service.send(name.as_bytes()), "");
    assert_eq!(service.get("/health").status, 200);
}

#[test]
fn a_host_or_a_target_that_can_not_be_ours_is_refused_before_any_page() {
    let hosts = HOSTS.iter().flat_map(|host| {
        ["GET / HTTP/1.1", "GET /health HTTP/1.1"].map(|line| (line.to_owned(), *host, 400))
    });
    let targets = TARGETS.iter().map(|(line, status)| (format!("{line} HTTP/1.1"), "x", *status));
    let cases: Vec<_> = hosts.chain(targets).collect();
    for service in [start(&[]), start(GUARDED)] {
        for (line, host, status) in &cases {
            let head = format!("{line}\r\nHost: {host}\r\nX-Forwarded-Proto: http\r\n\r\n");
            // After a 400 it is the service that closes.
            let is_bad = *status == 400;
            let ask = if is_bad { Service::send } else { exchange };
            let answer = ask(&service, head.as_bytes());
            assert_eq!(statuses(&answer), [*status], "{head}{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n") || !is_bad, "{head}{answer}");
            assert!(answer.contains("\r\ncontent-security-policy: "), "{head}{answer}");
        }
        // No text at all, from one who need not name a host.
        let answer = service.send(b"GET / HTTP/1.0\r\nHost: \xff\r\n\r\n");
        assert_eq!(statuses(&answer), [400], "{answer}");
    }
}

#[test]
fn a_host_that_can_be_ours_is_taken_and_so_is_none_in_http_1_0() {
    let service = start(&[]);
    for host in ["", "x", "X.example.", "my_app-1.example:", "127.0.0.1:80", "[::1]", "[::1]:80"] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(statuses(&exchange(&service, head.as_bytes())), [200], "{host}");
    }
    assert_eq!(statuses(&service.send(b"GET / HTTP/1.0\r\n\r\n")), [200]);
}

#[test]
fn a_full_uri_counts_before_the_host() {
    let service = start(&[("APP_ENV", "production")]);
    for version in ["1.1", "1.0"] {
        for target in
            ["http://board.example/x", "http://board.example:80/x", "HTTP://board.example:8080/x"]
        {
            let head = format!(
                "GET {target} HTTP/{version}\r\nHost: y\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n"
            );
            let answer = service.send(head.as_bytes());
            assert_eq!(statuses(&answer), [301], "{head}{answer}");
            assert!(answer.contains("\r\nlocation: https://board.example/x\r\n"), "{head}{answer}");
        }
    }
    let answer = service.send(b"GET http://board.example/health HTTP/1.0\r\n\r\n");
    assert_eq!(statuses(&answer), [200], "{answer}");
}

#[test]
fn no_spelling_of_a_path_gets_past_the_guards() {
    let (open, guarded) = (start(&[]), start(GUARDED));
    let message = open.message();
    let ask = |service, target, scheme| {
        let fields = format!("Host: x\r\nX-Forwarded-Proto: {scheme}");
        exchange(service, format!("GET {target} HTTP/1.1\r\n{fields}\r\n\r\n").as_bytes())
    };
    for &(target, status, without_password) in SPELLINGS {
        assert_eq!(statuses(&ask(&open, target, "http")), [status], "{target}");
        let answer = ask(&guarded, target, "https");
        assert_eq!(statuses(&answer), [without_password], "{target}: {answer}");
        assert!(!answer.contains(&message), "{target}: {answer}");
        if without_password == 401 {
            assert_eq!(statuses(&ask(&guarded, target, "http")), [301], "{target}");
        }
    }
}

#[test]
fn what_follows_a_request_is_neither_lost_nor_made_up() {
    let service = start(&[]);
    for (start, table) in [(&b"POST / HTTP/1.1\r\nHost: x\r\n"[..], BODIES), (b"", OTHERWISE)] {
        for (name, bytes, expected) in table {
            let answers = exchange(&service, &[start, bytes, HIDDEN].concat());
            assert_eq!(statuses(&answers), *expected, "{name}: {answers}");
            assert!(answers.contains("\r\nconnection: close\r\n"), "{name}: {answers}");
        }
    }
}

/// Sends these bytes and no more, and reads all that comes.
fn exchange(service: &Service, bytes: &[u8]) -> String {
    let mut stream = service.connect();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The statuses of all these answers, each of which tells its length.
fn statuses(mut answers: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    while let Some((head, rest)) = answers.split_once("\r\n\r\n") {
        statuses.push(head.strip_prefix("HTTP/1.").unwrap()[2..5].parse().unwrap());
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        answers = &rest[length.map_or(0, |length| length.parse().unwrap())..];
    }
    assert_eq!(answers, "");
    statuses
}
