//! `.env`: read as `heroku local` reads it, and what in it looks unintended.

use std::fs;

use serde_json::Value;
use stagedoor::{Environment, Reader, Report, Variables, build};
use testbed::{directory, rows};

use support::app::{load_of, problems, report};

mod support;

/// The table that `.ci/dot_env` gives to the real command line.
const TABLE: &str = include_str!("dot_env.json");

fn table(name: &str) -> Vec<Vec<Option<String>>> {
    let table: Value = serde_json::from_str(TABLE).unwrap();
    let texts = |row: &Value| match row {
        Value::Array(texts) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        text => vec![text.as_str().map(str::to_owned)],
    };
    table[name].as_array().unwrap().iter().map(texts).collect()
}

/// Reads variables as the process does: the environment over a `.env` file with this text.
fn layered(environment: &[(&str, &str)], dot_env: impl AsRef<[u8]>) -> Variables {
    let file = directory().join(".env");
    fs::write(&file, dot_env).unwrap();
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Variables::layered(environment, &file)
}

/// What there is to say of a `.env`, for an app that has all settings.
fn of(dot_env: impl AsRef<[u8]>) -> Report {
    load_of(layered(&[], dot_env)).map_or_else(|report| report, |(_, report)| report)
}

/// The value of `NAME`, whatever it is, and what there is to say.
fn name(dot_env: &str) -> Result<(Option<String>, Report), Report> {
    let read = |reader: &mut Reader| reader.read("NAME", "-", "-", |text| Some(text.to_owned()));
    let (value, report) = stagedoor::load(&build!(), &layered(&[], dot_env), read)?;
    Ok((Some(value).filter(|value| value != "-"), report))
}

/// The value of a setting in a report, and where that came from.
fn row(report: &Report, name: &str) -> (String, String) {
    let found = rows(&report.to_string()).into_iter().find(|row| row[0] == name);
    let [_, value, origin] = found.unwrap();
    (value, origin)
}

#[test]
fn a_file_is_read_as_heroku_local_reads_it() {
    let table = table("read");
    assert!(table.len() > 50);
    for row in table {
        let [Some(text), value] = &row[..] else { panic!("{row:?}") };
        match name(text) {
            Ok((found, _)) => assert_eq!(found, *value, "{text:?}"),
            // `heroku local` does not set it either, and says nothing.
            Err(report) => {
                assert!(problems(&report)[0].0.ends_with(", so NAME is not set."), "{report}");
                assert_eq!(*value, None, "{text:?}");
            }
        }
    }
}

#[test]
fn where_heroku_local_stops_a_setting_of_ours_stops_and_no_other_line() {
    let table = table("stops");
    assert!(!table.is_empty());
    for row in table {
        let text = row[0].as_ref().unwrap();
        let Err(report) = name(text) else { panic!("{text:?} loads") };
        assert_eq!(problems(&report).len(), 1, "{report}");
        let (value, report) =
            name(&format!("NAME=value\n{}", text.replace("NAME", "OTHER"))).unwrap();
        assert_eq!(value.as_deref(), Some("value"));
        assert_eq!(report.notices().len(), 1, "{report}");
    }
}

#[test]
fn where_it_is_read_otherwise_than_heroku_local_reads_it_a_notice_says_so() {
    for row in table("differs") {
        let [Some(text), theirs, ours] = &row[..] else { panic!("{row:?}") };
        assert_ne!(theirs, ours);
        let (value, report) = name(text).unwrap();
        assert_eq!(value, *ours);
        assert!(report.notices()[0].contains("`heroku local`"), "{report}");
    }
}

#[test]
fn a_line_that_loses_a_setting_is_a_problem_that_says_which_fault_and_what_would_do() {
    let table = [
        (
            "PORT: 3000",
            "Line 1 of .env: there is no `=` between a name and a value",
            "Write PORT= and then the value.",
        ),
        (
            "\nPORT 3000",
            "Line 2 of .env: there is no `=` between a name and a value",
            "Write PORT= and then the value.",
        ),
        (
            "PORT: a=b",
            "Line 1 of .env: the name has other characters than letters, digits and `_`",
            "Write PORT= and then the value.",
        ),
        (
            "# one\r\nexport PORT=3000\r\n",
            "Line 2 of .env: `export` is no part of a name to `heroku local`",
            "Begin the line with PORT= and nothing before it.",
        ),
        (
            "PORT='3000",
            "Line 1 of .env: no ' ends the value that begins with one, and `heroku local` stops",
            "Add ' at the end of the value, or begin it without one.",
        ),
        (
            "PORT=\"3000\nHOST=::1\nSITE_NAME=the \"Board\"",
            "Line 1 of .env: no \" ends the value that begins with one, and `heroku local` stops",
            "Add \" at the end of the value, or begin it without one.",
        ),
        (
            "PORT=\"3000\n4000\"\nHOST=::1",
            "Lines 1 and 2 of .env: the value has several lines, at which `heroku local` stops",
            "Write it in one line, or set it in the environment.",
        ),
    ];
    for (text, fault, remedy) in table {
        let expected = (format!("{fault}, so PORT is not set."), remedy.to_owned());
        assert_eq!(problems(&of(text)), [expected], "{text:?}");
        let set = layered(&[("PORT", "1")], text);
        let (settings, report) = load_of(set).unwrap();
        assert_eq!((settings.platform.port, report.notices().len()), (1, 1), "{report}");
    }
    // What stands below is read all the same.
    let report = of("PORT=\"3000\nHOST=::1\nSITE_NAME=the \"Board\"");
    assert_eq!(row(&report, "HOST").0, "::1");
    assert_eq!(row(&report, "SITE_NAME").0, "the \"Board\"");
}

#[test]
fn a_line_that_is_no_setting_of_ours_never_stops_the_service_and_gets_a_notice() {
    let key = "KEY=\"-----BEGIN KEY-----\nAbc+/\nDef=\n-----END KEY-----\"\n";
    let bare_key = "KEY=-----BEGIN KEY-----\nAbc+/\nDef+=\n-----END KEY-----\n";
    let table = [
        (
            "AWS_REGION",
            "Line 1 of .env: there is no `=` between a name and a value, so nothing is read. Write NAME= and then the value.",
        ),
        ("PORT", "Line 1 of .env: there is no `=` between a name and a value, so nothing is read."),
        (
            "some words",
            "Line 1 of .env: there is no `=` between a name and a value, so nothing is read.",
        ),
        (
            "region: eu",
            "Line 1 of .env: there is no `=` between a name and a value, so nothing is read.",
        ),
        ("hs-api=1", "Line 1 of .env: the name has other characters than letters, digits and `_`"),
        ("PORT.x=1", "Line 1 of .env: the name has other characters than letters, digits and `_`"),
        (
            "set PORT=1",
            "Line 1 of .env: the name has other characters than letters, digits and `_`",
        ),
        ("export AWS_REGION=eu", "Line 1 of .env: `export` is no part of a name to `heroku local`"),
        ("KEY='abc", "Line 1 of .env: no ' ends the value that begins with one"),
        (key, "Lines 1 to 4 of .env: the value has several lines, at which `heroku local` stops"),
        (bare_key, "Lines 2 to 4 of .env: there is no `=` between a name and a value"),
        (
            "a\nb\nc\n\ne\ng=1\nh",
            "Lines 1 to 3, 5, 7 of .env: there is no `=` between a name and a value",
        ),
    ];
    for (text, notice) in table {
        let report = of(text);
        assert!(report.is_ok(), "{report}");
        assert!(report.notices()[0].starts_with(notice), "{report}");
        assert_eq!(report.notices().len(), 1, "{report}");
    }
}

#[test]
fn what_is_read_and_looks_unintended_gets_a_notice() {
    let comment = "Line 1 of .env: what stands after the `#` is a comment, and not read.";
    let after = "Line 1 of .env: what stands after the closing quote is not read.";
    let escape = "Line 1 of .env: a backslash is part of the value, and escapes nothing.";
    let table = [
        ("SITE_NAME=#value", "Board", comment),
        ("SITE_NAME=Stage#1", "Stage", comment),
        ("OTHER=a#b", "Board", comment),
        ("SITE_NAME='Bob's Board'", "Bob", after),
        (r"SITE_NAME='Bob'\''s Board'", "Bob", after),
        (r#"SITE_NAME="the \"Board\"""#, r"the \", after),
        (r#"SITE_NAME="pa\$\$word""#, r"pa\$\$word", escape),
        (r#"SITE_NAME="C:\\Users""#, r"C:\\Users", escape),
        (r"SITE_NAME=two\ words", r"two\ words", escape),
        (r"SITE_NAME=pa\$word # b", r"pa\$word", escape),
    ];
    for (text, value, notice) in table {
        let report = of(text);
        assert!(report.is_ok(), "{report}");
        assert_eq!(row(&report, "SITE_NAME").0, value);
        let [found] = report.notices() else { panic!("{text}: {report}") };
        assert!(found.starts_with(notice), "{found}");
    }
    for text in [
        "SITE_NAME=Bob's Board",
        r"SITE_NAME=C:\Users\me",
        r#"SITE_NAME="C:\Users\me""#,
        r"SITE_NAME='pa\$word'",
        "SITE_NAME=a # b",
        "SITE_NAME= # b",
        "SITE_NAME='a' # b",
        "SITE_NAME='a#b'",
        "SITE_NAME=Board   ",
        "PORT=3000\t",
        "# a#b\n\n",
    ] {
        let report = of(text);
        assert!(report.is_ok() && report.notices().is_empty(), "{text}: {report}");
    }
}

#[test]
fn lines_end_as_on_any_system() {
    for end in ["\n", "\r\n", "\r"] {
        let text =
            ["\u{feff}# comment", "PORT=1", "", "SITE_NAME='a'", "line", "HOST=::1", ""].join(end);
        let report = of(text);
        let values = ["PORT", "SITE_NAME", "HOST"].map(|name| row(&report, name).0);
        assert_eq!(values, ["1", "a", "::1"], "{end:?}");
        assert!(report.notices().iter().any(|notice| {
            notice.starts_with("Line 5 of .env: there is no `=` between a name and a value")
        }));
        let told = "Lines 1 to 6 of .env: `heroku local` takes the line end, a CR alone, for text. \
                    Save the file with LF line ends.";
        assert_eq!(report.notices().iter().any(|notice| notice == told), end == "\r", "{report}");
    }
}

#[test]
fn what_is_wrong_in_dot_env_is_fixed_there_as_it_is_written_there() {
    let text = "PORT=3000;\nWEB_CONCURRENCY=' 4'\nSITE_NAME='a # b\u{200b}'\nFORCE_HTTPS=off\n";
    let Err(report) = load_of(layered(&[("LOG_FORMAT", "JSON")], text)) else { panic!("it loads") };
    let fixed = "PORT=3000\n  WEB_CONCURRENCY=4";
    let commands = format!(
        "
To fix it in .env:
  SITE_NAME='a # b'
  {fixed}
  FORCE_HTTPS=false
To fix it in this shell:
  export LOG_FORMAT=json
"
    );
    assert!(report.refusal().ends_with(&commands), "{report}");
    for meant in
        ["Bob's Board", "the \"Board\"", "a # 'b'", "a # \"b\"", "'tis", "two words", r"a\b$c"]
    {
        let quote = if meant.contains('"') { '\'' } else { '"' };
        let refusal = of(format!("SITE_NAME={quote}{meant}\u{7}{quote}")).refusal();
        let (_, line) = refusal.split_once("To fix it in .env:\n  ").unwrap();
        assert!(refusal.contains(&format!("    Fix: {line}")), "{refusal}");
        assert_eq!(row(&of(line), "SITE_NAME").0, meant, "{line}");
    }
}

#[test]
fn a_dot_env_of_json_is_told_what_to_set_and_no_line_that_would_break_it() {
    let report = of(r#"{"PORT": "x", "SITE_NAME": "Bob's\nBoard", "FORCE_HTTPS": "off"}"#);
    let refusal = report.refusal();
    let remedy = "Fix: Set SITE_NAME to `Bob's Board` in .env, which is JSON.";
    assert!(refusal.contains(remedy), "{refusal}");
    assert!(!refusal.contains("in .env:"), "{refusal}");
}

#[test]
fn no_line_is_shown_whatever_is_wrong_with_it() {
    for text in [
        "swordfish",
        "PREVIEW_PASSWORD swordfish",
        "PREVIEW_PASSWORD: swordfish",
        "PREVIEW_PASSWORD='swordfish",
        "PREVIEW_PASSWORD=\"two\nswordfish\"",
        "PREVIEW_PASSWORD='it's swordfish'",
        "PREVIEW_PASSWORD=#swordfish",
        "PREVIEW_PASSWORD=\"\\$swordfish\"",
        "export PREVIEW_PASSWORD=swordfish",
        "PREVIEW_PASSWORD swordfish=x",
        "swordfish+/=",
        "swordfish: PORT=x",
        "A=\rPREVIEW_PASSWORD=swordfish\r",
    ] {
        let report = of(text);
        assert!(!format!("{report}{report:?}").contains("swordfish"), "{report}");
        assert!(report.to_string().contains(" of .env: "), "{text}: {report}");
    }
}

#[test]
fn the_environment_lies_over_dot_env() {
    let variables = layered(
        &[("PORT", "1"), ("SITE_NAME", "")],
        "PORT=2\nSITE_NAME='a # b'\n# no\nHOST=::1\nlog_format=json\n",
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
fn dot_env_makes_no_dyno() {
    let (settings, report) = load_of(layered(&[], "DYNO=web.1\n")).unwrap();
    assert_eq!(settings.platform.environment, Environment::Development);
    assert_eq!(report.notices(), [""; 0]);
}

#[test]
fn dot_env_is_not_read_on_a_dyno() {
    let variables =
        layered(&[("DYNO", "web.1"), ("APP_ENV", "production")], "SITE_NAME=local\nbroken line\n");
    let (settings, report) = load_of(variables).unwrap();
    assert_eq!(settings.site_name, "Board");
    assert_eq!(row(&report, "SITE_NAME").1, "default");
    assert_eq!(report.notices(), [""; 0]);
}

#[test]
fn a_missing_dot_env_is_an_empty_one() {
    let missing = directory().join(".env");
    let (_, found) = load_of(Variables::layered([], &missing)).unwrap();
    assert_eq!(found, report(&[]));
}

#[test]
fn what_is_no_file_is_passed_over_as_heroku_local_does_with_a_notice() {
    let (_, report) = load_of(Variables::layered([], &directory())).unwrap();
    assert_eq!(report.notices(), [".env is no file, so nothing is read from it."]);
}

#[test]
fn a_file_that_can_not_be_read_as_text_is_a_problem() {
    for bytes in [&b"\xff\xfeP\0O\0R\0T\0=\x001\0"[..], b"\xfe\xff\0P\0O\0R\0T\0=\x001"] {
        let expected =
            (".env can't be read: it is in UTF-16.".to_owned(), "Save it in UTF-8.".to_owned());
        assert_eq!(problems(&of(bytes)), [expected]);
    }
}

#[test]
fn bytes_that_are_not_utf8_stop_nothing_but_the_setting_that_has_them() {
    let report = of(b"# caf\xe9\nOTHER=\xff\nPORT=1\n");
    assert!(report.is_ok(), "{report}");
    assert_eq!(row(&report, "PORT").0, "1");
    let report = of(b"SITE_NAME=caf\xe9\nPORT=1\n");
    assert!(problems(&report)[0].0.starts_with("SITE_NAME is `caf\\u{fffd}`."), "{report}");
    assert!(!report.refusal().contains("SITE_NAME="), "{report}");
}
