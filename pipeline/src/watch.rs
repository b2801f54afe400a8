//! Watches production until a release has arrived there, or it is known that it does not.

use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::judgement::{Look, Progress, Soak, trouble};
use crate::platform::{Release, Status};
use crate::promote::Means;
use crate::running::short_build;
use crate::site::Answer;
use crate::stage::{App, Stage};

/// The site is asked at each look, the API at each third: it takes 4,500 requests an hour from an account.
const API_EACH: usize = 3;

/// What is waited for.
pub struct Awaited<'a> {
    /// The release that we made.
    pub release: &'a Release,
    /// The digest of the executable that it runs, where it is known.
    pub build: Option<&'a str>,
    /// The commit that it was built from, where that is known.
    pub commit: Option<&'a str>,
}

/// How a watch ended.
#[derive(Debug)]
pub enum Watched {
    /// All dynos are up on it, and it alone has answered well for the whole soak.
    Arrived,
    /// Its release command said no, so it never ran.
    ReleaseFailed,
    /// Others released something since: oldest first.
    Superseded(Vec<Release>),
    /// It did not arrive in time, or fails too often: what was found.
    NotWell(String),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// How long to watch.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For all of it.
    pub within: Duration,
    /// In which every look has to be good.
    pub soak: Duration,
}

impl Awaited<'_> {
    /// Whether this is what answers.
    fn is(&self, answer: &Answer) -> bool {
        let Some(build) = answer.build() else { return false };
        match (self.build, self.commit, answer.commit()) {
            (Some(awaited), ..) => awaited == build,
            (None, Some(awaited), Some(commit)) => awaited == commit,
            // Neither is known: the dynos tell.
            _ => true,
        }
    }

    /// What the platform sees of it.
    fn on_platform(&self, means: &Means<'_>) -> Seen {
        // No answer may be followed by one.
        self.looked_up(means).unwrap_or_else(|failure| Seen::NotYet(failure.to_string()))
    }

    fn looked_up(&self, means: &Means<'_>) -> Result<Seen, Failure> {
        let history = means.platform.history(Stage::Production)?;
        match history.find(&self.release.id).map(|release| release.status) {
            Some(Status::Failed) => return Ok(Seen::Ended(Watched::ReleaseFailed)),
            Some(Status::Succeeded) => {}
            _ => return Ok(Seen::NotYet("its release command runs".to_owned())),
        }
        if history.current != Some(self.release.version) {
            let newer = history.since(self.release.version);
            if newer.iter().any(|release| Some(release.version) == history.current) {
                let newer = newer.into_iter().cloned().collect();
                return Ok(Seen::Ended(Watched::Superseded(newer)));
            }
            return Ok(Seen::NotYet("it is not the current release yet".to_owned()));
        }
        let processes = means.platform.processes(Stage::Production)?;
        Ok(trouble(&processes, self.release.version).map_or(Seen::AllUp, Seen::NotYet))
    }
}

/// What the platform sees of what is waited for.
enum Seen {
    /// It is the current release, and every dyno that should run is up on it.
    AllUp,
    /// What is still in the way.
    NotYet(String),
    /// It will not arrive.
    Ended(Watched),
}

/// Looks at production over and over.
pub fn watch(means: &Means<'_>, app: &App, awaited: &Awaited<'_>, patience: Patience) -> Watched {
    let started = Instant::now();
    let mut soak = Soak::of(patience.soak);
    let mut in_the_way = None;
    for turn in 0_usize.. {
        if means.interrupt.is_asked() {
            return Watched::Interrupted;
        }
        if turn.is_multiple_of(API_EACH) {
            match awaited.on_platform(means) {
                Seen::AllUp => in_the_way = None,
                Seen::NotYet(why) => in_the_way = Some(why),
                Seen::Ended(ended) => return ended,
            }
        }
        let answer = means.sites.ask(app);
        let is_ours = awaited.is(&answer);
        let look = match (&answer.running, &answer.health) {
            (Ok(_), _) if !is_ours => Look::NotYet,
            (Err(_), _) | (_, Err(_)) => Look::Ill,
            _ if in_the_way.is_some() => Look::NotYet,
            _ => Look::Well,
        };
        let mut progress = soak.saw(started.elapsed(), look);
        if progress == Progress::Arrived {
            // The last word is the platform's: is it still ours, and is every dyno up?
            match awaited.on_platform(means) {
                Seen::AllUp => return Watched::Arrived,
                Seen::NotYet(why) => in_the_way = Some(why),
                Seen::Ended(ended) => return ended,
            }
            progress = soak.saw(started.elapsed(), Look::NotYet);
        }
        let name = awaited.release.name();
        let found = found(&answer, is_ours, in_the_way.as_ref());
        if progress == Progress::Failing {
            let often = Soak::FAILURES + 1;
            return Watched::NotWell(format!(
                "it was well, and then failed {often} times: {found}"
            ));
        }
        if started.elapsed() >= patience.within {
            let limit = patience.within.as_secs();
            return Watched::NotWell(format!("within {limit} s it has not arrived: {found}"));
        }
        if let Progress::Soaking(lasted) = progress {
            let soak = patience.soak.as_secs();
            let count = format!(" for {} of {soak} s", lasted.as_secs().min(soak));
            means.screen.count(&format!("{name} is up on all dynos, and well"), &count);
        } else {
            means.screen.progress(&format!("Waiting for {name}: {found}"));
        }
        means.interrupt.pause(means.pause);
    }
    unreachable!("it looks until it returns")
}

/// What keeps it from having arrived.
fn found(answer: &Answer, is_ours: bool, in_the_way: Option<&String>) -> String {
    match (&answer.running, &answer.health, in_the_way) {
        (Ok(running), ..) if !is_ours => match in_the_way {
            Some(why) => format!("{} answers, and {why}", short_build(&running.build)),
            None => format!("{} answers", short_build(&running.build)),
        },
        (.., Some(why)) | (Err(why), ..) | (_, Err(why), _) => why.clone(),
        (Ok(_), Ok(()), None) => "it answers".to_owned(),
    }
}
