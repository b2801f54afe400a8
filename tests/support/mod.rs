//! The app under test: this build's executable, or the one that `CALLBOARD` names, by an absolute path.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::env;
use std::path::Path;

use testbed::{Program, Ran, Service, Variable, rows};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn program() -> Program {
    let built = || Program::at(env!("CARGO_BIN_EXE_callboard"));
    env::var_os("CALLBOARD").map_or_else(built, Program::at)
}

pub fn run(arguments: &[&str], variables: &[Variable]) -> Ran {
    program().run(arguments, variables)
}

pub fn start(variables: &[Variable]) -> Service {
    program().start(variables)
}

/// The settings in the report of `check`: the name of each, its value, and where that came from.
pub fn settings(variables: &[Variable]) -> Vec<[String; 3]> {
    let mut rows = rows(&run(&["check"], variables).stdout);
    rows.retain(|[_, _, origin]| origin != "check");
    rows
}

/// One of them: its value, and where that came from.
pub fn setting(name: &str, variables: &[Variable]) -> [String; 2] {
    let found = settings(variables).into_iter().find(|[found, ..]| found == name);
    let [_, value, origin] = found.unwrap_or_else(|| panic!("there is no setting {name}"));
    [value, origin]
}
