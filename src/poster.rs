//! The size of the message: the largest at which it fits in a few lines, and no word is broken.
//! Widths are in hundredths of the type's size.

use unicode_width::UnicodeWidthChar;

/// A word that is wider may be broken: else one address would make the whole message small.
const WIDEST_WORD: usize = 900;

/// How wide a line must be for the message to take so many lines at most.
pub fn line_width(message: &str, most_lines: usize) -> usize {
    let words = pieces(message).map(|word| width(word.trim_end()).min(WIDEST_WORD));
    let mut line_width = words.max().unwrap_or(0).max(width(message) / most_lines).max(100);
    while lines(message, line_width) > most_lines {
        line_width += 10;
    }
    line_width
}

fn lines(message: &str, line_width: usize) -> usize {
    let (mut lines, mut used) = (1, 0);
    for piece in pieces(message) {
        let word = width(piece.trim_end());
        if used > 0 && used + word > line_width {
            (lines, used) = (lines + 1, 0);
        }
        lines += word / (line_width + 1); // more than one, where it is broken
        used += width(piece) % (line_width + 1);
    }
    lines
}

/// Between them a line may break: after a blank, and after a character that is two columns wide, as the Chinese are.
fn pieces(message: &str) -> impl Iterator<Item = &str> {
    message.split_inclusive(|c: char| c.is_whitespace() || c.width() == Some(2))
}

/// As the face sets it (`assets/rokkitt.woff2`), and a little more, since another may have to stand in for it.
fn width(text: &str) -> usize {
    let widths = text.chars().map(|c| match c {
        ' ' | '!' | '\'' | ',' | '.' | ':' | ';' | 'i' | 'j' | 'l' | '|' => 28,
        '"' | '(' | ')' | '-' | '1' | 'I' | 'J' | '[' | ']' | 'f' | 'r' | 't' => 40,
        '%' | 'M' | 'W' | 'm' | 'w' => 85,
        c if c < '\u{250}' && !c.is_uppercase() => 56, // Latin: the face has those
        c => [0, 72, 100][c.width().unwrap_or(0).min(2)],
    });
    widths.sum()
}
