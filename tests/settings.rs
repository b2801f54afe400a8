//! The app's own settings, and how they stand beside the platform's in the one report.

use support::{run, setting};

mod support;

#[test]
fn check_prints_the_apps_settings_and_the_platforms_and_that_the_app_would_start() {
    let variables = [("SITE_NAME", "Mine"), ("PREVIEW_PASSWORD", "swordfish")];
    assert_eq!(setting("SITE_NAME", &variables), ["Mine", "environment"]);
    assert_eq!(setting("SITE_URL", &variables), ["not set", "default"]);
    assert_eq!(setting("PORT", &variables), ["8080", "default"]);
    assert_eq!(setting("PREVIEW_PASSWORD", &variables), ["set", "environment"]);
    let check = run(&["check"], &variables);
    assert_eq!((check.code, check.stderr.as_str()), (Some(0), ""));
    assert!(
        check.stdout.ends_with("\ncallboard starts with these settings.\n"),
        "{}",
        check.stdout
    );
}

#[test]
fn the_apps_defaults_are_its_own_name_and_no_address() {
    assert_eq!(setting("SITE_NAME", &[]), ["Callboard", "default"]);
    assert_eq!(setting("SITE_URL", &[]), ["not set", "default"]);
}

#[test]
fn a_wrong_setting_of_the_app_and_one_of_the_platform_are_mended_by_one_command() {
    let wrong = [("SITE_URL", "http://www.bücher.example"), ("PORT", "3000;")];
    let check = run(&["check"], &wrong);
    assert_eq!(check.code, Some(1));
    let command = "  export SITE_URL=https://www.xn--bcher-kva.example PORT=3000\n";
    assert!(check.stdout.ends_with(command), "{}", check.stdout);
    assert!(check.stdout.contains("2 problems:"), "{}", check.stdout);
}

#[test]
fn a_sites_own_address_is_by_default_the_apps_domain() {
    let on_heroku = [("HEROKU_APP_DEFAULT_DOMAIN_NAME", "myapp-0123.herokuapp.com")];
    let found = setting("SITE_URL", &on_heroku);
    assert_eq!(found, ["https://myapp-0123.herokuapp.com", "default"]);
}
