//! What handlers of an app leave in the log of a real process: panics, spans, records of the `log` crate. This file is
//! the test and, with an argument, the program that it starts.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, web};
use futures_util::{StreamExt, stream};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use stagedoor::{Program as App, Settings, Site, build};
use testbed::{Program, Variable};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return App::new(build!(), Settings::read).serve(|_, _| site());
    }
    let tests: [(&str, fn()); 5] = [
        ("an answer that breaks off leaves a line", an_answer_that_breaks_off_leaves_a_line),
        (
            "the line of a panic has its request, its place and its backtrace",
            the_line_of_a_panic_has_its_request_its_place_and_its_backtrace,
        ),
        (
            "a panic that an app catches leaves its line",
            a_panic_that_an_app_catches_leaves_its_line,
        ),
        ("spans are in the lines in both formats", spans_are_in_the_lines_in_both_formats),
        (
            "what other crates log by the log crate is there",
            what_other_crates_log_by_the_log_crate_is_there,
        ),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = tests.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn site() -> Site {
    Site::new("Handlers", |app| {
        app.route("/panics", web::get().to(async || panic!("on purpose") as HttpResponse));
        app.route(
            "/panics-later",
            web::get().to(async || {
                actix_web::rt::task::yield_now().await;
                panic!("on purpose") as HttpResponse
            }),
        );
        app.route(
            "/catches",
            web::get().to(async || {
                let caught = [1, 2].map(|which| {
                    std::panic::catch_unwind(|| panic!("its own affair {which}")).is_err()
                });
                format!("caught: {caught:?}")
            }),
        );
        app.route(
            "/panics-while-it-is-sent",
            web::get().to(async || {
                let parts = stream::iter([0, 1]).map(|part| match part {
                    0 => Ok::<_, Error>(Bytes::from_static(b"one")),
                    _ => panic!("on purpose"),
                });
                HttpResponse::Ok().streaming(parts)
            }),
        );
        app.route(
            "/breaks-off",
            web::get().to(async || {
                let broken = Err(std::io::Error::other("the disk is gone"));
                HttpResponse::Ok().streaming(stream::iter([Ok(Bytes::from_static(b"one")), broken]))
            }),
        );
        app.route(
            "/order/{id}",
            web::get().to(async |id: web::Path<u32>| {
                let order = tracing::info_span!("order", order_id = *id);
                order.in_scope(|| tracing::info!("sold"));
                "sold"
            }),
        );
    })
    .error_page(|error| {
        static WAS_ASKED: AtomicBool = AtomicBool::new(false);
        assert!(WAS_ASKED.swap(true, Ordering::Relaxed), "the page fails once");
        error.title.to_owned()
    })
}

/// The program with these variables, in a log of JSON, asked for this path; the lines of its log.
fn lines(variables: &[Variable], path: &str) -> Vec<Value> {
    let variables = [variables, &[("LOG_FORMAT", "json"), ("HOST", "127.0.0.1")]].concat();
    let program = Program::at(std::env::current_exe().unwrap());
    let service = program.start_with(&["serve"], &variables);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-ID: {ID}\r\nConnection: close\r\n\r\n"
    );
    service.send(request.as_bytes());
    let (status, log) = service.stop();
    assert_eq!(status.code(), Some(0));
    log.iter()
        .filter(|line| !line.starts_with("panicked")) // standard error, where a process may be about to end
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const ID: &str = "0123456789-abcdefghij";

fn the_line_of_a_panic_has_its_request_its_place_and_its_backtrace() {
    for path in ["/panics", "/panics-later"] {
        let lines = lines(&[("RUST_BACKTRACE", "1")], path);
        let panics: Vec<_> = lines.iter().filter(|line| line["message"] == "panicked").collect();
        // The handler's, and that of the error page.
        let [handler, page] = panics[..] else { panic!("{lines:?}") };
        assert_eq!(
            (&handler["panic"], &page["panic"]),
            (&json!("on purpose"), &json!("the page fails once"))
        );
        for line in [handler, page] {
            assert_eq!((&line["level"], &line["request_id"]), (&json!("ERROR"), &json!(ID)));
            assert!(line["location"].as_str().unwrap().contains("in_the_log.rs:"), "{line}");
            assert!(line["backtrace"].as_str().unwrap().contains("in_the_log"), "{line}");
        }
        let request = lines.iter().find(|line| line["path"] == path).unwrap();
        assert_eq!((&request["status"], &request["request_id"]), (&json!(500), &json!(ID)));
    }
    let without = lines(&[], "/panics");
    assert!(without.iter().all(|line| line.get("backtrace").is_none()), "{without:?}");
}

fn a_panic_that_an_app_catches_leaves_its_line() {
    let lines = lines(&[], "/catches");
    let panics: Vec<_> = lines.iter().filter(|line| line["message"] == "panicked").collect();
    let texts: Vec<_> = panics.iter().map(|line| &line["panic"]).collect();
    assert_eq!(texts, ["its own affair 1", "its own affair 2"]);
    assert!(panics.iter().all(|line| line["request_id"] == ID), "{panics:?}");
    assert!(lines.iter().any(|line| line["status"] == 200), "{lines:?}");
}

fn an_answer_that_breaks_off_leaves_a_line() {
    for (path, message, field, why) in [
        ("/panics-while-it-is-sent", "panicked", "panic", "on purpose"),
        ("/breaks-off", "an answer broke off", "error", "the disk is gone"),
    ] {
        let lines = lines(&[], path);
        let told: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        let [line] = told[..] else { panic!("{path}: {lines:?}") };
        assert_eq!((&line["level"], &line["request_id"]), (&json!("ERROR"), &json!(ID)));
        assert_eq!(line[field], why);
    }
}

fn spans_are_in_the_lines_in_both_formats() {
    let lines = lines(&[], "/order/7");
    let sold = lines.iter().find(|line| line["message"] == "sold").unwrap();
    assert_eq!(sold["spans"], json!([{"name": "order", "order_id": 7}]));
    let program = Program::at(std::env::current_exe().unwrap());
    let mut service = program.start_with(&["serve"], &[("LOG_FORMAT", "text")]);
    service.get("/order/7");
    assert!(service.wait_for("sold").contains("order{order_id=7}"));
}

fn what_other_crates_log_by_the_log_crate_is_there() {
    let lines = lines(&[("RUST_LOG", "info,mio=trace")], "/order/7");
    assert!(lines.iter().any(|line| line["target"] == "mio::poll"), "{lines:?}");
}
