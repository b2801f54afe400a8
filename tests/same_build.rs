//! The point of it all: one build, as staging and as production, told apart by nothing but variables.

use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};

use support::{program, run, start};

mod support;

const STAGING: &[(&str, &str)] = &[
    ("DYNO", "web.1"),
    ("APP_ENV", "staging"),
    ("SITE_NAME", "Board (staging)"),
    ("PREVIEW_PASSWORD", "swordfish"),
    ("HEROKU_APP_NAME", "myapp-staging"),
    ("HEROKU_RELEASE_VERSION", "v7"),
];

const PRODUCTION: &[(&str, &str)] = &[
    ("DYNO", "web.1"),
    ("APP_ENV", "production"),
    ("SITE_NAME", "Board"),
    ("HEROKU_APP_NAME", "myapp"),
    ("HEROKU_RELEASE_VERSION", "v3"),
];

/// `:swordfish`
const CREDENTIALS: (&str, &str) = ("authorization", "Basic OnN3b3JkZmlzaA==");

#[test]
fn staging_and_production_run_the_same_build_with_their_own_settings() {
    let (staging, production) = (start(STAGING), start(PRODUCTION));
    let on_staging: Value = staging.ask("GET", "/release", &[CREDENTIALS]).json();
    let on_production: Value = production.get("/release").json();

    assert_eq!(on_staging["build"], on_production["build"]);
    assert!(on_production["build"].is_string() && on_production["message"].is_string());
    assert_eq!(on_staging["message"], on_production["message"]);
    assert_eq!(on_staging["commit"], on_production["commit"]);
    assert_eq!(on_staging["environment"], "staging");
    assert_eq!(on_production["environment"], "production");
    assert_eq!(on_staging["app"], "myapp-staging");
    assert_eq!(on_production["release"], "v3");

    let digest = Sha256::digest(fs::read(program().executable).unwrap());
    let digest: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(on_production["build"], format!("sha256:{}", digest.concat()));

    let page = staging.ask("GET", "/", &[CREDENTIALS]);
    assert!(page.text().contains("Board (staging)"));
    assert_eq!(page.header("x-robots-tag"), "noindex");
    let page = production.get("/");
    assert!(page.text().contains("Board") && !page.text().contains("(staging)"));
    assert_eq!(page.header("x-robots-tag"), "");
    assert_eq!(staging.get("/").status, 401);
}

#[test]
fn a_wrong_variable_of_one_stage_refuses_that_stage_alone() {
    let wrong: Vec<_> = PRODUCTION.iter().copied().chain([("FORCE_HTTPS", "off")]).collect();
    for arguments in [&["check"][..], &[]] {
        let refused = run(arguments, &wrong);
        assert_eq!(refused.code, Some(1), "{arguments:?}");
        let report = refused.stdout + &refused.stderr;
        assert!(report.contains("FORCE_HTTPS is `off`"), "{report}");
        assert!(report.contains("heroku config:set FORCE_HTTPS=false "), "{report}");
        assert!(report.contains("--app myapp\n"), "{report}");
    }
    assert_eq!(run(&["check"], STAGING).code, Some(0));
    assert_eq!(run(&["check"], PRODUCTION).code, Some(0));
}
