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
    /// Others released something since: who did what, oldest first, and whether it is the same slug.
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

    /// What the platform sees: all dynos up on it; or what is still in the way; or that it will not arrive.
    fn on_platform(&self, means: &Means<'_>) -> Result<Result<(), String>, Watched> {
        // No answer may be followed by one.
        self.looked_up(means).unwrap_or_else(|failure| Ok(Err(failure.to_string())))
    }

    fn looked_up(&self, means: &Means<'_>) -> Result<Result<Result<(), String>, Watched>, Failure> {
        let history = means.platform.history(Stage::Production)?;
        let is_current = history.current == Some(self.release.version);
        match history.find(&self.release.id).map(|release| release.status) {
            Some(Status::Failed) => return Ok(Err(Watched::ReleaseFailed)),
            Some(Status::Succeeded) if !is_current => {
                let newer = history.since(self.release.version);
                let runs = newer.iter().any(|release| Some(release.version) == history.current);
                let newer = newer.into_iter().cloned().collect();
                let not_yet = || Ok(Err("it is not the current release yet".to_owned()));
                return Ok(if runs { Err(Watched::Superseded(newer)) } else { not_yet() });
            }
            Some(Status::Succeeded) => {}
            _ => return Ok(Ok(Err("its release command runs".to_owned()))),
        }
        let processes = means.platform.processes(Stage::Production)?;
        Ok(Ok(trouble(&processes, self.release.version).map_or(Ok(()), Err)))
    }
}

/// Looks at production over and over.
pub fn watch(means: &Means<'_>, app: &App, awaited: &Awaited<'_>, patience: Patience) -> Watched {
    let started = Instant::now();
    let mut soak = Soak::of(patience.soak);
    let mut on_platform = Ok(());
    for turn in 0_usize.. {
        if means.interrupt.is_asked() {
            return Watched::Interrupted;
        }
        if turn.is_multiple_of(API_EACH) {
            match awaited.on_platform(means) {
                Ok(seen) => on_platform = seen,
                Err(ended) => return ended,
            }
        }
        let answer = means.sites.ask(app);
        let is_ours = awaited.is(&answer);
        let look = match (&answer.running, &answer.health) {
            (Ok(_), _) if !is_ours => Look::NotYet,
            (Err(_), _) | (_, Err(_)) => Look::Ill,
            _ if on_platform.is_err() => Look::NotYet,
            _ => Look::Well,
        };
        let mut progress = soak.saw(started.elapsed(), look);
        if progress == Progress::Arrived {
            // The last word is the platform's: is it still ours, and is every dyno up?
            match awaited.on_platform(means) {
                Ok(Ok(())) => return Watched::Arrived,
                Ok(trouble) => on_platform = trouble,
                Err(ended) => return ended,
            }
            progress = soak.saw(started.elapsed(), Look::NotYet);
        }
        let name = awaited.release.name();
        let seen = seen(&answer, is_ours, on_platform.as_ref().err());
        if progress == Progress::Failing {
            let often = Soak::FAILURES + 1;
            return Watched::NotWell(format!("it was well, and then failed {often} times: {seen}"));
        }
        if started.elapsed() >= patience.within {
            let limit = patience.within.as_secs();
            return Watched::NotWell(format!("within {limit} s it has not arrived: {seen}"));
        }
        means.screen.progress(&match progress {
            Progress::Soaking(lasted) => {
                let soak = patience.soak.as_secs();
                let lasted = lasted.as_secs().min(soak);
                format!("{name} is up on all dynos, and well for {lasted} of {soak} s")
            }
            _ => format!("Waiting for {name}: {seen}"),
        });
        means.interrupt.pause(means.pause);
    }
    unreachable!("it looks until it returns")
}

/// What keeps it from having arrived.
fn seen(answer: &Answer, is_ours: bool, found: Option<&String>) -> String {
    match (&answer.running, &answer.health, found) {
        (Ok(running), ..) if !is_ours => match found {
            Some(why) => format!("{} answers, and {why}", short_build(&running.build)),
            None => format!("{} answers", short_build(&running.build)),
        },
        (.., Some(why)) | (Err(why), ..) | (_, Err(why), _) => why.clone(),
        (Ok(_), Ok(()), None) => "it answers".to_owned(),
    }
}
