//! Staging and production as they are now: what the platform knows of them, and what they say themselves.

use std::thread;

use crate::failure::Failure;
use crate::git::{Distance, Repository};
use crate::platform::{History, Platform, Processes, Slug};
use crate::site::{Answer, Sites};
use crate::stage::{App, Stage};

/// A stage, as it was observed.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its app.
    pub app: App,
    /// Its releases.
    pub history: History,
    /// What the running one runs.
    pub slug: Option<Slug>,
    /// Its dynos.
    pub processes: Processes,
    /// What it says itself.
    pub answer: Answer,
}

impl Observed {
    /// Looks at a stage.
    pub fn at(stage: Stage, platform: &dyn Platform, sites: &Sites) -> Result<Self, Failure> {
        // First, so that what comes after it is not older than what it is held against.
        let history = platform.history(stage)?;
        let app = platform.app(stage)?;
        let slug = match history.running() {
            Some(release) => platform.slug(stage, release)?,
            None => None,
        };
        let processes = platform.processes(stage)?;
        Ok(Self { answer: sites.ask(&app), app, history, slug, processes })
    }

    /// The commit that runs: as the platform says, whose slug is promoted; else as the app believes.
    pub fn commit(&self) -> Option<&str> {
        self.built_from().or_else(|| self.answer.commit())
    }

    /// The commit that the slug was built from.
    pub fn built_from(&self) -> Option<&str> {
        self.slug.as_ref()?.commit.as_deref()
    }
}

/// Both stages.
pub struct Stages {
    /// Staging.
    pub staging: Observed,
    /// Production.
    pub production: Observed,
    /// How far it is from production's commit to staging's.
    pub distance: Option<Distance>,
}

impl Stages {
    /// Looks at both, at the same time.
    pub fn look(
        platform: &dyn Platform,
        sites: &Sites,
        repository: Option<&Repository>,
    ) -> Result<Self, Failure> {
        let (staging, production) = thread::scope(|scope| {
            let production = scope.spawn(|| Observed::at(Stage::Production, platform, sites));
            (
                Observed::at(Stage::Staging, platform, sites),
                production.join().expect("looking does not panic"),
            )
        });
        let (staging, production) = (staging?, production?);
        let distance = match (production.commit(), staging.commit()) {
            (Some(from), Some(to)) if from == to => Some(Distance { ahead: 0, behind: 0 }),
            (Some(from), Some(to)) => repository.and_then(|clone| clone.distance(from, to)),
            _ => None,
        };
        Ok(Self { staging, production, distance })
    }
}
