//! Texts that people typed or are to type: whether they can be seen, and how they are shown where they may be anything.

use std::borrow::Cow;

/// Whether this can be typed and seen: something besides blanks, and nothing odd.
pub fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(is_odd)
}

/// Characters that do something to a terminal or a table instead of standing there: controls, breaks,
/// changes of direction, what has no width. And U+FFFD, which was not UTF-8.
pub fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

/// Characters that are pasted where one line ends and the next begins, and those between two columns.
pub fn is_break(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The text as a shell reads it back, and so `heroku config:set`.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// An address without the name and the password that it begins with.
pub fn without_password(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    match rest.rsplit_once('@') {
        Some((_, host)) if !scheme.is_empty() => format!("{scheme}://…@{host}").into(),
        Some((_, host)) => format!("…@{host}").into(),
        None => text.into(),
    }
}

/// The text as it fits in a line of a terminal and does nothing to it. A password in an address is left out.
pub fn shown(text: &str) -> String {
    let text = if text.contains("://") { without_password(text) } else { text.into() };
    let mut shown = String::new();
    for c in text.chars().take(60) {
        if is_odd(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
