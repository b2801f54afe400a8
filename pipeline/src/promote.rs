//! `cargo pipeline promote`, in two halves: before the point of no return, and after it.
//!
//! Before it, every failure leaves production as it was. After it there are only outcomes.

mod after;
mod before;

use std::time::Duration;

use crate::failure::Failure;
use crate::git::Repository;
use crate::interrupt::Interrupt;
use crate::options::PromoteOptions;
use crate::outcome::Outcome;
use crate::platform::Platform;
use crate::screen::Screen;
use crate::site::Sites;
use before::Decision;

/// What a command works with.
pub struct Means<'a> {
    /// Where releases live.
    pub platform: &'a dyn Platform,
    /// Asks apps.
    pub sites: &'a Sites,
    /// The clone around us, where there is one.
    pub repository: Option<&'a Repository>,
    /// Where it writes.
    pub screen: &'a Screen,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// How long to wait between two looks.
    pub pause: Duration,
    /// How long every answer has to be good, unless an option says otherwise.
    pub soak: Duration,
    /// Whether to ask before anything is changed: a rehearsal has no users who could come to harm.
    pub asks: bool,
}

/// Promotes what staging runs.
pub fn promote(means: &Means<'_>, options: &PromoteOptions) -> Result<Outcome, Failure> {
    Ok(match before::decide(means, options)? {
        Decision::Not(outcome) => *outcome,
        Decision::Promote(promotion, app) => after::carry_out(means, options, *promotion, &app),
    })
}
