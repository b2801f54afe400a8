//! The size of the message: the largest at which it fits in one to three lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A word that is longer may be broken: else one address would make the whole message small.
const LONGEST_WORD: usize = 20;

/// How many columns the longest line of a message needs. A letter takes one column, a capital one and a
/// half, a Chinese character two.
pub fn columns(message: &str) -> usize {
    let capitals = message.chars().filter(|c| c.is_uppercase()).count();
    let width = message.width() + capitals / 2;
    let lines = match width {
        0..=12 => 1,
        13..=40 => 2,
        _ => 3,
    };
    // Lines break between words: one gets more than its share.
    let share = width.div_ceil(lines);
    let wanted = share.max(longest_word(message)) + if lines == 1 { 0 } else { share / 8 };
    wanted.max(6) // a shorter message would be larger than the window is high
}

/// A line may break at any character of two columns.
fn longest_word(message: &str) -> usize {
    message
        .split(|c: char| c.is_whitespace() || c.width() == Some(2))
        .map(|word| word.width().min(LONGEST_WORD))
        .max()
        .unwrap_or(0)
}
