//! A promotion, as a value: the release that was looked at, the one that it replaces, the one that it makes. All
//! that is done names these.

use serde::Serialize;

use crate::platform::Release;
use crate::running::short_build;
use crate::stages::{Observed, Stages};

/// The release of staging that was looked at. Nothing else can be promoted: `Platform::promote` takes this, and
/// only a look makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    app: String,
    release: Release,
    commit: Option<String>,
    build: String,
}

impl Reviewed {
    /// What was seen to run on staging: that it answers, and which release that is.
    pub fn on(staging: &Observed) -> Option<Self> {
        Some(Self {
            app: staging.app.name.clone(),
            release: staging.history.running()?.clone(),
            commit: staging.commit().map(str::to_owned),
            build: staging.answer.build()?.to_owned(),
        })
    }

    /// The release.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// The commit that it was built from, where that is known.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// The digest of its executable.
    pub fn build(&self) -> &str {
        &self.build
    }
}

/// What production ran before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// Its release.
    pub release: Release,
    /// The commit that it was built from, where that is known.
    pub commit: Option<String>,
    /// The digest of its executable, where it told.
    pub build: Option<String>,
}

/// From which release of staging to which one of production.
#[derive(Clone, Debug, Serialize)]
pub struct Promotion {
    /// The pipeline.
    pub pipeline: String,
    /// Who promotes.
    pub by: String,
    /// What goes live.
    pub from: Reviewed,
    /// Production's app.
    pub to: String,
    /// What it replaces; nothing where it is the first.
    pub replaces: Option<Replaced>,
    /// The release that it made; nothing until then.
    pub makes: Option<Release>,
    /// The commits that go live, newest first; nothing where the clone can't tell.
    pub commits: Option<Vec<String>>,
    /// The commits that go away.
    pub commits_gone: Option<Vec<String>>,
    /// The number of production's last release before it.
    #[serde(skip)]
    pub after: u64,
}

impl Promotion {
    /// The one that two looked-at stages allow. `None` where it is not known what staging runs.
    pub fn of(stages: &Stages, by: &str) -> Option<Self> {
        let Stages { staging, production, .. } = stages;
        let place = production.app.place.as_ref();
        let replaces = production.history.running().map(|release| Replaced {
            release: release.clone(),
            commit: production.commit().map(str::to_owned),
            build: production.answer.build().map(str::to_owned),
        });
        Some(Self {
            pipeline: place.map(|place| place.pipeline.clone()).unwrap_or_default(),
            by: by.to_owned(),
            from: Reviewed::on(staging)?,
            to: production.app.name.clone(),
            replaces,
            makes: None,
            commits: None,
            commits_gone: None,
            after: production.history.newest(),
        })
    }

    /// The question before it.
    pub fn question(&self) -> String {
        let Reviewed { app, release, build, .. } = &self.from;
        format!(
            "Promote {app} {} ({}) to {}, of the pipeline {}?",
            release.name(),
            short_build(build),
            self.to,
            self.pipeline
        )
    }

    /// What was released on a stage since it was looked at for this promotion, told one by one.
    pub fn moved(&self, now: &Stages) -> [Vec<String>; 2] {
        let since = |seen: &Observed, version: u64, expected: Option<&str>| {
            let mut told: Vec<_> = seen.history.newer(version).map(Release::told).collect();
            let current = seen.history.running().map(|release| release.id.as_str());
            if told.is_empty() && current != expected {
                told.push("another release runs".to_owned());
            }
            told
        };
        let from = &self.from.release;
        let mut staging = since(&now.staging, from.version, Some(&from.id));
        if staging.is_empty() && now.staging.answer.build() != Some(self.from.build()) {
            staging.push("it answers another build".to_owned());
        }
        let replaced = self.replaces.as_ref().map(|replaced| replaced.release.id.as_str());
        [staging, since(&now.production, self.after, replaced)]
    }
}
