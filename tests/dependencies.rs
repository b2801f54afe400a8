//! The policy for crates: licences that ours can live with, crates.io alone, no feature that nobody asked
//! for, and a reason for each.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use support::root;

mod support;

/// They ask for no more than that their text is kept. No GPL, of any kind.
const LICENSES: [&str; 8] = [
    "Apache-2.0",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0", // of the list of certificate authorities
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The app, and the members beside it.
const OURS: [(&str, &str); 5] = [
    (env!("CARGO_PKG_NAME"), "Cargo.toml"),
    ("stagedoor", "stagedoor/Cargo.toml"),
    ("pipeline", "pipeline/Cargo.toml"),
    ("browser", "browser/Cargo.toml"),
    ("testbed", "testbed/Cargo.toml"),
];

/// They have no default features, or none that costs a crate.
const WITH_DEFAULT_FEATURES: [&str; 7] =
    ["dotenvy", "humantime", "secrecy", "strsim", "thiserror", "unicode-width", "zeroize"];

/// Every crate in `Cargo.lock`, as cargo knows it.
fn crates() -> Vec<Value> {
    let arguments = ["metadata", "--locked", "--format-version", "1"];
    let ran = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut metadata: Value = serde_json::from_slice(&ran.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// Whether an SPDX expression leaves us a choice within the policy: one side of each OR, all of each AND.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.trim();
    if let Some((left, right)) = split_outside_parentheses(expression, &[" OR ", "/"]) {
        return is_allowed(left) || is_allowed(right);
    }
    if let Some((left, right)) = split_outside_parentheses(expression, &[" AND "]) {
        return is_allowed(left) && is_allowed(right);
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_allowed(inner),
        None => LICENSES.contains(&expression),
    }
}

fn split_outside_parentheses<'a>(text: &'a str, words: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if let Some(word) = words.iter().find(|word| depth == 0 && text[at..].starts_with(**word)) {
            return Some((&text[..at], &text[at + word.len()..]));
        }
    }
    None
}

#[test]
fn every_crate_has_a_licence_that_ours_can_live_with() {
    for license in ["GPL-3.0-or-later", "MIT AND GPL-2.0", "(MIT OR Apache-2.0) AND MPL-2.0", ""] {
        assert!(!is_allowed(license), "{license}");
    }
    for license in ["MIT/GPL-3.0", "GPL-2.0 OR (Apache-2.0 OR X) AND Zlib", "(MIT)"] {
        assert!(is_allowed(license), "{license}");
    }
    for package in crates() {
        let license = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(license), "{} {}: `{license}`", package["name"], package["version"]);
    }
}

#[test]
fn every_crate_comes_from_crates_io() {
    for package in crates() {
        if !OURS.iter().any(|(ours, _)| package["name"] == *ours) {
            let source = package["source"].as_str().unwrap_or_default();
            assert!(source.contains("crates.io-index"), "{}: `{source}`", package["name"]);
        }
    }
}

#[test]
fn no_crate_of_ours_has_features_that_nobody_asked_for() {
    let crates = crates();
    for (name, _) in OURS {
        let ours = crates.iter().find(|package| package["name"] == name).unwrap();
        for dependency in ours["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            if OURS.iter().any(|(ours, _)| name == *ours) {
                continue;
            }
            let has_defaults = dependency["uses_default_features"] == true;
            assert_eq!(has_defaults, WITH_DEFAULT_FEATURES.contains(&name), "{name}");
            assert!(dependency["req"] != "*" || dependency["path"].is_string(), "{name}");
        }
    }
}

fn manifest(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The lines of a table of a manifest, up to the next empty one.
fn table<'a>(manifest: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (_, lines) = manifest.split_once(&format!("\n[{name}]\n")).unwrap_or_default();
    lines.lines().take_while(|line| !line.is_empty())
}

#[test]
fn every_crate_stands_once_with_its_version_and_its_reason_above_it() {
    let workspace = manifest("Cargo.toml");
    let mut names = Vec::new();
    let mut above = "";
    for line in table(&workspace, "workspace.dependencies") {
        let is_reason = line.starts_with("# ");
        let name = line.split(' ').next().unwrap_or_default();
        // A family has one reason: serde and serde_json, tracing and tracing-subscriber.
        let family = above.split([' ', '-']).next().unwrap_or_default();
        let is_same_family = !family.is_empty() && name.starts_with(family);
        assert!(is_reason || above.starts_with("# ") || is_same_family, "{line}");
        if !is_reason {
            names.push(name);
        }
        above = line;
    }
    assert!(names.len() > 30, "{names:?}");
    for (_, file) in OURS {
        let manifest = manifest(file);
        for name in ["dependencies", "dev-dependencies"] {
            for line in table(&manifest, name) {
                assert!(line.contains("workspace = true"), "{file}: {line}");
            }
        }
    }
    for name in names {
        let used = OURS.iter().any(|(_, file)| {
            let manifest = manifest(file);
            let (_, own) = manifest.split_once("\n[package]\n").unwrap_or(("", &manifest));
            own.lines().any(|line| {
                line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} "))
            })
        });
        assert!(used, "nobody uses {name}");
    }
}

/// The crates that this member is built from, without those of its tests.
fn tree(package: &str) -> String {
    tree_of(&["--edges", "normal,build", "--package", package])
}

fn tree_of(arguments: &[&str]) -> String {
    let tree = ["tree", "--locked", "--prefix", "none"];
    let mut cargo = Command::new(env!("CARGO"));
    let ran = cargo.args(tree).args(arguments).current_dir(root()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn what_the_app_was_built_of_is_not_built_once_more_for_the_tests() {
    // Cargo builds a crate again, and all that depends on it, where somebody in the same build wants more of its features.
    let crates = |arguments: &[&str]| -> BTreeSet<String> {
        let tree = tree_of(&[arguments, &["--format", "{p} {f}"]].concat());
        let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let app = crates(&["--edges", "normal,build"]);
    let tests = crates(&["--edges", "normal,build,dev", "--workspace"]);
    assert!(app.len() > 100 && tests.len() > app.len(), "{app:?}");
    let twice: Vec<_> = app.difference(&tests).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn the_app_needs_nothing_that_only_the_tools_do() {
    let tree = tree(env!("CARGO_PKG_NAME"));
    assert!(tree.contains("\nactix-web v") && tree.contains("\nstagedoor v"), "{tree}");
    for name in ["pipeline", "testbed", "browser", "clap", "ureq", "rustls", "comfy-table"] {
        assert!(!tree.contains(&format!("\n{name} v")), "{name}");
    }
}

#[test]
fn the_library_depends_on_no_other_member_and_the_tools_on_the_app_as_little() {
    for package in ["stagedoor", "pipeline", "testbed"] {
        let tree = tree(package);
        for (name, _) in OURS.iter().filter(|(name, _)| *name != package) {
            assert!(!tree.contains(&format!("\n{name} v")), "{package} depends on {name}");
        }
    }
}
