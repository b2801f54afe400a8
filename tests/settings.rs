//! The app's own settings, and how they stand beside the platform's in the one report.

use support::{run, settings};

mod support;

#[test]
fn check_prints_every_setting_and_succeeds_when_the_app_would_start() {
    let variables = [
        ("APP_ENV", "production"),
        ("SITE_NAME", "Mine"),
        ("WEB_CONCURRENCY", "2"),
        ("PREVIEW_PASSWORD", "swordfish"),
    ];
    let check = run(&["check"], &variables);
    assert_eq!(check.code, Some(0));
    assert_eq!(check.stderr, "");
    assert_eq!(
        check.stdout,
        "\
APP_ENV           production                             (environment)
SITE_NAME         Mine                                   (environment)
SITE_URL          not set                                (default)
HOST              ::                                     (default)
PORT              8080                                   (default)
WEB_CONCURRENCY   2                                      (environment)
RUST_LOG          info,actix_server=warn,actix_http=off  (default)
LOG_FORMAT        json                                   (default)
FORCE_HTTPS       true                                   (default)
PREVIEW_PASSWORD  set                                    (environment)
callboard starts with these settings.
"
    );
}

#[test]
fn a_wrong_setting_of_the_app_and_one_of_the_platform_are_mended_by_one_command() {
    let wrong = [("SITE_NAME", "\u{7}"), ("SITE_URL", "www.example.com"), ("PORT", "http")];
    let check = run(&["check"], &wrong);
    assert_eq!(check.code, Some(1));
    let command = "  export SITE_NAME=Callboard SITE_URL=https://www.example.com PORT=8080\n";
    assert!(check.stdout.ends_with(command), "{}", check.stdout);
    assert!(check.stdout.contains("3 problems:"), "{}", check.stdout);
}

#[test]
fn a_sites_own_address_is_by_default_the_apps_domain() {
    let on_heroku = [("HEROKU_APP_DEFAULT_DOMAIN_NAME", "myapp-0123.herokuapp.com")];
    let [name, value, origin] = &settings(&on_heroku)[2];
    assert_eq!((&**name, &**origin), ("SITE_URL", "default"));
    assert_eq!(value, "https://myapp-0123.herokuapp.com");
}
