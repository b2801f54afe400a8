//! The preview's password: nothing that the service prints, logs or answers has a part of it, be it in the
//! clear or as a client sends it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use testbed::{Answer, Service, Variable, directory};

use crate::support::{command, start};

/// Letters and digits, so that it reads the same in JSON, in `Debug` and in a query; a mixture that no page,
/// digest or id has by chance.
const PASSWORD: &str = "Zq7xVw9kJj3yQzXw5vKq8Zj";

/// Parts this long are looked for. Shorter ones may stand in a page or an id by chance.
const TOO_MANY: usize = 5;

/// The variable, and slips that a notice tells.
const SECRETS: [Variable; 3] =
    [("PREVIEW_PASSWORD", PASSWORD), ("PREVIEW_PASWORD", PASSWORD), ("preview_password", PASSWORD)];

/// The texts of which no part may be found.
fn forms() -> Vec<String> {
    let mut forms = vec![
        PASSWORD.to_owned(),
        BASE64.encode(format!(":{PASSWORD}")),
        BASE64.encode(format!("any:{PASSWORD}")),
    ];
    // Six bits a character: after one or two bytes, two or three of them are not the password's alone.
    for (before, mixed) in [("", 0), (":", 2), ("::", 3)] {
        let bytes = format!("{before}{PASSWORD}");
        forms.push(BASE64.encode(&bytes)[mixed..bytes.len() * 8 / 6].to_owned());
    }
    forms
}

/// The first part that `text` has of a secret.
fn trace(text: &str) -> Option<String> {
    let parts = forms().into_iter().flat_map(|form| {
        let last = form.len() - TOO_MANY;
        (0..=last).map(|at| form[at..at + TOO_MANY].to_owned()).collect::<Vec<_>>()
    });
    parts.into_iter().find(|part| text.contains(part))
}

fn assert_no_trace(text: &str) {
    if let Some(part) = trace(text) {
        let lines: Vec<_> = text.lines().filter(|line| line.contains(&part)).collect();
        panic!("{part} is in {lines:#?}");
    }
}

/// Runs it to its end, which this code must tell, and looks at all that it printed.
fn assert_no_trace_is_printed_by(command: &mut Command, code: i32) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    assert!(!said.is_empty(), "{command:?}");
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_no_trace(&said);
}

#[test]
fn a_part_would_be_found_whatever_stands_before_and_after_it() {
    for before in ["", "a", "ab", "abc"] {
        for (from, to) in [(0, PASSWORD.len()), (0, 9), (7, 16), (12, PASSWORD.len())] {
            let text = format!("{before}:{}!", &PASSWORD[from..to]);
            assert!(trace(&text).is_some() && trace(&BASE64.encode(&text)).is_some(), "{text}");
        }
    }
    assert_eq!(trace(&PASSWORD[..4]), None);
}

/// All that a visitor may try: who knows the password, who knows a part, and who sends it amiss.
fn credentials() -> Vec<String> {
    let mut all: Vec<_> = [
        format!("any:{PASSWORD}"),
        format!(":{PASSWORD}"),
        format!("any:{}wrong", &PASSWORD[..12]),
        format!("any:{PASSWORD} "),
        PASSWORD.to_owned(), // without the colon
    ]
    .iter()
    .map(|credentials| format!("Basic {}", BASE64.encode(credentials)))
    .collect();
    all.extend([
        String::new(),
        PASSWORD.to_owned(),
        format!("Basic {PASSWORD}"),
        format!("Basic :{PASSWORD}"),
        format!("Bearer {PASSWORD}"),
        format!("{}!", all[0]),
    ]);
    all
}

/// Asks for everything, in every way, and gives back all the answers. (An error of ours can't be asked for:
/// `tests/duties.rs` has handlers that fail.)
fn ask_for_everything(service: &Service) -> Vec<String> {
    let credentials = credentials();
    let query = format!("?password={PASSWORD}&token={}", BASE64.encode(format!(":{PASSWORD}")));
    let mut statuses = BTreeSet::new();
    let mut said = Vec::new();
    let mut note = |answer: Answer| {
        statuses.insert(answer.status);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        said.push(format!("{} {:?} {body}", answer.status, answer.headers));
        body
    };

    let page = note(service.ask("GET", "/", &[("authorization", &credentials[0])]));
    let assets = page.split('"').filter(|text| text.starts_with("/assets/"));
    let paths: Vec<_> =
        ["/", "/release", "/health", "/robots.txt", "/nowhere"].into_iter().chain(assets).collect();
    for path in paths {
        for (at, credentials) in credentials.iter().enumerate() {
            let authorization = ("authorization", credentials.as_str());
            let accept = ("accept", ["text/html", "application/json", "text/plain"][at % 3]);
            let asked = format!("{path}{query}");
            note(service.ask("GET", &asked, &[authorization, accept]));
            note(service.ask("GET", &asked, &[authorization, ("if-none-match", "*")]));
            note(service.ask("DELETE", &asked, &[authorization, accept]));
            // With the query, its target would repeat what the visitor sent.
            note(service.ask("GET", path, &[authorization, ("x-forwarded-proto", "http")]));
        }
    }
    assert_eq!(statuses, BTreeSet::from([200, 301, 304, 401, 404, 405]));

    let authorization = format!("Authorization: {}\r\nConnection: close", credentials[0]);
    let many = format!("X: {PASSWORD}\r\n").repeat(97);
    for (head, status) in [
        (format!("GET / HTTP/1.1\r\nHost: /\r\nX-Forwarded-Proto: http\r\n{authorization}"), "400"),
        (format!("GET /{query} HTTP/1.1\r\n{authorization}"), "400"),
        (format!("GET /{query} HTTP/1.1\r\nHost: x\r\nHost: y\r\n{authorization}"), "400"),
        (format!("GET /{query} HTTP/1.1\r\nHost: x\r\nAuthorization {PASSWORD}"), "400"),
        (format!("GET /{query} HTTP/1.1\r\nHost: x\r\nAuthorization: \u{7}{PASSWORD}"), "400"),
        (format!("GET /{query} HTTP/1.1\r\nHost: x\r\n{many}{authorization}"), "431"),
        (format!("GET /{query} HTTP/1.0\r\nX-Forwarded-Proto: http\r\n{authorization}"), "400"),
        (format!("{PASSWORD} {PASSWORD}"), "400"),
    ] {
        let answer = service.send(format!("{head}\r\n\r\n").as_bytes());
        assert_eq!(answer.get(9..12), Some(status), "{head} got {answer}");
        said.push(answer);
    }
    said
}

#[test]
fn no_answer_and_no_log_at_any_level_in_any_format_has_a_part_of_it() {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let mut services = Vec::new();
    for format in ["text", "json"] {
        for level in levels {
            // The line that tells the port is logged at every level, or nobody could ask.
            let log = format!("{level},stagedoor::server=info");
            let mut variables = SECRETS.to_vec();
            variables.extend([("APP_ENV", "staging"), ("LOG_FORMAT", format), ("RUST_LOG", &log)]);
            services.push((level, start(&variables)));
        }
    }
    for (_, service) in &services {
        assert_no_trace(&ask_for_everything(service).join("\n"));
        service.signal("TERM");
    }
    for (level, service) in services {
        let (_, log) = service.wait();
        let has_requests = log.iter().any(|line| line.contains("/nowhere"));
        assert_eq!(has_requests, ["info", "debug", "trace"].contains(&level), "{log:#?}");
        assert_no_trace(&log.join("\n"));
    }
}

#[test]
fn a_redirect_repeats_the_query_to_who_sent_it_and_no_log_does() {
    let mut variables = SECRETS.to_vec();
    variables.extend([("APP_ENV", "staging"), ("RUST_LOG", "trace")]);
    let service = start(&variables);
    let mut answer =
        service.ask("GET", &format!("/?p={PASSWORD}"), &[("x-forwarded-proto", "http")]);
    let location = answer.headers.remove("location").unwrap();
    assert!(location.to_str().unwrap().ends_with(&format!("/?p={PASSWORD}")));
    assert_no_trace(&format!("{:?} {}", answer.headers, answer.text()));
    assert_no_trace(&service.stop().1.join("\n"));
}

#[test]
fn no_report_refusal_or_error_at_start_has_a_part_of_it() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let wrong = [("APP_ENV", "prod"), ("PORT", "http"), ("RUST_LOG", "inof"), ("HOST", "here")];
    let on_dyno = [("DYNO", "web.1"), ("HEROKU_APP_NAME", "myapp"), ("LOG_FORMAT", "xml")];
    for (arguments, variables, code) in [
        (&["check"][..], &[][..], 0),
        (&["check"], &wrong, 1),
        (&["check"], &on_dyno, 1),
        (&["check"], &on_dyno[..2], 0),
        (&["serve"], &wrong, 1),
        (&["serve"], &on_dyno, 1),
        (&["serve"], &[("HOST", "127.0.0.1"), ("PORT", &taken)], 1),
        (&["serve"], &[("HOST", "192.0.2.1"), ("PORT", "0")], 1),
        (&["--version"], &[], 0),
        (&["--help"], &wrong, 0),
        (&["chek"], &[], 2),
    ] {
        let mut command = command(&SECRETS);
        let command = command.args(arguments).env("RUST_LOG", "trace");
        assert_no_trace_is_printed_by(command.envs(variables.iter().copied()), code);
    }
}

#[test]
fn a_password_that_is_itself_refused_is_not_shown() {
    let (start, end) = PASSWORD.split_at(11);
    for odd in [&b"\x07"[..], b"\n", b"\x1b[2J", b"\xff\xfe", "\u{202e}".as_bytes()] {
        let password = [start.as_bytes(), odd, end.as_bytes()].concat();
        for word in ["check", "serve"] {
            let mut refused = command(&[("RUST_LOG", "trace"), ("PORT", "0")]);
            refused.env("PREVIEW_PASSWORD", OsStr::from_bytes(&password)).arg(word);
            assert_no_trace_is_printed_by(&mut refused, 1);
        }
    }
}

#[test]
fn a_line_of_dot_env_that_has_it_is_not_shown_be_it_whole_or_broken() {
    let here = directory();
    for (lines, code) in [
        (format!("PREVIEW_PASSWORD={PASSWORD}"), 0),
        (format!("PREVIEW_PASSWORD='{PASSWORD} # not a comment' # a comment {PASSWORD}"), 0),
        (format!("PREVIEW_PASWORD={PASSWORD}\n# {PASSWORD}"), 0),
        (format!("PREVIEW_PASSWORD={PASSWORD}\nPORT=http"), 1),
        (format!("PREVIEW_PASSWORD {PASSWORD}"), 1),
        (format!("PREVIEW_PASSWORD: {PASSWORD}"), 1),
        (format!("PREVIEW_PASSWORD='{PASSWORD}"), 1),
        (format!("PREVIEW_PASSWORD=\"{PASSWORD}\\"), 1),
        (format!("PREVIEW_PASSWORD=two {PASSWORD}"), 0),
        (format!("PREVIEW_PASSWORD=#{PASSWORD}"), 0),
        (format!("PREVIEW_PASSWORD='it's {PASSWORD}'"), 0),
        (format!("PREVIEW_PASSWORD=\"two\n{PASSWORD}\""), 1),
        (format!("export PREVIEW_PASSWORD {PASSWORD}"), 1),
        (format!("export PREVIEW_PASSWORD={PASSWORD}"), 1),
        (format!("PREVIEW_PASSWORD={PASSWORD}\u{7}"), 1),
        (format!("{{\"PREVIEW_PASSWORD\": \"{PASSWORD}\"}}"), 0),
        (format!("{{\"PREVIEW_PASSWORD\": \"{PASSWORD}\",}}"), 0),
        (PASSWORD.to_owned(), 0),
    ] {
        fs::write(here.join(".env"), lines).unwrap();
        assert_no_trace_is_printed_by(command(&[]).arg("check").current_dir(&here), code);
        if code == 1 {
            assert_no_trace_is_printed_by(command(&[]).current_dir(&here), code);
        }
    }
    for (before, code) in [(&b"\xff"[..], 0), (b"\xff\xfe", 1)] {
        fs::write(here.join(".env"), [before, PASSWORD.as_bytes()].concat()).unwrap();
        assert_no_trace_is_printed_by(command(&[]).arg("check").current_dir(&here), code);
    }
}
