//! The files that Heroku and people read, held against the code: a setting that is added in one place
//! and forgotten in another fails here.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value};
use testbed::{Ran, directory};

use support::{program, root, run, settings};

mod support;

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_procfile_runs_the_binary_that_is_built_and_checks_it_first() {
    let binary = format!("./target/release/{}", env!("CARGO_PKG_NAME"));
    assert_eq!(read("Procfile"), format!("release: {binary} check\nweb: {binary}\n"));
}

#[test]
fn the_build_is_the_locked_one() {
    assert_eq!(read("RustConfig"), "RUST_CARGO_BUILD_FLAGS=\"--release --locked\"\n");
    assert!(root().join("Cargo.lock").exists());
    assert!(!read(".gitignore").contains("Cargo.lock"));
    // The buildpack would take the file's text for a version. `rust-version` says what is needed.
    assert!(!root().join("rust-toolchain").exists());
    assert!(read("Cargo.toml").contains("\nrust-version = "));
}

#[test]
fn the_env_file_stays_out_of_git() {
    assert!(read(".gitignore").lines().any(|line| line == ".env"));
}

#[test]
fn the_slug_leaves_out_nothing_that_the_build_or_the_dyno_needs() {
    let ignored = read(".slugignore");
    let ignored: Vec<_> =
        ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(ignored.contains(&"/docs"), "{ignored:?}");
    for needed in
        // Cargo.toml names a test, a benchmark and a member: without them cargo refuses to build anything.
        [
            "Cargo.toml",
            "Cargo.lock",
            "Procfile",
            "RustConfig",
            "src",
            "templates",
            "assets",
            "tests",
            "benches",
            "pipeline",
            "stagedoor",
            "browser",
            "testbed",
        ]
    {
        assert!(root().join(needed).exists(), "{needed}");
        let hides = |pattern: &&&str| pattern.trim_matches('/') == needed;
        assert_eq!(ignored.iter().find(hides), None);
    }
    let suffixes = ignored.iter().filter_map(|pattern| pattern.strip_prefix('*'));
    assert_eq!(
        suffixes.collect::<Vec<_>>(),
        [".md"],
        "no other wildcard, and no .md is compiled in"
    );
    for source in fs::read_dir(root().join("src")).unwrap() {
        let path = source.unwrap().path();
        assert!(
            path.is_dir() || !fs::read_to_string(&path).unwrap().contains(".md\")"),
            "{path:?}"
        );
    }
}

/// The keys that Heroku documents. The published schema refuses any other.
const APP_JSON_KEYS: [&str; 15] = [
    "name",
    "description",
    "keywords",
    "website",
    "repository",
    "logo",
    "success_url",
    "scripts",
    "env",
    "formation",
    "addons",
    "buildpacks",
    "environments",
    "stack",
    "image",
];

fn app_json() -> Map<String, Value> {
    serde_json::from_str(&read("app.json")).unwrap()
}

#[test]
fn app_json_is_valid_under_the_documentation_and_the_stricter_schema() {
    let app = app_json();
    for key in app.keys() {
        assert!(APP_JSON_KEYS.contains(&key.as_str()), "{key}");
    }
    let name = app["name"].as_str().unwrap();
    assert!(
        (3..=30).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    );
    assert!(app["description"].as_str().unwrap().len() <= 140);
    assert_eq!(app["stack"], "heroku-24", "the newest that every tool knows");
    assert_eq!(app["buildpacks"], serde_json::json!([{ "url": "emk/rust" }]));
    let environments = app["environments"].as_object().unwrap();
    for (name, environment) in environments {
        assert!(["test", "review"].contains(&name.as_str()), "{name}");
        let keys: Vec<_> = environment.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["env"]);
    }
    for env in [&app["env"], &environments["review"]["env"]] {
        for (name, entry) in env.as_object().unwrap() {
            let entry = entry.as_object().unwrap_or_else(|| panic!("{name} is no object"));
            for (key, value) in entry {
                let valid = match key.as_str() {
                    "description" | "value" => value.is_string(),
                    "required" => value.is_boolean(),
                    "generator" => value == "secret",
                    _ => false,
                };
                assert!(valid, "{name}: {key}");
            }
            // Whoever sets the app up must not be asked for what has a default.
            let given = entry.contains_key("value") || entry.contains_key("generator");
            assert!(given || entry["required"] == false, "{name}");
        }
    }
}

/// The names of the variables that a line of `.env.example` or of the README's table begins with.
fn names_in_env_example() -> Vec<String> {
    let text = read(".env.example");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
}

/// The rows of the README's table: a variable, its default, its meaning.
fn rows_of_the_readme() -> Vec<[String; 3]> {
    let readme = read("README.md");
    let (_, table) = readme.split_once("\n| variable | default | meaning |\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let cells = |row: &str| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        [0, 1, 2].map(|at| cells[at].trim_matches('`').to_owned())
    };
    table.lines().skip(1).map(cells).collect()
}

#[test]
fn every_setting_stands_in_every_file_that_tells_of_settings() {
    let app = app_json();
    let keys = |env: &Value| env.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let files = [
        ("README.md", rows_of_the_readme().into_iter().map(|[name, ..]| name).collect()),
        (".env.example", names_in_env_example().into_iter().collect()),
        ("app.json, \"env\"", keys(&app["env"])),
        ("app.json, \"review\"", keys(&app["environments"]["review"]["env"])),
    ];
    let settings: BTreeSet<_> = settings(&[]).into_iter().map(|[name, ..]| name).collect();
    assert!(settings.contains("APP_ENV"), "{settings:?}");
    let mut forgotten = Vec::new();
    for (file, named) in files {
        forgotten.extend(settings.difference(&named).map(|name| format!("{file} lacks {name}")));
        forgotten.extend(
            named
                .difference(&settings)
                .map(|name| format!("{file} has {name}, which is no setting")),
        );
    }
    assert!(forgotten.is_empty(), "\n{}", forgotten.join("\n"));
}

#[test]
fn the_readme_and_env_example_have_the_settings_in_the_order_of_the_report() {
    let settings: Vec<_> = settings(&[]).into_iter().map(|[name, ..]| name).collect();
    let in_the_readme = rows_of_the_readme().into_iter().map(|[name, ..]| name).collect();
    for mut named in [names_in_env_example(), in_the_readme] {
        named.retain(|name| settings.contains(name));
        let mut expected = settings.clone();
        expected.retain(|name| named.contains(name));
        assert_eq!(named, expected);
    }
}

#[test]
fn an_app_made_from_app_json_starts() {
    let app = app_json();
    let production = &app["env"];
    let review = &app["environments"]["review"]["env"];
    for (env, name) in [(production, "production"), (review, "review")] {
        let mut variables = vec![("DYNO", "web.1")];
        for (name, entry) in env.as_object().unwrap() {
            if entry.get("generator").is_some() {
                variables.push((name, "0123456789abcdef"));
            } else if let Some(value) = entry.get("value") {
                variables.push((name, value.as_str().unwrap()));
            }
        }
        let check = run(&["check"], &variables);
        assert_eq!(check.code, Some(0), "{check:?}");
        assert!(!check.stdout.contains("Notice:"), "{check:?}");
        assert_eq!(settings(&variables)[0][1], name);
    }
}

#[test]
fn env_example_explains_each_setting_and_changes_none() {
    let text = read(".env.example");
    let lines: Vec<_> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            assert!(lines[at - 1].starts_with("# "), "{name} has no comment");
            // `heroku local` cuts at #, and reads no `export`, no quotes within, no $.
            assert!(!value.contains(['#', '$', '"', '\'', ' ']), "{line}");
        }
    }
    let here = directory();
    fs::write(here.join(".env"), &text).unwrap();
    let check = program().command(&[]).arg("check").current_dir(here).output().unwrap();
    let check = Ran::from(check);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(!check.stdout.contains("Notice:"), "{check:?}");
    for [name, default, _] in settings(&[]) {
        let row = check.stdout.lines().find(|line| line.starts_with(&name)).unwrap();
        let is_shown = row.contains(&format!(" {default} "));
        assert!(is_shown || name == "WEB_CONCURRENCY", "{row} is not {default}");
    }
}

#[test]
fn the_readmes_table_has_the_defaults_here_and_on_a_dyno() {
    let rows = rows_of_the_readme();
    for variables in [vec![], vec![("DYNO", "web.1")]] {
        for [name, default, _] in settings(&variables) {
            let row = rows.iter().find(|row| row[0] == name);
            if let Some([_, told, _]) = row.filter(|_| !VARYING.contains(&name.as_str())) {
                let told = format!("`{told}`"); // whose outer marks were cut
                assert!(
                    told.contains(&format!("`{default}`")),
                    "{name}: {default}, and not {told}"
                );
            }
        }
    }
}

/// Their defaults follow the machine, or are told in words.
const VARYING: [&str; 2] = ["WEB_CONCURRENCY", "PREVIEW_PASSWORD"];

/// The layout stands there, and nowhere else. (`stagedoor/tests/interface.rs` holds the library's.)
#[test]
fn the_front_pages_of_the_app_and_of_the_pipeline_name_all_their_files() {
    for front in ["src/main.rs", "pipeline/src/main.rs"] {
        let text = read(front);
        let tells = |line: &&str| {
            line.starts_with("//!") || line.starts_with("mod ") && line.contains("; // ")
        };
        let told: Vec<_> = text.lines().filter(tells).collect();
        let is_told = |name: &str| {
            let mut words = told
                .iter()
                .flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')));
            words.any(|word| word == name)
        };
        let mut files = testbed::files(root().join(front).parent().unwrap());
        files.retain(|file| !file.ends_with("tests.rs")); // those are the tests of the file beside them
        assert!(files.len() > 3, "{front}: {files:?}");
        for file in files.iter().filter(|file| **file != root().join(front)) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(is_told(name), "{front} does not name {file:?}");
        }
    }
}

#[test]
fn the_links_of_the_documents_lead_somewhere() {
    let documents = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = documents.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    let above =
        ["README.md", "AGENTS.md", "CONTRIBUTING.md", "CHANGELOG.md", "stagedoor/README.md"];
    let above = above.map(|name| root().join(name));
    let mut links = 0;
    for document in documents.chain(above) {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let target = document.parent().unwrap().join(path);
            let target = if path.is_empty() { document.clone() } else { target };
            assert!(target.exists(), "{document:?}: {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                // A heading's name as GitHub makes it, for headings of letters and spaces.
                let names = headings.map(|line| line.trim_matches(['#', ' ']).to_lowercase());
                assert!(
                    names.map(|name| name.replace(' ', "-")).any(|name| name == heading),
                    "{document:?}: {link}"
                );
            }
            links += 1;
        }
    }
    assert!(links > 30, "{links}");
}
