//! Texts that people typed or are to type: whether they can be seen, and how they are shown where they may be anything.

/// Whether this can be typed and seen: something besides blanks, and nothing odd.
pub fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(is_odd)
}

/// Characters that do something to a terminal or a table instead of standing there: controls, breaks,
/// changes of direction, what has no width. And U+FFFD, which was not UTF-8.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

/// The text as a shell, `.env` and `heroku config:set` read it back.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The text as it fits in a line of a terminal and does nothing to it.
pub fn shown(text: &str) -> String {
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
