//! Where releases live: on Heroku, or in a rehearsal on this machine.

use crate::failure::Failure;
use crate::stage::{App, Stage};

/// Where releases live.
pub trait Platform: Sync {
    /// The app of a stage.
    fn app(&self, stage: Stage) -> Result<App, Failure>;

    /// Production's current release, as `v7`: where a rollback would lead after a promotion.
    fn current(&self) -> Result<Option<String>, Failure>;

    /// Gives production staging's slug: nothing is built. Returns once its release has succeeded.
    fn promote(&mut self) -> Result<(), Failure>;

    /// Brings back a release of production's, its code and its config vars.
    fn roll_back(&mut self, release: &str) -> Result<(), Failure>;

    /// What a person types.
    fn remedy(&self, remedy: Remedy<'_>) -> String;
}

/// What a person may have to do about production.
#[derive(Clone, Copy, Debug)]
pub enum Remedy<'a> {
    /// Go back to this release.
    GoBack(&'a str),
    /// Set these config vars, `NAME=value` each.
    Set(&'a str),
    /// See why its last release failed.
    SeeWhy,
}
