//! What a change came to where its answer was lost, and what production serves after it.

use std::time::{Duration, Instant};

use crate::exit::State;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::platform::{ByHand, History, Release};
use crate::promote::Means;
use crate::running::{Running, short_build};
use crate::site::Answer;
use crate::stage::Stage;

/// How long a change may take to be seen whose answer was lost. Heroku ends a request after 30 s, and we have
/// waited for 35: what is not there then, was not made.
const RESOLVING: Duration = Duration::from_secs(15);

/// How long to go on where Heroku does not even tell its releases.
const LONGEST_RESOLVING: Duration = Duration::from_secs(90);

/// What came of a change that got no answer.
pub enum Resolved {
    /// This.
    Made(Release),
    /// Nothing: Heroku's releases were seen for long enough.
    NotMade,
    /// Nobody knows: they could not be seen.
    NotKnown,
}

impl Resolved {
    /// What came of it, where it was not made.
    pub fn words(&self) -> &'static str {
        match self {
            Self::NotKnown => "got no answer, and whether it was made is not known",
            Self::Made(_) | Self::NotMade => "got no answer, and was not made",
        }
    }
}

/// The release that we made although no answer told so: newer than `after`, of that slug, and ours.
pub fn made_without_an_answer(means: &Means<'_>, after: u64, slug: Option<&str>) -> Resolved {
    let started = Instant::now();
    let mut first_seen = None;
    loop {
        means.screen.progress("No answer came. Looking whether it was done all the same");
        let is_ours = |release: &&Release| {
            release.version > after
                && release.slug.as_deref() == slug
                && release.by == means.platform.account()
        };
        if let Ok(history) = means.platform.history(Stage::Production) {
            // Oldest first: what the same account did later, is not this.
            if let Some(made) = history.releases.iter().rev().find(is_ours) {
                return Resolved::Made(made.clone());
            }
            let seen_since = *first_seen.get_or_insert_with(Instant::now);
            if seen_since.elapsed() >= RESOLVING {
                return Resolved::NotMade;
            }
        } else if started.elapsed() >= LONGEST_RESOLVING {
            return Resolved::NotKnown;
        }
        // Not `means.interrupt.pause`: whoever interrupts wants to know it all the more.
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// What others have released between our last look and the release that we made: it is undone by ours.
pub fn between(means: &Means<'_>, after: u64, made: &Release) -> Vec<Release> {
    // What can't be looked up is not told: the release is made, and has to be watched.
    let history = means.platform.history(Stage::Production).unwrap_or_default();
    let between = history.since(after).into_iter().filter(|release| release.version < made.version);
    between.cloned().collect()
}

/// Says so, where ours is a rollback.
pub fn tell_what_was_undone(means: &Means<'_>, after: u64, made: &Release) {
    let between = between(means, after, made);
    if let Some(last) = between.last() {
        let back = means.platform.by_hand(ByHand::GoBack(last));
        let what = told(&between);
        means.screen.conclude(&format!(
            "Just before the rollback came {what}: it is undone, too. To bring it back: {back}"
        ));
    }
}

/// What others have released since: nothing while the release that we made is the current one, and the last.
pub fn since(history: &History, made: &Release) -> Vec<Release> {
    history.since(made.version).into_iter().cloned().collect()
}

/// Who released what.
pub fn told(releases: &[Release]) -> String {
    releases.iter().map(Release::told).collect::<Vec<_>>().join(", ")
}

/// How it ended, beside what production serves now: `message` has both in its order.
pub fn outcome(
    means: &Means<'_>,
    command: &'static str,
    state: State,
    reason: Option<&'static str>,
    message: impl FnOnce(&str) -> String,
) -> Outcome {
    let (serves, running) = serves(means);
    let mut outcome = Outcome::new(command, state, reason, message(&serves));
    outcome.serves = running;
    outcome
}

/// What production serves now, in words, and for programs.
fn serves(means: &Means<'_>) -> (String, Option<Running>) {
    let app = match means.platform.app(Stage::Production) {
        Ok(app) => app,
        Err(failure) => return (unknown(&failure), None),
    };
    let Answer { running, health } = means.sites.ask(&app);
    match running {
        Ok(running) => {
            let release = running.release.as_deref().unwrap_or("its release");
            let message = running.message.iter().map(|message| format!(": \"{message}\""));
            let message = message.collect::<String>();
            let ill = health.err().map(|why| format!(", and is not healthy: {why}"));
            let build = short_build(&running.build);
            let told = format!(
                "Production serves {release}, {build}{message}{}.",
                ill.unwrap_or_default()
            );
            (told, Some(running))
        }
        Err(why) => (format!("Production serves no release: {why}."), None),
    }
}

fn unknown(failure: &Failure) -> String {
    format!("What production serves is not known: {failure}.")
}
