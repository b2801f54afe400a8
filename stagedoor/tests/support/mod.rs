//! The program under test: the example `whole`, or the executable that `STAGEDOOR_PROGRAM` names, by an absolute
//! path. What these tests hold is true of every program that the library makes.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::env;
use std::path::Path;
use std::process::Command;

use testbed::{Program, Ran, Service, Variable, rows};

pub mod app;

pub fn program() -> Program {
    env::var_os("STAGEDOOR_PROGRAM").map_or_else(|| example("whole"), Program::at)
}

/// An example, as cargo builds it with these tests.
pub fn example(name: &str) -> Program {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src", "examples"].map(|folder| here.join(folder));
    let command = "cargo build --package stagedoor --examples";
    Program::built(&format!("examples/{name}"), &sources, command)
}

pub fn command(variables: &[Variable]) -> Command {
    program().command(variables)
}

pub fn run(arguments: &[&str], variables: &[Variable]) -> Ran {
    program().run(arguments, variables)
}

pub fn start(variables: &[Variable]) -> Service {
    program().start(variables)
}

/// Its name, as it stands in what it prints.
pub fn name() -> String {
    let usage = run(&["--help"], &[]).stdout;
    usage.strip_prefix("Usage: ").unwrap().split(' ').next().unwrap().to_owned()
}

/// The names of its settings, as its report lists them.
pub fn names() -> Vec<String> {
    let settings = rows(&run(&["check"], &[]).stdout).into_iter();
    settings.filter(|[_, _, origin]| origin != "check").map(|[name, ..]| name).collect()
}
