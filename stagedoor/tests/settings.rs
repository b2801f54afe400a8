//! Settings: variables in, typed values or every problem out.

use std::net::IpAddr;
use std::process::Command;

use secrecy::{ExposeSecret, SecretString};
use stagedoor::{Environment, Heroku, LogFormat, Problem, Reader, Report, Variables, build};
use testbed::rows;

use support::app::{NAMES, load, loaded, problems, report};

mod support;

/// The value of a setting in a report, and where that came from.
fn row(report: &Report, name: &str) -> (String, String) {
    let found = rows(&report.to_string()).into_iter().find(|row| row[0] == name);
    let [_, value, origin] = found.unwrap();
    (value, origin)
}

#[test]
fn without_a_variable_it_is_a_development_machine() {
    let settings = loaded(&[]);
    assert_eq!(settings.platform.environment, Environment::Development);
    assert_eq!(settings.site_name, "Board");
    assert_eq!(settings.platform.host, IpAddr::from([127, 0, 0, 1]));
    assert_eq!(settings.platform.port, 8080);
    assert_eq!(settings.platform.workers, 4);
    assert_eq!(settings.platform.log, "info,actix_server=warn,actix_http=off".parse().unwrap());
    assert_eq!(settings.platform.log_format, LogFormat::Text);
    assert!(!settings.platform.force_https);
    assert!(settings.platform.preview_password.is_none());
    assert!(!settings.platform.indexed);
    assert_eq!(settings.platform.heroku, Heroku::default());
}

#[test]
fn without_a_variable_on_a_dyno_it_is_production_and_says_so() {
    let (settings, report) = load(&[("DYNO", "web.1"), ("HEROKU_APP_NAME", "myapp")]).unwrap();
    assert_eq!(settings.platform.environment, Environment::Production);
    assert_eq!(settings.platform.host, IpAddr::from([0; 16]));
    assert_eq!(settings.platform.log_format, LogFormat::Json);
    assert!(settings.platform.force_https);
    assert!(settings.platform.indexed);
    let [notice] = report.notices() else { panic!("{report}") };
    assert!(notice.contains("heroku config:set APP_ENV=production --app myapp"), "{notice}");
}

#[test]
fn every_variable_is_read() {
    let settings = loaded(&[
        ("APP_ENV", "staging"),
        ("SITE_NAME", "The Board"),
        ("SITE_URL", "https://www.example.com"),
        ("HOST", "::1"),
        ("PORT", "0"),
        ("WEB_CONCURRENCY", "64"),
        ("RUST_LOG", "warn,stagedoor=trace"),
        ("LOG_FORMAT", "text"),
        ("FORCE_HTTPS", "false"),
        ("PREVIEW_PASSWORD", "open sesame"),
        ("HEROKU_APP_NAME", "myapp-staging"),
        ("HEROKU_RELEASE_VERSION", "v42"),
        ("HEROKU_RELEASE_CREATED_AT", "2026-11-23T01:02:03Z"),
        ("HEROKU_SLUG_COMMIT", "abc"),
    ]);
    assert_eq!(settings.platform.environment, Environment::Staging);
    assert_eq!(settings.site_name, "The Board");
    assert_eq!(settings.platform.host, "::1".parse::<IpAddr>().unwrap());
    assert_eq!(settings.platform.port, 0);
    assert_eq!(settings.platform.workers, 64);
    assert_eq!(settings.platform.log, "warn,stagedoor=trace".parse().unwrap());
    assert_eq!(settings.platform.log_format, LogFormat::Text);
    assert!(!settings.platform.force_https);
    assert_eq!(settings.platform.preview_password.unwrap().expose_secret(), "open sesame");
    assert!(!settings.platform.indexed);
    assert_eq!(settings.platform.heroku.app.as_deref(), Some("myapp-staging"));
    assert_eq!(settings.platform.heroku.release.as_deref(), Some("v42"));
    assert_eq!(settings.platform.heroku.released_at.as_deref(), Some("2026-11-23T01:02:03Z"));
    assert_eq!(settings.platform.heroku.commit.as_deref(), Some("abc"));
}

#[test]
fn the_new_name_of_the_commit_comes_before_the_old_one() {
    let both = [("HEROKU_SLUG_COMMIT", "old"), ("HEROKU_BUILD_COMMIT", "new")];
    assert_eq!(loaded(&both).platform.heroku.commit.as_deref(), Some("new"));
}

#[test]
fn every_environment_has_its_defaults() {
    let table = [
        // APP_ENV, HOST, LOG_FORMAT, FORCE_HTTPS, indexed
        ("development", "127.0.0.1", LogFormat::Text, false, false),
        ("review", "::", LogFormat::Json, true, false),
        ("staging", "::", LogFormat::Json, true, false),
        ("production", "::", LogFormat::Json, true, true),
    ];
    for (environment, host, log_format, force_https, indexed) in table {
        let settings = loaded(&[("APP_ENV", environment)]);
        assert_eq!(settings.platform.environment.name(), environment);
        assert_eq!(settings.platform.host.to_string(), host, "{environment}");
        assert_eq!(settings.platform.log_format, log_format, "{environment}");
        assert_eq!(settings.platform.force_https, force_https, "{environment}");
        assert_eq!(settings.platform.indexed, indexed, "{environment}");
    }
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let empty: Vec<_> = NAMES.iter().map(|name| (*name, "")).collect();
    assert_eq!(report(&empty), report(&[]));
    let on_dyno = [("DYNO", "web.1"), ("APP_ENV", "")];
    assert_eq!(loaded(&on_dyno).platform.environment, Environment::Production);
    assert_eq!(loaded(&[("DYNO", "")]).platform.environment, Environment::Development);
}

const ENVIRONMENTS: &str = "development, review, staging or production";
const IP: &str = "an IP address, such as 127.0.0.1, or :: for every interface";
const PORTS: &str = "a whole number from 0 to 65535";
const WORKERS: &str = "a whole number from 1 to 64";
const LEVELS: &str = "levels, and targets with a level, such as info or warn,stagedoor=debug";
const FORMATS: &str = "text or json";
const BOOL: &str = "true or false";
const NAME: &str = "1 to 60 printable characters";
const URL: &str =
    "https:// and a host, without a path; or http:// and this machine, as http://localhost:8080";

/// The one problem that these variables have: what is wrong, and what to do.
fn problem(variables: &[(&str, &str)]) -> (String, String) {
    let report = report(variables);
    let [problem] = &problems(&report)[..] else { panic!("{variables:?}: {report}") };
    problem.clone()
}

#[test]
fn a_wrong_value_that_can_be_understood_is_offered_as_it_was_meant() {
    let table = [
        ("APP_ENV", "prod", ENVIRONMENTS, "production"),
        ("APP_ENV", "Staging", ENVIRONMENTS, "staging"),
        ("APP_ENV", "stage", ENVIRONMENTS, "staging"),
        ("APP_ENV", "stg", ENVIRONMENTS, "staging"),
        ("APP_ENV", "dev", ENVIRONMENTS, "development"),
        ("APP_ENV", "Review", ENVIRONMENTS, "review"),
        ("APP_ENV", "'prodution' ", ENVIRONMENTS, "production"),
        ("SITE_URL", "www.example.com", URL, "https://www.example.com"),
        ("SITE_URL", "https://www.example.com/board", URL, "https://www.example.com"),
        ("SITE_URL", "https://a.example/?q", URL, "https://a.example"),
        ("SITE_URL", "https://a.example#top", URL, "https://a.example"),
        ("SITE_URL", "ftp://a.example", URL, "https://a.example"),
        ("SITE_URL", "http://a.example", URL, "https://a.example"),
        ("SITE_URL", "http://a.example:80/", URL, "https://a.example"),
        ("SITE_URL", " HTTPS://WWW.A.example ", URL, "https://www.a.example"),
        ("SITE_URL", "\"https://a.example:8443\"", URL, "https://a.example:8443"),
        ("SITE_URL", "https//a.example", URL, "https://a.example"),
        ("SITE_URL", "https:a.example", URL, "https://a.example"),
        ("SITE_URL", "https://https://a.example", URL, "https://a.example"),
        ("SITE_URL", "https://bücher.example", URL, "https://xn--bcher-kva.example"),
        ("SITE_URL", "Bücher.Example/neu", URL, "https://xn--bcher-kva.example"),
        ("HOST", "localhost", IP, "127.0.0.1"),
        ("HOST", "[::1]", IP, "::1"),
        ("HOST", "*", IP, "::"),
        ("HOST", "0.0.0.0;", IP, "0.0.0.0"),
        ("PORT", "80 ", PORTS, "80"),
        ("PORT", "3000;", PORTS, "3000"),
        ("PORT", ":3000", PORTS, "3000"),
        ("PORT", "\"3000\"", PORTS, "3000"),
        ("PORT", "3000\n", PORTS, "3000"),
        ("PORT", "3000.0", PORTS, "3000"),
        ("WEB_CONCURRENCY", " 2", WORKERS, "2"),
        ("WEB_CONCURRENCY", "4.0", WORKERS, "4"),
        ("RUST_LOG", "warning", LEVELS, "warn"),
        ("RUST_LOG", "inof", LEVELS, "info"),
        ("RUST_LOG", "INOF", LEVELS, "info"),
        ("RUST_LOG", "'debug'", LEVELS, "debug"),
        ("RUST_LOG", "info, stagedoor=WARNING", LEVELS, "info,stagedoor=warn"),
        ("RUST_LOG", "info;actix_http=none", LEVELS, "info,actix_http=off"),
        ("RUST_LOG", "info,,warn,", LEVELS, "info,warn"),
        ("LOG_FORMAT", "JSON", FORMATS, "json"),
        ("LOG_FORMAT", "Text\r", FORMATS, "text"),
        ("LOG_FORMAT", "jsn", FORMATS, "json"),
        ("FORCE_HTTPS", "yes", BOOL, "true"),
        ("FORCE_HTTPS", "TRUE", BOOL, "true"),
        ("FORCE_HTTPS", "1", BOOL, "true"),
        ("FORCE_HTTPS", "On", BOOL, "true"),
        ("FORCE_HTTPS", "enabled", BOOL, "true"),
        ("FORCE_HTTPS", "off", BOOL, "false"),
        ("FORCE_HTTPS", "OFF", BOOL, "false"),
        ("FORCE_HTTPS", "no", BOOL, "false"),
        ("FORCE_HTTPS", "0", BOOL, "false"),
        ("FORCE_HTTPS", " False;", BOOL, "false"),
        ("SITE_NAME", "bell\u{7}", NAME, "bell"),
        ("SITE_NAME", "x\u{202e}", NAME, "x"),
        ("SITE_NAME", "\u{200e}x", NAME, "x"),
        ("SITE_NAME", "Board\n", NAME, "Board"),
        ("SITE_NAME", "Bob's\r\n Board\n", NAME, r"'Bob'\''s Board'"),
        ("SITE_NAME", "a\tb", NAME, "'a b'"),
    ];
    for (name, value, allowed, mended) in table {
        let (what, remedy) = problem(&[(name, value)]);
        assert_eq!(what, format!("{name} is `{}`. It must be {allowed}.", seen(value)));
        assert_eq!(remedy, format!("{name}={mended}"), "{value:?}");
        let mended = mended.replace(r"'\''", "\u{1}").replace('\'', "").replace('\u{1}', "'");
        assert!(load(&[(name, &mended)]).is_ok(), "{remedy} does not mend it");
    }
}

#[test]
fn a_wrong_value_that_can_not_be_understood_is_explained_and_no_command_makes_one_up() {
    let log = "info,actix_server=warn,actix_http=off";
    let table = [
        ("APP_ENV", ENVIRONMENTS, "development", &["live", "preproduction", "nonprod", "st"][..]),
        ("WEB_CONCURRENCY", WORKERS, "4", &["lots", "0", "65", "-1", "4.5", "on", "4 5"]),
        // 65536: config's own numbers were cut to 16 bits once, and `yes` was 1 to it.
        ("PORT", PORTS, "8080", &["65536", "-1", "http", "yes", "3000 4000", "tcp://10.0.0.1:80"]),
        ("HOST", IP, "127.0.0.1", &["here", "www.example.com", "127.1", "http://127.0.0.1"]),
        (
            "RUST_LOG",
            LEVELS,
            log,
            &["verbose", "stagedoor=loud", ",", "info,stagedoor", "stagedoor=", "true"],
        ),
        ("LOG_FORMAT", FORMATS, "text", &["xml", "logfmt"]),
        ("FORCE_HTTPS", BOOL, "false", &["maybe", "http", "2"]),
        ("SITE_NAME", NAME, "Board", &["  ", "\u{200b}", "\n", "Zo\u{fffd}", "\u{1b}[31mBoard"]),
    ];
    for (name, allowed, default, values) in table {
        for value in values {
            let (what, remedy) = problem(&[(name, value)]);
            assert_eq!(what, format!("{name} is `{}`. It must be {allowed}.", seen(value)));
            assert_eq!(remedy, format!("Set it to what is meant. Unset, it is `{default}`."));
            let refusal = report(&[(name, value), ("APP_ENV", "staging")]).refusal();
            let is_other = name == "APP_ENV" || !refusal.contains("To fix");
            assert!(is_other && !refusal.contains(&format!("{name}=")), "{refusal}");
        }
    }
}

/// A value as the report shows it.
fn seen(value: &str) -> String {
    let escape = |c: char| {
        if c.is_control() || "\u{200b}\u{200e}\u{202e}\u{fffd}".contains(c) {
            c.escape_unicode().to_string()
        } else {
            c.into()
        }
    };
    value.chars().map(escape).collect()
}

#[test]
fn what_one_setting_has_of_another_is_told_and_neither_is_lost() {
    for variable in [("HOST", "127.0.0.1:80"), ("HOST", "localhost:80"), ("PORT", "127.0.0.1:80")] {
        assert_eq!(problem(&[variable]).1, "Set HOST to 127.0.0.1, and PORT to 80.");
    }
    assert_eq!(problem(&[("HOST", "[::1]:80")]).1, "Set HOST to ::1, and PORT to 80.");
}

#[test]
fn a_loopback_that_was_meant_is_not_opened_to_every_interface() {
    for environment in ["development", "review", "staging", "production"] {
        let (_, remedy) = problem(&[("APP_ENV", environment), ("HOST", "localhost")]);
        assert_eq!(remedy, "HOST=127.0.0.1", "{environment}");
    }
}

#[test]
fn development_on_a_dyno_is_no_reason_to_call_it_production() {
    let on =
        |app| problem(&[("DYNO", "web.1"), ("HEROKU_APP_NAME", app), ("APP_ENV", "development")]);
    assert_eq!(on("myapp").1, "Set it to what is meant. Unset, it is `production`.");
    assert_eq!(on("myapp-staging").1, "APP_ENV=staging");
}

#[test]
fn an_address_that_can_not_be_understood_gets_no_other() {
    let domain = ("HEROKU_APP_DEFAULT_DOMAIN_NAME", "myapp-0123.herokuapp.com");
    for url in [
        "https://",
        "lots",
        "https://x\"><script>",
        "https://a.example https://b.example",
        "https://a.example,https://b.example",
        "https://a.example\nhttps://b.example",
        "https://*.example.com",
        "http://a.example:8080", // which port https has is not clear
        "me@a.example",
        "https://-a.example",
        "https://a..example",
        "https://1.2",
        "https://a.example:0",
        "https://a.example:99999",
        "https://bü cher.example",
    ] {
        let (_, remedy) = problem(&[("SITE_URL", url)]);
        assert_eq!(remedy, "Set it to what is meant.", "{url}");
        let (_, remedy) = problem(&[("SITE_URL", url), domain]);
        let unset = "Unset, it is `https://myapp-0123.herokuapp.com`.";
        assert_eq!(remedy, format!("Set it to what is meant. {unset}"), "{url}");
    }
}

#[test]
fn a_name_and_a_password_in_an_address_are_not_shown() {
    let table = [
        ("https://me:swordfish@a.example", "https://…@a.example", "SITE_URL=https://a.example"),
        ("me:swordfish@a.example", "…@a.example", "Set it to what is meant."),
        ("https://sword/fish@a.example", "https://…@a.example", "Set it to what is meant."),
        ("https://me:s#word?fish@a.example", "https://…@a.example", "Set it to what is meant."),
        ("http://me:sword@fish@a.example/b", "http://…@a.example/b", "SITE_URL=https://a.example"),
    ];
    for (url, seen, mended) in table {
        let report = report(&[("SITE_URL", url)]);
        assert_eq!(row(&report, "SITE_URL").0, seen);
        let (what, remedy) = problem(&[("SITE_URL", url)]);
        assert_eq!(
            (what, remedy.as_str()),
            (format!("SITE_URL is `{seen}`. It must be {URL}."), mended)
        );
        assert!(!format!("{report}{report:?}").contains("sword"), "{report}");
    }
    let wrong = [("QUEUE", "amqps://me:swordfish@queue.example ")].into_iter().collect();
    let read = |reader: &mut Reader| {
        let is_queue = |text: &str| text.ends_with("example").then(|| text.to_owned());
        reader.read("QUEUE", "amqp://example", "a queue", is_queue)
    };
    let refused = stagedoor::load(&build!(), &wrong, read).unwrap_err();
    assert_eq!(problems(&refused)[0].1, "Set it to what is meant. Unset, it is `amqp://example`.");
    assert!(!format!("{refused}{refused:?}").contains("swordfish"), "{refused}");
    let read = |reader: &mut Reader| reader.read("QUEUE", "-", "-", |text| Some(text.to_owned()));
    let variables = [("QUEUE", "amqps://me:swordfish@queue.example")].into_iter().collect();
    let (_, report) = stagedoor::load(&build!(), &variables, read).unwrap();
    assert_eq!(row(&report, "QUEUE").0, "amqps://…@queue.example");
}

#[test]
fn http_is_for_this_machine_in_development_alone() {
    let here =
        ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:80/", "http://a.localhost"];
    for url in here {
        assert!(load(&[("SITE_URL", url)]).is_ok(), "{url}");
        for environment in ["review", "staging", "production"] {
            let (what, remedy) = problem(&[("APP_ENV", environment), ("SITE_URL", url)]);
            let expected =
                format!("SITE_URL is `{url}`. It must be https:// and a host, without a path.");
            assert_eq!(
                (what.as_str(), remedy.as_str()),
                (expected.as_str(), "Set it to what is meant.")
            );
        }
    }
    for environment in ["development", "review", "staging", "production"] {
        let variables = [("APP_ENV", environment), ("SITE_URL", "http://www.example.com")];
        assert_eq!(problem(&variables).1, "SITE_URL=https://www.example.com", "{environment}");
    }
    for url in ["http://localhost.example", "http://128.0.0.1", "http://[::2]"] {
        assert_eq!(problems(&report(&[("SITE_URL", url)])).len(), 1, "{url}");
    }
}

#[test]
fn a_setting_of_ones_own_is_understood_as_the_others_are() {
    let read = |reader: &mut Reader| {
        let is_region = |text: &str| ["EU", "US"].contains(&text).then(|| text.to_owned());
        reader.read("REGION", "EU", "EU or US", is_region);
        reader.read("MATINEE", "true", "true or false", |text| text.parse::<bool>().ok());
    };
    let variables = [("REGION", "us "), ("MATINEE", "off")].into_iter().collect();
    let report = stagedoor::load(&build!(), &variables, read).unwrap_err();
    assert!(report.refusal().ends_with("  export REGION=US MATINEE=false\n"), "{report}");
}

#[test]
fn the_canonical_address_is_productions_own_and_by_default_the_apps_domain() {
    let domain = ("HEROKU_APP_DEFAULT_DOMAIN_NAME", "myapp-0123.herokuapp.com");
    let of = |variables: &[(&str, &str)]| loaded(variables).canonical_url;
    let production = ("APP_ENV", "production");
    assert_eq!(of(&[production]), None);
    assert_eq!(of(&[production, domain]).as_deref(), Some("https://myapp-0123.herokuapp.com/"));
    for url in ["https://www.example.com", "https://www.example.com/"] {
        let url = ("SITE_URL", url);
        let own = of(&[production, domain, url]);
        assert_eq!(own.as_deref(), Some("https://www.example.com/"));
        for environment in ["development", "review", "staging"] {
            assert_eq!(of(&[("APP_ENV", environment), domain, url]), None, "{environment}");
        }
    }
    assert_eq!(of(&[production, ("HEROKU_APP_DEFAULT_DOMAIN_NAME", "\"><script>")]), None);
}

#[test]
fn a_long_value_is_shown_in_part() {
    let long = "x".repeat(61);
    let [(what, _)] = &problems(&report(&[("SITE_NAME", &long)]))[..] else { panic!() };
    assert!(what.starts_with(&format!("SITE_NAME is `{}…`.", "x".repeat(60))), "{what}");
    assert!(load(&[("SITE_NAME", &"é".repeat(60))]).is_ok());
}

#[test]
fn text_that_looks_like_a_number_stays_text() {
    for text in ["1.10", "00012345", "TRUE", "123456789012345678901234567890"] {
        let settings = loaded(&[("SITE_NAME", text), ("PREVIEW_PASSWORD", text)]);
        assert_eq!(settings.site_name, text);
        assert_eq!(settings.platform.preview_password.unwrap().expose_secret(), text);
    }
}

#[test]
fn all_problems_are_reported_at_once_with_one_command_that_fixes_them() {
    let report = report(&[
        ("DYNO", "release.1"),
        ("HEROKU_APP_NAME", "myapp"),
        ("APP_ENV", "stage"),
        ("SITE_NAME", "The\nBoard"),
        ("HOST", "127.0.0.1"),
        ("WEB_CONCURRENCY", "4;"),
        ("FORCE_HTTPS", "off"),
    ]);
    let expected = "\
stagedoor does not start with these settings. 5 problems:
  APP_ENV is `stage`. It must be review, staging or production on a dyno.
    Fix: APP_ENV=staging
  SITE_NAME is `The\\u{a}Board`. It must be 1 to 60 printable characters.
    Fix: SITE_NAME='The Board'
  HOST is `127.0.0.1`. It must be :: on a dyno, for every interface; or leave it unset.
    Fix: HOST=::
  WEB_CONCURRENCY is `4;`. It must be a whole number from 1 to 64.
    Fix: WEB_CONCURRENCY=4
  FORCE_HTTPS is `off`. It must be true or false.
    Fix: FORCE_HTTPS=false
To fix it on Heroku:
  heroku config:set APP_ENV=staging SITE_NAME='The Board' HOST=:: WEB_CONCURRENCY=4 FORCE_HTTPS=false --app myapp
";
    assert_eq!(report.refusal(), expected);
}

#[test]
fn a_command_that_mends_a_part_says_so() {
    let report = report(&[
        ("DYNO", "release.1"),
        ("HEROKU_APP_NAME", "myapp"),
        ("APP_ENV", "production"),
        ("PORT", "http"),
        ("WEB_CONCURRENCY", "lots"),
        ("FORCE_HTTPS", "off"),
        ("PREVIEW_PASSWORD", "open sesame now\n"),
    ]);
    let expected = "\
stagedoor does not start with these settings. 4 problems:
  PORT is `http`. It must be a whole number from 0 to 65535.
    Fix: heroku config:unset PORT --app myapp (Heroku sets it)
  WEB_CONCURRENCY is `lots`. It must be a whole number from 1 to 64.
    Fix: Set it to what is meant. Unset, it is `4`.
  FORCE_HTTPS is `off`. It must be true or false.
    Fix: FORCE_HTTPS=false
  PREVIEW_PASSWORD can't be typed: it is blank, or has characters such as the end of a line.
    Fix: Set it again, without what can't be typed.
To fix 1 of these 4 on Heroku:
  heroku config:set FORCE_HTTPS=false --app myapp
";
    assert_eq!(report.refusal(), expected);
    assert_eq!(report.notices(), [""; 0]);
}

#[test]
fn no_remedy_changes_a_password_or_makes_a_secret_up() {
    for (name, value) in [("PREVIEW_PASSWORD", "open sesame\n"), ("QUEUE_URL", "queue://\u{7}")] {
        for dyno in [&[][..], &[("DYNO", "web.1")]] {
            let variables = dyno.iter().copied().chain([(name, value)]).collect();
            let read = |reader: &mut Reader| reader.secret(name);
            let refusal = stagedoor::load(&build!(), &variables, read).unwrap_err().refusal();
            assert!(
                !refusal.contains("openssl") && !refusal.contains(&format!("{name}=")),
                "{refusal}"
            );
        }
    }
    let weak = load(&[("PREVIEW_PASSWORD", "short"), ("APP_ENV", "staging")]).unwrap().1;
    assert!(!weak.to_string().contains("PREVIEW_PASSWORD="), "{weak}");
}

#[test]
fn a_value_that_a_shell_would_split_or_expand_is_quoted_in_what_the_operator_types() {
    for (meant, typed) in
        [("Notice Board", "'Notice Board'"), ("it's $5", r"'it'\''s $5'"), ("a.b", "a.b")]
    {
        let refusal = report(&[("SITE_NAME", &format!("{meant}\n"))]).refusal();
        assert!(refusal.contains(&format!("    Fix: SITE_NAME={typed}\n")), "{refusal}");
        assert!(refusal.ends_with(&format!("  export SITE_NAME={typed}\n")), "{refusal}");
        let shell = format!("SITE_NAME={typed}; printf %s \"$SITE_NAME\"");
        let read_back = Command::new("sh").args(["-c", &shell]).output().unwrap().stdout;
        assert_eq!(read_back, meant.as_bytes());
    }
}

#[test]
fn the_command_is_for_the_place_that_the_settings_are_for() {
    let here = report(&[("HOST", "localhost"), ("PORT", ":80")]).refusal();
    assert!(
        here.ends_with("\nTo fix it in this shell:\n  export HOST=127.0.0.1 PORT=80\n"),
        "{here}"
    );
    let staging = [("APP_ENV", "staging"), ("HOST", "localhost"), ("PORT", ":80")];
    let both = report(&[&staging[..], &[("FORCE_HTTPS", "on")]].concat()).refusal();
    let commands = "
To fix it in this shell:
  export HOST=127.0.0.1 PORT=80 FORCE_HTTPS=true
To fix it on Heroku:
  heroku config:set FORCE_HTTPS=true --app NAME
";
    assert!(both.ends_with(commands), "{both}");
    let dyno = report(&[("DYNO", "web.1"), ("PORT", "x")]).refusal();
    assert!(
        dyno.ends_with("Fix: heroku config:unset PORT --app NAME (Heroku sets it)\n"),
        "{dyno}"
    );
}

#[test]
fn an_apps_name_suggests_its_stage() {
    for (app, stage) in
        [("myapp-staging", "staging"), ("myapp-stg", "staging"), ("staging", "production")]
    {
        let (settings, report) = load(&[("DYNO", "web.1"), ("HEROKU_APP_NAME", app)]).unwrap();
        assert_eq!(settings.platform.environment, Environment::Production, "whatever the name");
        let command = format!("heroku config:set APP_ENV={stage} --app {app}");
        assert!(report.notices()[0].ends_with(&command), "{report}");
    }
}

#[test]
fn on_a_dyno_every_interface_must_be_listened_on() {
    for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1"] {
        let report = report(&[("DYNO", "web.1"), ("HOST", host)]);
        assert_eq!(problems(&report).len(), 1, "{host}: {report}");
    }
    for host in ["::", "0.0.0.0"] {
        assert!(load(&[("DYNO", "web.1"), ("HOST", host)]).is_ok(), "{host}");
    }
}

#[test]
fn an_app_name_that_a_shell_could_misread_is_not_put_into_a_command() {
    let report =
        report(&[("DYNO", "web.1"), ("HEROKU_APP_NAME", "x; rm -rf /"), ("LOG_FORMAT", "JSON")]);
    assert!(
        report.refusal().ends_with("  heroku config:set LOG_FORMAT=json --app NAME\n"),
        "{report}"
    );
}

#[test]
fn the_usual_filters_are_understood() {
    for filter in ["off", "INFO", "stagedoor=debug", "warn,actix_http::h1=trace,stagedoor=info"] {
        assert_eq!(
            loaded(&[("RUST_LOG", filter)]).platform.log,
            filter.parse().unwrap(),
            "{filter}"
        );
    }
}

#[test]
fn as_many_workers_as_processors_and_at_most_four() {
    for (processors, workers) in [(1, 1), (2, 2), (4, 4), (8, 4), (16, 4)] {
        let variables = Variables::from_iter([("A", "1")]).on_processors(processors);
        let (settings, _) =
            stagedoor::load(&build!(), &variables, stagedoor::Settings::read).unwrap();
        assert_eq!(settings.workers, workers);
    }
}

#[test]
fn what_looks_unintended_is_noticed_and_keeps_nothing_from_starting() {
    let table = [
        (("APP_ENV", "staging"), "Anyone can open this staging site: it has no PREVIEW_PASSWORD."),
        (("APP_ENV", "review"), "Anyone can open this review site: it has no PREVIEW_PASSWORD."),
        (
            ("PREVIEW_PASWORD", "x"),
            "PREVIEW_PASWORD is set, but there is no such setting. Did you mean PREVIEW_PASSWORD?",
        ),
        (
            ("PREVIEW_PASSWD", "x"),
            "PREVIEW_PASSWD is set, but there is no such setting. Did you mean PREVIEW_PASSWORD?",
        ),
        (
            ("app_env", "production"),
            "app_env is set, but there is no such setting. Did you mean APP_ENV?",
        ),
        (
            ("APPENV", "production"),
            "APPENV is set, but there is no such setting. Did you mean APP_ENV?",
        ),
        (
            ("FORCE_HTTP", "true"),
            "FORCE_HTTP is set, but there is no such setting. Did you mean FORCE_HTTPS?",
        ),
        (
            ("LOG_FROMAT", "json"),
            "LOG_FROMAT is set, but there is no such setting. Did you mean LOG_FORMAT?",
        ),
        (
            ("LOG_FORMAT\u{1b}", "json"),
            "LOG_FORMAT\\u{1b} is set, but there is no such setting. Did you mean LOG_FORMAT?",
        ),
    ];
    for (variable, expected) in table {
        let (_, report) = load(&[variable]).unwrap();
        let [notice] = report.notices() else { panic!("{variable:?}: {report}") };
        assert!(notice.starts_with(expected), "{notice}");
    }
    let closed =
        load(&[("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "open sesame now")]).unwrap().1;
    assert_eq!(closed.notices(), [""; 0]);
}

#[test]
fn a_password_that_is_short_or_has_a_stray_quote_or_blank_gets_a_notice_that_does_not_show_it() {
    let short = "PREVIEW_PASSWORD has fewer than 12 characters";
    let stray = "PREVIEW_PASSWORD begins or ends with a blank or a quote";
    let table: [(&str, &[&str]); 6] = [
        ("elevenchars", &[short]),
        ("twelve chars", &[]),
        ("'twelve chars'", &[stray]),
        ("twelve chars\"", &[stray]),
        (" twelve chars", &[stray]),
        ("short ", &[stray, short]),
    ];
    for (password, expected) in table {
        let report = load(&[("PREVIEW_PASSWORD", password)]).unwrap().1;
        let notices = report.notices();
        assert_eq!(notices.len(), expected.len(), "{password}: {report}");
        for (notice, start) in notices.iter().zip(expected) {
            assert!(notice.starts_with(start), "{notice}");
            assert!(!notice.contains(password.trim()), "{notice}");
        }
    }
}

#[test]
fn other_programs_variables_are_no_misspellings() {
    let others = [
        "PATH",
        "HOME",
        "HOSTNAME",
        "POST",
        "PWD",
        "LANG",
        "APP_URL",
        "APP_KEY",
        "RUSTFLAGS",
        "LOG_LEVEL",
        "FILE_NAME",
        "A[999999999]",
        "B.C",
    ];
    let variables: Vec<_> = others.iter().map(|name| (*name, "x")).collect();
    assert_eq!(report(&variables).notices(), [""; 0]);
}

#[test]
fn a_secret_is_in_no_report_no_debug_and_no_error() {
    let secret = "swordfish";
    let wrong = [("PREVIEW_PASSWORD", secret), ("PREVIEW_PASWORD", secret), ("PORT", "x")];
    let report = report(&wrong);
    let settings = loaded(&wrong[..2]);
    for text in
        [report.to_string(), report.refusal(), format!("{report:?}"), format!("{settings:#?}")]
    {
        assert!(!text.contains(secret), "{text}");
    }
    let odd = "sword\u{7}fish";
    let report = self::report(&[("PREVIEW_PASSWORD", odd)]);
    assert_eq!(problems(&report).len(), 1);
    assert!(!format!("{report}{report:?}").contains("fish"), "{report}");
}

#[test]
fn the_report_has_a_row_for_every_setting_in_the_order_in_which_they_are_read() {
    let report = report(&[("SITE_NAME", "Mine"), ("PREVIEW_PASSWORD", "x")]);
    let names: Vec<_> = rows(&report.to_string()).into_iter().map(|[name, ..]| name).collect();
    assert_eq!(names, NAMES);
    let table = [
        ("SITE_NAME", "Mine", "environment"),
        ("PREVIEW_PASSWORD", "set", "environment"),
        ("PORT", "8080", "default"),
        ("SITE_URL", "not set", "default"),
    ];
    for (name, value, origin) in table {
        assert_eq!(row(&report, name), (value.to_owned(), origin.to_owned()), "{name}");
    }
}

#[test]
fn problems_of_an_apps_own_settings_and_of_the_platforms_stand_in_one_report() {
    let report = report(&[("SITE_NAME", "Mine\u{7}"), ("PORT", "80 ")]);
    let expected = "\
stagedoor does not start with these settings. 2 problems:
  SITE_NAME is `Mine\\u{7}`. It must be 1 to 60 printable characters.
    Fix: SITE_NAME=Mine
  PORT is `80 `. It must be a whole number from 0 to 65535.
    Fix: PORT=80
To fix it in this shell:
  export SITE_NAME=Mine PORT=80
";
    assert_eq!(report.refusal(), expected);
    assert!(!report.is_ok());
    assert!(report.to_string().ends_with(expected), "{report}");
}

#[test]
fn a_check_that_failed_is_named_with_its_remedy_and_holds_the_release_back() {
    let mut report = report(&[]);
    assert!(report.is_ok());
    report.add_check("disk", Ok("9 GB free".to_owned()));
    assert!(report.is_ok() && report.refusal().is_empty(), "{report}");
    assert_eq!(row(&report, "disk"), ("9 GB free".to_owned(), "check".to_owned()));
    assert!(report.to_string().ends_with("stagedoor starts with these settings.\n"), "{report}");

    let problem = Problem::new("The queue does not answer.", "heroku addons --app NAME");
    report.add_check("queue", Err(problem));
    assert!(!report.is_ok());
    assert_eq!(row(&report, "queue"), ("failed".to_owned(), "check".to_owned()));
    let what = "queue: The queue does not answer.".to_owned();
    assert_eq!(problems(&report), [(what, "heroku addons --app NAME".to_owned())]);
    assert!(!report.to_string().contains("starts with these settings"), "{report}");
}

#[test]
fn a_secret_of_ones_own_is_shown_as_set_and_no_more() {
    let read = |reader: &mut Reader| reader.secret("QUEUE_URL");
    let load = |variables: &[(&str, &str)]| {
        stagedoor::load(&build!(), &variables.iter().copied().collect(), read)
    };
    let secret = "amqps://me:swordfish@queue.example";
    let (read, report) = load(&[("QUEUE_URL", secret)]).unwrap();
    assert_eq!(read.as_ref().map(SecretString::expose_secret), Some(secret));
    assert_eq!(row(&report, "QUEUE_URL"), ("set".to_owned(), "environment".to_owned()));
    assert!(!format!("{report}{report:?}{read:?}").contains("swordfish"), "{report}");

    let (read, report) = load(&[]).unwrap();
    assert!(read.is_none());
    assert_eq!(row(&report, "QUEUE_URL"), ("not set".to_owned(), "default".to_owned()));

    let report = load(&[("QUEUE_URL", "swordfish\u{7}")]).unwrap_err();
    assert_eq!(problems(&report).len(), 1);
    assert!(!format!("{report}{report:?}").contains("swordfish"), "{report}");
}
