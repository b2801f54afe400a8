//! What of a `.env` looks unintended, and how the operator is told: which fault, in which line, and what would do.
//! Never the line itself, which may be a secret.

use std::io;
use std::ops::RangeInclusive;

/// Something that looks unintended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no file.
    NotAFile,
    /// The operating system refuses it.
    Unreadable(io::ErrorKind),
    /// It is text that `heroku local` can't read, as some editors on Windows write it.
    Utf16,
    /// In these lines, counted from 1, which seem to be about the variable `name`.
    Lines { lines: RangeInclusive<usize>, name: Option<String>, fault: LineFault },
}

/// What can be wrong with a line, or with the lines of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    NoEquals,
    Name,
    Export,
    Unclosed(char),
    SeveralLines,
    AfterQuote,
    Comment,
    Escape,
    CarriageReturn,
}

impl LineFault {
    /// What is wrong.
    pub fn what(self) -> String {
        let what = match self {
            Self::NoEquals => "there is no `=` between a name and a value",
            Self::Name => "the name has other characters than letters, digits and `_`",
            Self::Export => "`export` is no part of a name to `heroku local`",
            Self::Unclosed(quote) => {
                return format!(
                    "no {quote} ends the value that begins with one, and `heroku local` stops"
                );
            }
            Self::SeveralLines => "the value has several lines, at which `heroku local` stops",
            Self::AfterQuote => "what stands after the closing quote is not read",
            Self::Comment => "what stands after the `#` is a comment, and not read",
            Self::Escape => "a backslash is part of the value, and escapes nothing",
            Self::CarriageReturn => "`heroku local` takes the line end, a CR alone, for text",
        };
        what.to_owned()
    }

    /// What would do, for the variable `name`.
    pub fn remedy(self, name: &str) -> String {
        match self {
            Self::NoEquals | Self::Name => format!("Write {name}= and then the value."),
            Self::Export => format!("Begin the line with {name}= and nothing before it."),
            Self::Unclosed(quote) => {
                format!("Add {quote} at the end of the value, or begin it without one.")
            }
            Self::SeveralLines => "Write it in one line, or set it in the environment.".to_owned(),
            Self::AfterQuote => {
                "Put the whole value in quotes of the other kind, or write it without.".to_owned()
            }
            Self::Comment => format!("Write {name}='value' if it belongs to the value."),
            Self::Escape => "Leave it out if it is not meant to be.".to_owned(),
            Self::CarriageReturn => "Save the file with LF line ends.".to_owned(),
        }
    }

    /// Whether the variable does not get its value.
    pub fn loses_all(self) -> bool {
        match self {
            Self::NoEquals | Self::Name | Self::Export | Self::Unclosed(_) | Self::SeveralLines => {
                true
            }
            Self::AfterQuote | Self::Comment | Self::Escape | Self::CarriageReturn => false,
        }
    }
}

/// `Line 3 of .env`, `Lines 3 to 9, 12 of .env`.
pub fn place(lines: &[RangeInclusive<usize>]) -> String {
    let mut ranges: Vec<RangeInclusive<usize>> = Vec::new();
    for next in lines {
        match ranges.last_mut() {
            Some(last) if *next.start() <= last.end() + 1 => *last = *last.start()..=*next.end(),
            _ => ranges.push(next.clone()),
        }
    }
    let one = |range: &RangeInclusive<usize>| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) if first + 1 == *last => format!("{first} and {last}"),
        (first, last) => format!("{first} to {last}"),
    };
    let texts: Vec<_> = ranges.iter().map(one).collect();
    let is_one = matches!(&ranges[..], [range] if range.start() == range.end());
    format!("{} {} of .env", if is_one { "Line" } else { "Lines" }, texts.join(", "))
}
