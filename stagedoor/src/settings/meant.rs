//! What a wrong value was meant to be, where that is clear. Where it is not, nothing is made up.

use strsim::damerau_levenshtein;
use tracing_subscriber::filter::LevelFilter;

use super::text::{is_break, is_odd};

/// The value that was meant: `text` written so that `parse` takes it.
pub fn meant<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<String> {
    let seen = visible(text)?;
    let bare = bare(&seen).to_owned();
    let lower = bare.to_lowercase();
    let truth = truth(&lower).unwrap_or_default().to_owned();
    let whole = bare.strip_suffix(".0").unwrap_or_default().to_owned();
    let upper = bare.to_uppercase();
    let mut candidates = [seen, bare, lower, upper, truth, whole].into_iter();
    candidates.find(|candidate| !candidate.is_empty() && parse(candidate).is_some())
}

/// The text without what can't be seen, on one line. `None` where more is lost than that: a character that was not
/// UTF-8, or a command to the terminal.
pub fn visible(text: &str) -> Option<String> {
    if text.contains(['\u{fffd}', '\u{1b}']) {
        return None;
    }
    let lines: Vec<_> =
        text.split(is_break).map(str::trim).filter(|line| !line.is_empty()).collect();
    let visible = lines.join(" ").replace(is_odd, "");
    Some(visible.trim().to_owned())
}

/// The text without quotes around it, and without what ends a statement or an entry of a list.
pub fn bare(text: &str) -> &str {
    let mut bare = text.trim();
    loop {
        let quoted = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')].into_iter();
        let unquoted =
            quoted.filter_map(|(open, close)| bare.strip_prefix(open)?.strip_suffix(close));
        let shorter = unquoted.chain(bare.strip_suffix([';', ','])).next();
        match shorter {
            Some(shorter) => bare = shorter.trim(),
            None => return bare,
        }
    }
}

fn truth(lower: &str) -> Option<&'static str> {
    match lower {
        "1" | "on" | "y" | "yes" | "t" | "enable" | "enabled" => Some("true"),
        "0" | "off" | "n" | "no" | "f" | "disable" | "disabled" => Some("false"),
        _ => None,
    }
}

/// The one of `names` that was meant: with a wrong letter, or with two in a long name.
pub fn misspelled<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = visible(text).map(|text| bare(&text).to_lowercase())?;
    let is_near =
        |name: &&str| damerau_levenshtein(&text, name) <= if name.len() < 7 { 1 } else { 2 };
    let mut near = names.into_iter().filter(is_near);
    near.next().filter(|_| near.next().is_none())
}

/// What a filter of the log was meant to be: its levels by the names that others give them, whatever stands between.
pub fn log_filter(text: &str) -> Option<String> {
    let text = visible(text)?;
    let between = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    let directives = bare(&text).split(between).filter(|directive| !directive.is_empty());
    let meant = directives.map(|directive| match directive.split_once('=') {
        Some((target, name)) => Some(format!("{target}={}", level(name)?)),
        None => level(directive).map(str::to_owned),
    });
    let meant: Vec<_> = meant.collect::<Option<_>>()?;
    Some(meant.join(","))
}

fn level(name: &str) -> Option<&str> {
    // Without `off`: a guess must not silence a service.
    const NAMES: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
    match name.to_lowercase().as_str() {
        "warning" => Some("warn"),
        "err" => Some("error"),
        "none" => Some("off"),
        "information" => Some("info"),
        _ if !name.is_empty() && name.parse::<LevelFilter>().is_ok() => Some(name),
        lower => misspelled(lower, NAMES),
    }
}
