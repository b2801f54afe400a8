//! The file `.env`: its variables, and the lines of it that can't be read.

use std::fs;
use std::io;
use std::path::Path;

/// A character for private use, which nobody has in a `.env`.
const NO_DOLLAR: &str = "\u{f8ff}";

/// A place in `.env` that can't be read. Never holds the line itself, which may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub enum DotEnvError {
    /// This line, counted from 1, can't be parsed.
    Line(usize),
    /// The file is there, but the operating system or its encoding refuses it.
    Unreadable(io::ErrorKind),
}

/// Every `NAME=value` of such a file, and every line that can't be parsed. A missing file is an empty one.
pub fn read(path: &Path) -> (Vec<(String, String)>, Vec<DotEnvError>) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
        Err(error) => return (Vec::new(), vec![DotEnvError::Unreadable(error.kind())]),
    };
    let mut pairs = Vec::new();
    let mut broken = Vec::new();
    // dotenvy would put variables in the place of $NAME, and so silently shorten a password. `heroku
    // local` does not, so neither do we: while dotenvy looks, another character stands for the dollar.
    let text = text.trim_start_matches('\u{feff}').replace('$', NO_DOLLAR);
    // One line at a time, as `heroku local` does it: dotenvy reports no line numbers.
    for (above, line) in text.lines().enumerate() {
        for entry in dotenvy::from_read_iter(line.as_bytes()) {
            match entry {
                Ok((name, value)) => pairs.push((name, value.replace(NO_DOLLAR, "$"))),
                // dotenvy's own message shows the line, secret included: only its number is kept.
                Err(_) => broken.push(DotEnvError::Line(above + 1)),
            }
        }
    }
    (pairs, broken)
}
