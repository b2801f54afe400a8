//! Settings from any variables: they load, or every wrong one is named; and nothing said of them has the
//! password in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;

use proptest::option;
use stagedoor::{Report, Variables, build};
use testbed::directory;

use super::*;
use support::app::{NAMES, Settings, load_of, problems};

type Environment = BTreeMap<String, String>;

/// Values that people give this setting. Most are right.
fn likely(name: &str) -> BoxedStrategy<String> {
    let of = |values: &'static [&str]| select(values).prop_map(str::to_owned).boxed();
    match name {
        "APP_ENV" => of(&["development", "review", "staging", "production"]),
        "SITE_NAME" => prop_oneof![of(&["Board", "Zoë's 🎭 board"]), "[a-zé ]{55,61}"].boxed(),
        "SITE_URL" => "https?://([a-z.-]{1,9}|\\[[0-9a-f:]{2,6}\\])(:[0-9]{0,5})?/?".boxed(),
        "HOST" => {
            let written_otherwise = of(&["::", "0.0.0.0", "0:0:0:0:0:0:0:0", "::ffff:1.2.3.4"]);
            prop_oneof![written_otherwise, any::<IpAddr>().prop_map(|ip| ip.to_string())].boxed()
        }
        "PORT" => (0..70_000_u32).prop_map(|port| port.to_string()).boxed(),
        "WEB_CONCURRENCY" => (0..67_u32).prop_map(|workers| workers.to_string()).boxed(),
        "RUST_LOG" => {
            let directive = prop_oneof![
                "(?i)off|error|warn|info|debug|trace",
                "[0-6]",
                "[a-z_:]{1,8}(\\[\\{[a-z]{0,2}\\}\\])?(=(off|info|DEBUG|[0-5])?)?",
            ];
            vec(directive, 1..4).prop_map(|directives| directives.join(",")).boxed()
        }
        "LOG_FORMAT" => of(&["text", "json"]),
        "FORCE_HTTPS" => of(&["true", "false"]),
        _ => "[!-~é]{1,40}".boxed(),
    }
}

fn value(name: &str) -> impl Strategy<Value = String> + use<> {
    prop_oneof![6 => likely(name), 4 => misspelled(likely(name)), 1 => text()]
}

/// Some settings, some of which are right; others' variables, some of which are almost ours; perhaps
/// on a dyno.
fn environment() -> impl Strategy<Value = Environment> {
    let ours: Vec<_> = NAMES
        .map(|name| option::weighted(0.4, value(name)).prop_map(move |value| (name, value)))
        .into();
    let theirs = prop_oneof![
        misspelled(select(&NAMES[..]).prop_map(str::to_owned)),
        "[A-Z_]{0,9}",
        ".{0,40}"
    ];
    let heroku = vec((select(&["DYNO", "HEROKU_APP_NAME"][..]), prop_oneof!["web", text()]), 0..3);
    (vec((theirs, text()), 0..4), heroku, ours).prop_map(|(theirs, heroku, ours)| {
        let ours = ours.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let named = heroku.into_iter().chain(ours).map(|(name, value)| (name.to_owned(), value));
        theirs.into_iter().chain(named).collect()
    })
}

/// The settings that are refused even where no other is given.
fn wrong(environment: &Environment) -> BTreeSet<&str> {
    let is_wrong = |name: &str| {
        let alone =
            |given: &String| given == name || ["DYNO", "HEROKU_APP_NAME"].contains(&&**given);
        let variables = environment.iter().filter(|(given, _)| alone(given));
        load_of(variables.map(|(name, value)| (name, value.as_str())).collect()).is_err()
    };
    NAMES.into_iter().filter(|name| is_wrong(name)).collect()
}

fn read(environment: &Environment, processors: usize) -> Result<(Settings, Report), Report> {
    let variables: Variables = environment.clone().into_iter().collect();
    stagedoor::load(&build!(), &variables.on_processors(processors), Settings::read)
}

/// All that can be said of variables.
fn said(variables: Variables) -> Vec<String> {
    match load_of(variables) {
        Ok((settings, report)) => {
            vec![format!("{settings:?}{settings:#?}"), format!("{report}{report:?}")]
        }
        Err(report) => vec![report.to_string(), report.refusal(), format!("{report:?}")],
    }
}

#[test]
fn any_variables_load_or_every_wrong_one_is_named_and_no_other() {
    for_any(4_000, &(environment(), 1..256_usize), |(environment, processors)| {
        let wrong = wrong(&environment);
        match read(&environment, processors) {
            Ok((_, report)) => {
                prop_assert_eq!(wrong, BTreeSet::new());
                prop_assert_eq!(report.refusal(), "");
            }
            Err(report) => {
                let first_word = |what: &'_ str| what.split(' ').next().unwrap().to_owned();
                let named: Vec<_> =
                    problems(&report).iter().map(|(what, _)| first_word(what)).collect();
                prop_assert_eq!(named.len(), wrong.len(), "each is named once: {:?}", named);
                prop_assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), wrong);
            }
        }
        Ok(())
    });
}

/// A value as a shell reads it.
fn unquoted(value: &str) -> String {
    let quoted = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    quoted.map_or_else(|| value.to_owned(), |value| value.replace(r"'\''", "'"))
}

#[test]
fn what_the_report_says_mends_any_variables() {
    for_any(1_500, &(environment(), 1..256_usize), |(mut environment, processors)| {
        if let Err(report) = read(&environment, processors) {
            for (what, remedy) in problems(&report) {
                let name = what.split(' ').next().unwrap();
                let mended = remedy.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
                let both =
                    remedy.strip_prefix("Set HOST to ").and_then(|rest| rest.strip_suffix('.'));
                if let Some(value) = mended {
                    environment.insert(name.to_owned(), unquoted(value));
                } else if let Some((host, port)) =
                    both.and_then(|both| both.split_once(", and PORT to "))
                {
                    environment.insert("HOST".to_owned(), host.to_owned());
                    environment.insert("PORT".to_owned(), port.to_owned());
                } else if name == "PREVIEW_PASSWORD" {
                    prop_assert_eq!(remedy, "Set it again, without what can't be typed.");
                    environment.insert(name.to_owned(), "open sesame now".to_owned());
                } else {
                    let is_port = name == "PORT" && remedy.starts_with("heroku config:unset PORT ");
                    prop_assert!(
                        is_port || remedy.starts_with("Set it to what is meant."),
                        "{}",
                        remedy
                    );
                    environment.remove(name);
                }
            }
            let mended = read(&environment, processors);
            prop_assert!(mended.is_ok(), "{}", mended.unwrap_err());
        }
        Ok(())
    });
}

#[test]
fn no_variable_does_anything_to_the_terminal_that_the_report_is_read_on() {
    for_any(1_500, &environment(), |environment| {
        let report = read(&environment, 8).map_or_else(|report| report, |(_, report)| report);
        prop_assert!(!report.to_string().replace('\n', "").contains(is_odd));
        Ok(())
    });
}

#[test]
fn nothing_that_is_said_depends_on_the_password() {
    let secrets = prop_oneof![value("PREVIEW_PASSWORD"), text(), misspelled(text())]
        .prop_filter("an empty one is none", |secret| !secret.is_empty());
    for_any(2_000, &(environment(), secrets), |(environment, secret)| {
        // If all texts are equal, then what of the secret is found in one was there without it.
        let alone = [("PREVIEW_PASSWORD", &secret)].into_iter().collect();
        let is_wrong = load_of(alone).is_err();
        // A notice tells these two of a password, and a problem that it is wrong.
        let is_stray = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        let stray =
            if secret.starts_with(is_stray) || secret.ends_with(is_stray) { "'" } else { "" };
        let rest = if secret.chars().count() < 12 { "o" } else { "open sesame now" };
        let another = format!("{stray}{}{rest}", if is_wrong { "\u{7}" } else { "" });
        let said_with = |password: &str| {
            let mut environment = environment.clone();
            for name in ["PREVIEW_PASSWORD", "PREVIEW_PASWORD", "preview_password", "PASSWORD"] {
                environment.insert(name.to_owned(), password.to_owned());
            }
            said(environment.into_iter().collect())
        };
        prop_assert_eq!(said_with(&secret), said_with(&another));
        Ok(())
    });
}

#[test]
fn nothing_that_is_said_depends_on_a_password_in_dot_env_be_its_line_whole_or_broken() {
    let lines =
        r#"((export )?PREVIEW_PASS?WORD ?=?|SECRET|[ ='"\\${}\#\n\x07\u{feff}]|\r\n){0,30}"#;
    let file = directory().join(".env");
    // Letters that mean nothing after a backslash, as n would.
    for_any(2_000, &(lines, "[a-m]{5,40}"), |(lines, secret)| {
        let said_with = |password: &str| {
            fs::write(&file, lines.replace("SECRET", password)).unwrap();
            said(Variables::layered([], &file))
        };
        prop_assert_eq!(said_with(&secret), said_with(&"z".repeat(secret.len())));
        Ok(())
    });
}

#[test]
fn no_bytes_in_dot_env_stop_anything_but_a_setting_that_is_named() {
    let line = select(&NAMES[..]).prop_flat_map(|name| {
        value(name).prop_map(move |value| format!("{name}='{value}'\n").into_bytes())
    });
    let bytes = mutated(vec(line, 0..5).prop_map(|lines| lines.concat()), any::<u8>());
    let file = directory().join(".env");
    for_any(1_000, &bytes, |bytes| {
        fs::write(&file, &bytes).unwrap();
        let (report, is_read) = match load_of(Variables::layered([], &file)) {
            Ok((_, report)) => (report, true),
            Err(report) => (report, false),
        };
        let problems = problems(&report);
        prop_assert_eq!(is_read, problems.is_empty());
        for (what, _) in problems {
            let line = what.strip_suffix(" is not set.").and_then(|what| what.rsplit_once(", so "));
            let name = line.map_or_else(|| what.split(' ').next().unwrap(), |(_, name)| name);
            let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
            prop_assert!(NAMES.contains(&name) || is_utf16, "{}", what);
        }
        Ok(())
    });
}

/// Whether a character does something to a terminal or a page instead of standing there.
fn is_odd(c: char) -> bool {
    let code = u32::from(c);
    let is_control = code < 0x20 || (0x7f..0xa0).contains(&code);
    let breaks = code == 0x2028 || code == 0x2029;
    let is_mark = [0x061c, 0x200e, 0x200f].contains(&code);
    let turns_around = is_mark || matches!(code, 0x202a..=0x202e | 0x2066..=0x2069);
    let has_no_width = [0x200b, 0xfeff].contains(&code) || (0x2060..0x2066).contains(&code);
    let was_not_utf8 = code == 0xfffd;
    is_control || breaks || turns_around || has_no_width || was_not_utf8
}
