//! The three ways in, each as its example takes it.

use testbed::{Service, Variable};

use crate::support::example;

fn serve(name: &str, variables: &[Variable]) -> Service {
    example(name).start(variables)
}

#[test]
fn whole_prints_its_own_settings_and_checks_in_one_report() {
    let check = example("whole").run(&["check"], &[("STAGE_HANDS", "3"), ("WEB_CONCURRENCY", "2")]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert_eq!(
        check.stdout,
        "\
APP_ENV           development                            (default)
SITE_NAME         Whole                                  (default)
STAGE_HANDS       3                                      (environment)
HOST              127.0.0.1                              (default)
PORT              8080                                   (default)
WEB_CONCURRENCY   2                                      (environment)
RUST_LOG          info,actix_server=warn,actix_http=off  (default)
LOG_FORMAT        text                                   (default)
FORCE_HTTPS       false                                  (default)
PREVIEW_PASSWORD  not set                                (default)
hands             3 on duty                              (check)
stagedoor starts with these settings.
"
    );
}

#[test]
fn whole_holds_a_release_back_when_a_check_fails_and_says_what_to_do() {
    let nobody = [("STAGE_HANDS", "0")];
    let check = example("whole").run(&["check"], &nobody);
    assert_eq!(check.code, Some(1));
    let end = "\
hands             failed                                 (check)
stagedoor is not ready for a release. One failed check:
  hands: Nobody is there to raise the curtain.
    Fix: heroku config:unset STAGE_HANDS
";
    assert!(check.stdout.ends_with(end), "{}", check.stdout);
    assert!(!check.stdout.contains("starts with"), "{}", check.stdout);
    // A check is asked before a release, and not at each start of a dyno.
    assert_eq!(serve("whole", &nobody).get("/").status, 200);
}

#[test]
fn whole_runs_no_check_with_settings_that_are_wrong() {
    let check = example("whole").run(&["check"], &[("STAGE_HANDS", "many")]);
    assert_eq!(check.code, Some(1));
    assert!(check.stdout.contains("STAGE_HANDS is `many`. It must be a number from 0 to 99."));
    assert!(!check.stdout.contains("(check)"), "{}", check.stdout);
}

#[test]
fn the_middleware_alone_does_its_duties_and_leaves_log_and_panics_to_the_app() {
    let mut service = serve("middleware", &[("APP_ENV", "staging"), ("FORCE_HTTPS", "false")]);
    let page = service.get("/");
    assert_eq!((page.status, page.text()), (200, "Hello from an app of its own."));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-robots-tag"), "noindex");
    let id = service.get("/id");
    assert_eq!(id.text(), id.header("x-request-id"));
    assert_eq!(service.get("/id/").status, 200, "its own middleware goes on");
    assert_eq!(service.ask("POST", "/id", &[]).header("allow"), "GET, HEAD");
    let release: serde_json::Value = service.get("/release").json();
    assert_eq!(release["environment"], "staging");
    assert_eq!(release.get("message"), None, "it has none");

    let failed = service.get("/panics");
    assert_eq!(failed.status, 500);
    assert!(failed.text().contains(failed.header("x-request-id")), "{}", failed.text());
    service.wait_for("its own hook: ");
    let (_, log) = service.stop();
    let logged: Vec<_> = log.iter().filter(|line| line.contains("request_id")).collect();
    assert!(logged.is_empty(), "nobody asked for a log: {logged:?}");
}

#[test]
fn the_middleware_alone_refuses_wrong_settings_at_start() {
    let refused = example("middleware").run(&[], &[("PORT", "http")]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("PORT is `http`"), "{}", refused.stderr);
}

#[test]
fn a_worker_has_settings_secrets_and_checks_and_no_web_server() {
    let worker = example("worker");
    let queue = ("QUEUE_URL", "queue://me:swordfish@queue.example");
    let ran = worker.run(&[], &[queue, ("BATCH", "7")]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "takes 7 jobs at once, from its queue\n")
    );

    let check = worker.run(&["check"], &[queue, ("BATCH", "7")]);
    assert_eq!(check.code, Some(0));
    assert_eq!(
        check.stdout,
        "\
APP_ENV    development  (default)
BATCH      7            (environment)
QUEUE_URL  set          (environment)
queue      is there     (check)
stagedoor starts with these settings.
"
    );
    let check = worker.run(&["check"], &[]);
    assert_eq!(check.code, Some(1));
    assert!(
        check.stdout.contains("queue: There is no queue.\n    Fix: heroku addons:create queue")
    );
    let refused = worker.run(&[], &[("BATCH", "101")]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("BATCH is `101`"), "{}", refused.stderr);
    let odd = worker.run(&["check"], &[("QUEUE_URL", "swordfish\u{7}")]);
    assert_eq!(odd.code, Some(1));
    assert!(!odd.stdout.contains("swordfish"), "{}", odd.stdout);
}
