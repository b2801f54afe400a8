//! Settings: variables in, typed values or every problem out.

use std::fs;
use std::net::IpAddr;
use std::process::Command;

use secrecy::{ExposeSecret, SecretString};
use stagedoor::{Environment, Heroku, LogFormat, Problem, Reader, Report, Variables, build};
use testbed::{directory, rows};

use support::app::{NAMES, load, load_of, loaded, problems, report};

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

#[test]
fn a_wrong_value_is_named_with_what_is_allowed_and_what_mends_it() {
    let environments = "It must be development, review, staging or production.";
    let host = "It must be an IP address, such as 127.0.0.1, or :: for every interface.";
    let port = "It must be a whole number from 0 to 65535.";
    let log = "It must be levels, and targets with a level, such as info or warn,stagedoor=debug.";
    let workers = "It must be a whole number from 1 to 64.";
    let url = "It must be https:// and a host, without a path.";
    let table = [
        ("APP_ENV", "prod", environments, "production"),
        ("APP_ENV", "Staging", environments, "staging"),
        ("APP_ENV", "live", environments, "development"),
        ("SITE_URL", "www.example.com", url, "https://www.example.com"),
        ("SITE_URL", "https://www.example.com/board", url, "https://www.example.com"),
        ("SITE_URL", "https://a.example/?q", url, "https://a.example"),
        ("SITE_URL", "ftp://a.example", url, "https://a.example"),
        ("SITE_URL", "https://", url, "https://www.example.com"),
        ("SITE_URL", "https://me:secret@a.example", url, "https://www.example.com"),
        ("SITE_URL", "https://x\"><script>", url, "https://www.example.com"),
        ("HOST", "localhost", host, "127.0.0.1"),
        ("HOST", "127.0.0.1:80", host, "127.0.0.1"),
        ("PORT", "65536", port, "8080"), // config's own numbers were cut to 16 bits once
        ("PORT", "-1", port, "8080"),
        ("PORT", "80 ", port, "8080"),
        ("PORT", "http", port, "8080"),
        ("PORT", "yes", port, "8080"), // a 1 to config
        ("RUST_LOG", "stagedoor=loud", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", ",", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", "inof", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", "INOF", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", "warning", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", "verbose", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", "info,stagedoor", log, "info,actix_server=warn,actix_http=off"),
        ("RUST_LOG", "stagedoor=", log, "info,actix_server=warn,actix_http=off"),
        ("LOG_FORMAT", "xml", "It must be text or json.", "text"),
        ("FORCE_HTTPS", "yes", "It must be true or false.", "false"),
        ("FORCE_HTTPS", "TRUE", "It must be true or false.", "false"),
        ("SITE_NAME", "  ", "It must be 1 to 60 printable characters.", "Board"),
        ("SITE_NAME", "bell\u{7}", "It must be 1 to 60 printable characters.", "Board"),
        ("SITE_NAME", "\u{200b}", "It must be 1 to 60 printable characters.", "Board"),
        ("SITE_NAME", "x\u{202e}", "It must be 1 to 60 printable characters.", "Board"),
        ("SITE_NAME", "\u{200e}x", "It must be 1 to 60 printable characters.", "Board"),
    ];
    for (name, value, allowed, mended) in table {
        let [(what, remedy)] = &problems(&report(&[(name, value)]))[..] else {
            panic!("{name}={value}")
        };
        let escape = |c: char| {
            if c.is_ascii_graphic() || c == ' ' { c.into() } else { c.escape_unicode().to_string() }
        };
        let shown: String = value.chars().map(escape).collect();
        assert_eq!(*what, format!("{name} is `{shown}`. {allowed}"));
        assert_eq!(*remedy, format!("{name}={mended}"));
        assert!(load(&[(name, mended)]).is_ok(), "{remedy} does not mend it");
    }
    for value in ["0", "65", "-1", "4.0", "on"] {
        let [(what, _)] = &problems(&report(&[("WEB_CONCURRENCY", value)]))[..] else {
            panic!("{value}")
        };
        assert_eq!(*what, format!("WEB_CONCURRENCY is `{value}`. {workers}"));
    }
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
        ("APP_ENV", "development"),
        ("HOST", "127.0.0.1"),
        ("PORT", "http"),
        ("WEB_CONCURRENCY", "0"),
        ("PREVIEW_PASSWORD", "bell\u{7}"),
    ]);
    let expected = "\
stagedoor does not start with these settings. 5 problems:
  APP_ENV is `development`. It must be review, staging or production on a dyno.
    Fix: APP_ENV=production
  HOST is `127.0.0.1`. It must be :: on a dyno, for every interface; or leave it unset.
    Fix: HOST=::
  PORT is `http`. It must be a whole number from 0 to 65535.
    Fix: heroku config:unset PORT --app myapp (Heroku sets it)
  WEB_CONCURRENCY is `0`. It must be a whole number from 1 to 64.
    Fix: WEB_CONCURRENCY=4
  PREVIEW_PASSWORD has characters that can't be typed. Use printable ones.
    Fix: PREVIEW_PASSWORD=\"$(openssl rand -hex 16)\"
To fix it on Heroku:
  heroku config:set APP_ENV=production HOST=:: WEB_CONCURRENCY=4 PREVIEW_PASSWORD=\"$(openssl rand -hex 16)\" --app myapp
";
    assert_eq!(report.refusal(), expected);
}

#[test]
fn a_value_that_a_shell_would_split_or_expand_is_quoted_in_what_the_operator_types() {
    for (default, typed) in
        [("Notice Board", "'Notice Board'"), ("it's $5", r"'it'\''s $5'"), ("a.b", "a.b")]
    {
        let read = |reader: &mut Reader| reader.text("SITE_NAME", default, 60);
        let wrong = [("SITE_NAME", "\u{7}")].into_iter().collect();
        let refusal = stagedoor::load(&build!(), &wrong, read).unwrap_err().refusal();
        assert!(refusal.contains(&format!("    Fix: SITE_NAME={typed}\n")), "{refusal}");
        assert!(refusal.ends_with(&format!("  export SITE_NAME={typed}\n")), "{refusal}");
        let shell = format!("SITE_NAME={typed}; printf %s \"$SITE_NAME\"");
        let read_back = Command::new("sh").args(["-c", &shell]).output().unwrap().stdout;
        assert_eq!(read_back, default.as_bytes());
    }
}

#[test]
fn the_command_is_for_the_place_that_the_settings_are_for() {
    let here = report(&[("HOST", "localhost"), ("PORT", "http")]).refusal();
    assert!(
        here.ends_with("\nTo fix it in this shell:\n  export HOST=127.0.0.1 PORT=8080\n"),
        "{here}"
    );
    let both = report(&[("APP_ENV", "staging"), ("HOST", "localhost"), ("PORT", "http")]).refusal();
    let commands = "
To fix it in this shell:
  export HOST=:: PORT=8080
To fix it on Heroku:
  heroku config:set HOST=:: --app NAME
";
    assert!(both.ends_with(commands), "{both}");
    let dyno = report(&[("DYNO", "web.1"), ("PORT", "x")]).refusal();
    assert!(
        dyno.ends_with("Fix: heroku config:unset PORT --app NAME (Heroku sets it)\n"),
        "{dyno}"
    );
}

#[test]
fn what_is_wrong_in_dot_env_is_fixed_there() {
    let variables = layered(&[("LOG_FORMAT", "xml")], "PORT=http\nWEB_CONCURRENCY=0\n");
    let Err(report) = load_of(variables) else { panic!("it loads") };
    let commands = "
To fix it in .env:
  PORT=8080
  WEB_CONCURRENCY=4
To fix it in this shell:
  export LOG_FORMAT=text
";
    assert!(report.refusal().ends_with(commands), "{report}");
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
        report(&[("DYNO", "web.1"), ("HEROKU_APP_NAME", "x; rm -rf /"), ("LOG_FORMAT", "xml")]);
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
    let report = report(&[("SITE_NAME", "\u{7}"), ("PORT", "http")]);
    let expected = "\
stagedoor does not start with these settings. 2 problems:
  SITE_NAME is `\\u{7}`. It must be 1 to 60 printable characters.
    Fix: SITE_NAME=Board
  PORT is `http`. It must be a whole number from 0 to 65535.
    Fix: PORT=8080
To fix it in this shell:
  export SITE_NAME=Board PORT=8080
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

/// Reads variables as the process does: the environment over a `.env` file with this text.
fn layered(environment: &[(&str, &str)], dot_env: &str) -> Variables {
    let file = directory().join(".env");
    fs::write(&file, dot_env).unwrap();
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Variables::layered(environment, &file)
}

#[test]
fn the_environment_lies_over_dot_env() {
    let variables = layered(
        &[("PORT", "1"), ("SITE_NAME", "")],
        "PORT=2\nSITE_NAME='a # b'\n# no\nexport HOST=::1\nlog_format=json\n",
    );
    let (_, report) = load_of(variables).unwrap();
    let table = [
        ("PORT", "1", "environment"),
        ("SITE_NAME", "a # b", ".env"),
        ("HOST", "::1", ".env"),
        ("LOG_FORMAT", "text", "default"),
    ];
    for (name, value, origin) in table {
        assert_eq!(row(&report, name), (value.to_owned(), origin.to_owned()), "{name}");
    }
}

#[test]
fn a_dollar_in_dot_env_is_a_dollar() {
    let text = "A=pa$word\nB=$ecret\nC=\"a$A\"\nD='${A}'\n";
    let read = |reader: &mut Reader| ["A", "B", "C", "D"].map(|name| reader.text(name, "-", 60));
    let (values, report) =
        stagedoor::load(&build!(), &layered(&[("word", "x")], text), read).unwrap();
    assert_eq!(values, ["pa$word", "$ecret", "a$A", "${A}"]);
    assert_eq!(row(&report, "A").1, ".env");
}

#[test]
fn dot_env_makes_no_dyno() {
    let (settings, report) = load_of(layered(&[], "DYNO=web.1\n")).unwrap();
    assert_eq!(settings.platform.environment, Environment::Development);
    assert_eq!(report.notices(), [""; 0]);
}

#[test]
fn dot_env_is_not_read_on_a_dyno() {
    let variables = layered(&[("DYNO", "web.1")], "SITE_NAME=local\nbroken line\n");
    let (settings, report) = load_of(variables).unwrap();
    assert_eq!(settings.site_name, "Board");
    assert_eq!(row(&report, "SITE_NAME").1, "default");
}

#[test]
fn a_missing_dot_env_is_an_empty_one() {
    let missing = directory().join(".env");
    let (_, found) = load_of(Variables::layered([], &missing)).unwrap();
    assert_eq!(found, report(&[]));
}

#[test]
fn broken_lines_of_dot_env_are_told_by_number_and_never_shown() {
    let table = [
        ("swordfish\n", vec![1]),
        ("PORT=1\n\n# PASSWORD swordfish\nPASSWORD swordfish\n", vec![4]),
        ("A=1\nswordfish 1\nB=2\nswordfish 2\nC=3", vec![2, 4]),
        ("A=1\nPREVIEW_PASSWORD='swordfish\nB=2\nC=3\n", vec![2]),
        ("A=\"two\nlines\"\nswordfish\n", vec![1, 2, 3]),
        ("\u{feff}PORT=1\r\nswordfish\r\n", vec![2]),
        ("A=b c\n", vec![1]),
    ];
    for (text, lines) in table {
        let Err(report) = load_of(layered(&[], text)) else { panic!("{text:?} loads") };
        let expected: Vec<_> =
            lines.iter().map(|n| format!("Line {n} of .env can't be parsed.")).collect();
        let found: Vec<_> = problems(&report).into_iter().map(|(what, _)| what).collect();
        assert_eq!(found, expected, "{text:?}");
        assert!(!format!("{report}{report:?}").contains("swordfish"));
    }
}

#[test]
fn a_dot_env_that_cannot_be_read_is_a_problem() {
    let directory = directory();
    let Err(report) = load_of(Variables::layered([], &directory)) else {
        panic!("a directory loads")
    };
    assert!(problems(&report)[0].0.starts_with(".env can't be read: "), "{report}");
    let file = directory.join("binary");
    fs::write(&file, b"PORT=\xff\xfe").unwrap();
    let Err(report) = load_of(Variables::layered([], &file)) else { panic!("bytes load") };
    assert!(problems(&report)[0].0.starts_with(".env can't be read: "), "{report}");
}
