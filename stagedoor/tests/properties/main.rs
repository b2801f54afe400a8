//! What must hold for any input at all. Variables and headers are made up by the thousand, near the valid
//! ones and far from them; a failure prints the smallest input that it found.

use std::env;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRunner};

mod requests;
mod settings;
#[path = "../support/mod.rs"]
mod support;

/// What has made other programs stumble: controls, what is not seen, what separates and quotes.
const ODD: [char; 24] = [
    '\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{ad}', '\u{61c}', '\u{200b}',
    '\u{200e}', '\u{202e}', '\u{2060}', '\u{2069}', '\u{feff}', '\u{fffd}', ' ', ',', '=', ':',
    '+', '0', '[', '{',
];

/// Tries a property on so many inputs where `PROPTEST_CASES` is set, as `.ci/run` does, and on more where it says so;
/// on a fifth of them where it is not: those take a few seconds.
fn for_any<S: Strategy>(cases: u32, inputs: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let asked = Config::default();
    let is_asked = env::var_os("PROPTEST_CASES").is_some();
    let config = Config {
        cases: if is_asked { cases.max(asked.cases) } else { cases / 5 },
        failure_persistence: None, // what is printed is enough to repeat it
        rng_algorithm: RngAlgorithm::XorShift, // unoptimised, ChaCha takes longer than the rest
        ..asked
    };
    if let Err(failure) = TestRunner::new(config).run(inputs, property) {
        panic!("{failure}");
    }
}

/// Any character, but a plain or an odd one more often than one of the hundred thousands.
fn character() -> impl Strategy<Value = char> + Clone {
    prop_oneof![any::<char>(), proptest::char::range(' ', '~'), select(&ODD[..])]
}

/// Any text; now and then a very long one.
fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        9 => vec(character(), 0..100).prop_map(String::from_iter),
        1 => (character(), 100..20_000_usize).prop_map(|(c, times)| c.to_string().repeat(times)),
    ]
}

/// A text in the other case, or with one to three slips, as people and programs make them.
fn misspelled(text: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let other_case = |text: String| {
        if text.contains(char::is_lowercase) { text.to_uppercase() } else { text.to_lowercase() }
    };
    let characters = text.clone().prop_map(|text| text.chars().collect());
    prop_oneof![
        1 => text.prop_map(other_case),
        4 => mutated(characters, character()).prop_map(String::from_iter),
    ]
}

/// A sequence in which one to three things were added, replaced, lost, swapped, repeated or put in
/// another's place.
fn mutated<T: Clone + Debug>(
    sequence: impl Strategy<Value = Vec<T>>,
    others: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<T>> {
    let changes = vec((0..5, any::<Index>(), others), 1..4);
    (sequence, changes).prop_map(|(mut sequence, changes)| {
        for (change, at, other) in changes {
            let at = at.index(sequence.len() + 1);
            match change {
                _ if at == sequence.len() => sequence.push(other),
                0 => sequence.insert(at, other),
                1 => sequence[at] = other,
                2 => drop(sequence.remove(at)),
                3 => sequence.swap(at, at.saturating_sub(1)),
                _ => sequence.extend_from_within(at..),
            }
        }
        sequence
    })
}
