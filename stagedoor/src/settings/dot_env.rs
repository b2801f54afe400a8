//! The file `.env`, read as `heroku local` reads it.
//!
//! A plain `NAME=value`, which all programs read alike, is dotenvy's. For the rest `heroku local` has few rules, and its
//! own: there may be blanks around name and value; quotes around the whole value come off; without them a `#` begins a
//! comment wherever it stands. There is no escape, no `export`, no value of several lines, and nothing is put in the
//! place of `$NAME`. `tests/dot_env.json` holds them: a table that `.ci/dot_env` gives to the real command line, too.

pub mod fault;

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use fault::{Fault, LineFault};

/// What a `.env` holds. A missing file is an empty one.
#[derive(Debug, Default)]
pub struct DotEnv {
    /// Every variable that can be one on Heroku, in the order of the file: of two by one name the later counts.
    pub variables: Vec<(String, String)>,
    /// What looks unintended.
    pub faults: Vec<Fault>,
    /// Whether it is JSON, which no line can be added to.
    pub is_json: bool,
}

impl DotEnv {
    /// Reads such a file.
    pub fn read(path: &Path) -> Self {
        // `heroku local` passes over what is no file, such as Python's virtual environment. And a pipe could make us
        // wait for ever.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Self::with(Fault::NotAFile);
        }
        match fs::read(path) {
            Ok(bytes) if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => {
                Self::with(Fault::Utf16)
            }
            Ok(bytes) => Self::of_text(&String::from_utf8_lossy(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self::with(Fault::Unreadable(error.kind())),
        }
    }

    fn with(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }

    fn of_text(text: &str) -> Self {
        if let Ok(json) = serde_json::from_str(text) {
            let mut read = Self { is_json: true, ..Self::default() };
            read.add_json("", json);
            return read;
        }
        Self::of_lines(&lines(text))
    }

    fn of_lines(lines: &[Line]) -> Self {
        let mut read = Self::default();
        let mut done = 0;
        while let Some(line) = lines.get(done) {
            if let Some(variable) = plain(line) {
                read.variables.push(variable);
                done += 1;
                continue;
            }
            let first = done + 1; // as people count
            let mut last = first;
            let (name, fault) = match Entry::of(line.text) {
                Entry::Nothing => (None, None),
                Entry::Variable { name, value, oddity } => {
                    read.variables.push((name.to_owned(), value.to_owned()));
                    (None, oddity)
                }
                Entry::Lost { name, fault } => match end_of_value(fault, &lines[first..]) {
                    Some(more) => {
                        last += more;
                        (name, Some(LineFault::SeveralLines))
                    }
                    None => (name, Some(fault)),
                },
            };
            let line_end = line.ends_with_cr_alone.then_some(LineFault::CarriageReturn);
            for (name, fault) in [(name, fault), (None, line_end)] {
                let (lines, name) = (first..=last, name.map(str::to_owned));
                read.faults.extend(fault.map(|fault| Fault::Lines { lines, name, fault }));
            }
            done = last;
        }
        read
    }

    /// `heroku local` takes JSON as well, and `{"A": {"b": 1}}` in it for `A_B=1`.
    fn add_json(&mut self, name: &str, json: Value) {
        let entries: Vec<_> = match json {
            Value::Object(entries) => entries.into_iter().collect(),
            Value::Array(values) => {
                values.into_iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
            }
            Value::Null => return,
            Value::Bool(value) => return self.add(name, value.to_string()),
            // To JavaScript 1.0 is 1.
            Value::Number(value) => {
                return self.add(name, value.as_f64().unwrap_or_default().to_string());
            }
            Value::String(text) => return self.add(name, text),
        };
        for (key, value) in entries {
            let name = if name.is_empty() { key } else { format!("{name}_{key}") };
            self.add_json(&name, value);
        }
    }

    fn add(&mut self, name: &str, value: String) {
        let name = name.to_uppercase();
        if is_name(&name) {
            self.variables.push((name, value));
        }
    }
}

/// The value as it is to be written after `NAME=`. `None` where no way to write it is read back.
pub fn quoted(value: &str) -> Option<String> {
    let is_one_line = !value.contains(['\n', '\r']);
    let begins_otherwise = value.starts_with(['"', '\'']) || value.trim_matches(is_blank) != value;
    if is_one_line && !begins_otherwise && !value.contains('#') {
        return Some(value.to_owned());
    }
    let quote = ['\'', '"'].into_iter().find(|quote| is_one_line && !value.contains(*quote))?;
    Some(format!("{quote}{value}{quote}"))
}

struct Line<'a> {
    text: &'a str,
    ends_with_cr_alone: bool,
}

/// The lines, be their ends those of Unix, of Windows, or of the Macs of the last century.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        let (text, after) = rest.split_at(end);
        let unix = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n'));
        lines.push(Line { text, ends_with_cr_alone: unix.is_none() });
        rest = unix.unwrap_or_else(|| &after[1..]);
    }
    lines.push(Line { text: rest, ends_with_cr_alone: false });
    lines
}

/// A variable in a line that has nothing but letters, digits and signs without a meaning of their own.
fn plain(line: &Line) -> Option<(String, String)> {
    let (name, value) = line.text.split_once('=')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/@%+,?&=~".contains(c);
    if line.ends_with_cr_alone || !is_name(name) || !value.chars().all(is_plain) {
        return None;
    }
    dotenvy::from_read_iter(line.text.as_bytes()).next()?.ok()
}

/// What one line says.
enum Entry<'a> {
    Nothing,
    Variable { name: &'a str, value: &'a str, oddity: Option<LineFault> },
    Lost { name: Option<&'a str>, fault: LineFault },
}

impl<'a> Entry<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim_matches(is_blank);
        if line.is_empty() || line.starts_with('#') {
            return Self::Nothing;
        }
        let Some((name, value)) = line.split_once('=') else {
            let fault = LineFault::NoEquals;
            if is_name(line) {
                return Self::Variable { name: line, value: "", oddity: Some(fault) };
            }
            return Self::Lost { name: first_name(line), fault };
        };
        let name = name.trim_end_matches(is_blank);
        if is_name(name) {
            return Self::of_value(name, value);
        }
        if let Some(name) = exported(name).filter(|name| is_name(name)) {
            return Self::Lost { name: Some(name), fault: LineFault::Export };
        }
        // A line of a key may end so.
        let is_padding = value.trim_matches(is_blank).chars().all(|c| c == '=');
        let fault = if is_padding { LineFault::NoEquals } else { LineFault::Name };
        Self::Lost { name: first_name(name), fault }
    }

    fn of_value(name: &'a str, untrimmed: &'a str) -> Self {
        // What a shell, and other readers of a .env, would take for one character.
        let escape = |escapes: &[&str], value: &str| {
            let has_one = escapes.iter().any(|escape| value.contains(escape));
            has_one.then_some(LineFault::Escape)
        };
        let value = untrimmed.trim_matches(is_blank);
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (value, oddity) = match quote {
            None => match untrimmed.split_once('#') {
                Some((value, _)) if !value.ends_with(is_blank) => (value, Some(LineFault::Comment)),
                cut => {
                    let value = cut.map_or(untrimmed, |(value, _)| value);
                    (value, escape(&[r"\$", r"\ ", r"\'", r#"\""#], value))
                }
            },
            Some(quote) => match value[1..].split_once(quote) {
                None => return Self::Lost { name: Some(name), fault: LineFault::Unclosed(quote) },
                Some((value, rest)) if !is_nothing(rest) => (value, Some(LineFault::AfterQuote)),
                Some((value, _)) if quote == '"' => (value, escape(&[r"\$", r"\`", r"\\"], value)),
                Some((value, _)) => (value, None),
            },
        };
        let value = if quote.is_none() { value.trim_matches(is_blank) } else { value };
        Self::Variable { name, value, oddity }
    }
}

/// How many lines further down a value ends that begins with a quote: at the end of a line, and before one that is a
/// variable of its own.
fn end_of_value(fault: LineFault, below: &[Line]) -> Option<usize> {
    let LineFault::Unclosed(quote) = fault else { return None };
    let is_variable = |line: &Line| {
        let name = line.text.split_once('=').map(|(name, _)| name.trim_matches(is_blank));
        name.is_some_and(|name| is_name(name) && name.to_uppercase() == name)
    };
    let mut below = below.iter().take_while(|line| !is_variable(line)).zip(1..);
    let (line, number) = below.find(|(line, _)| line.text.contains(quote))?;
    let (_, rest) = line.text.split_once(quote)?;
    is_nothing(rest).then_some(number)
}

/// Whether what stands there is no more than blanks and a comment.
fn is_nothing(rest: &str) -> bool {
    let rest = rest.trim_matches(is_blank);
    rest.is_empty() || rest.starts_with('#')
}

/// Whether a variable on Heroku can have this name.
fn is_name(name: &str) -> bool {
    let is_in_names = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(is_in_names)
}

/// The name that a line which is no `NAME=value` seems to be about, as `PORT: 3000` is.
fn first_name(line: &str) -> Option<&str> {
    let line = exported(line).unwrap_or(line.trim_matches(is_blank));
    let (name, value) = line.split_once(|c: char| c == ':' || is_blank(c))?;
    (is_name(name) && !is_nothing(value)).then_some(name)
}

/// What stands behind `export`.
fn exported(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("export").filter(|rest| rest.starts_with(is_blank));
    rest.map(|rest| rest.trim_matches(is_blank))
}

/// What `heroku local` trims: `JavaScript`'s blanks, of which the byte order mark is one and NEL none.
fn is_blank(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}
