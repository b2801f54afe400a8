//! The interface of the library: few names, and a table in `lib.rs` that says where each question is answered.

use std::fs;
use std::path::{Path, PathBuf};

/// How many names an app's author may have to know.
const MOST_NAMES: usize = 20;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn lib() -> String {
    fs::read_to_string(sources().join("lib.rs")).unwrap()
}

/// All that `pub use` exports, and the macro.
fn exported() -> Vec<String> {
    let lib = lib();
    let uses = lib.split("\npub use ").skip(1).map(|rest| rest.split(';').next().unwrap());
    let mut names = vec!["build!".to_owned()];
    for path in uses {
        let list = match path.split_once('{') {
            Some((_, list)) => list.trim_end().trim_end_matches('}'),
            None => path.rsplit("::").next().unwrap(),
        };
        let listed = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.extend(listed.map(str::to_owned));
    }
    names
}

/// Every file of the library, by its path from `src`.
fn files() -> Vec<String> {
    let from_src =
        |file: PathBuf| file.strip_prefix(sources()).unwrap().to_str().unwrap().to_owned();
    testbed::files(&sources()).into_iter().map(from_src).collect()
}

#[test]
fn the_interface_has_at_most_twenty_names() {
    let names = exported();
    assert!(names.iter().any(|name| name == "Duties"), "{names:?}");
    assert!(!names.iter().any(|name| name.contains(['*', '{', '}'])), "{names:?}");
    assert!(names.len() <= MOST_NAMES, "{} names: {names:?}", names.len());
}

#[test]
fn nothing_is_exported_but_by_pub_use_and_the_one_macro() {
    let lib = lib();
    let others: Vec<_> = lib
        .lines()
        .filter(|line| line.starts_with("pub ") && !line.starts_with("pub use "))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    let macros = files().into_iter().map(|file| {
        let text = fs::read_to_string(sources().join(file)).unwrap();
        text.matches("\n#[macro_export]").count()
    });
    assert_eq!(macros.sum::<usize>(), 1);
}

#[test]
fn every_file_is_in_the_table_of_questions() {
    let lib = lib();
    let table: String = lib.lines().filter(|line| line.starts_with("//! |")).collect();
    // Of a group of files in one directory, the first alone may be named with it.
    let named: Vec<_> = table.split('`').skip(1).step_by(2).collect();
    let is_named = |file: &str| {
        let directory = file.rsplit_once('/').map(|(directory, _)| directory);
        named.contains(&file)
            || directory.is_some_and(|directory| {
                let begun = named.iter().any(|name| name.starts_with(&format!("{directory}/")));
                let name = file.rsplit('/').next().unwrap();
                begun && named.contains(&name)
            })
    };
    for file in files().iter().filter(|file| *file != "lib.rs") {
        assert!(is_named(file), "lib.rs says nowhere what {file} answers");
    }
}
