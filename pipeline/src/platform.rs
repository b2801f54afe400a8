//! Where releases live: on Heroku, or in a rehearsal on this machine. Releases, slugs and dynos, as it tells them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::api::Unmade;
use crate::failure::Failure;
use crate::promotion::Reviewed;
use crate::stage::{App, Stage};

/// Where releases live.
pub trait Platform: Sync {
    /// Who we are there.
    fn account(&self) -> &str;

    /// The app of a stage.
    fn app(&self, stage: Stage) -> Result<App, Failure>;

    /// The releases of a stage.
    fn history(&self, stage: Stage) -> Result<History, Failure>;

    /// What a release runs.
    fn slug(&self, stage: Stage, release: &Release) -> Result<Option<Slug>, Failure>;

    /// What should run there, and what does.
    fn processes(&self, stage: Stage) -> Result<Processes, Failure>;

    /// Which config vars going back to a release would change.
    fn changes(&self, to: &Release) -> Result<Changes, Failure>;

    /// Gives production the slug of this very release of staging's: nothing is built. Returns the release that this
    /// made, which need not be out yet.
    fn promote(&self, source: &Reviewed) -> Result<Release, Unmade>;

    /// Brings back a release of production's, its code and its config vars. Returns the release that this made.
    fn roll_back(&self, to: &Release) -> Result<Release, Unmade>;

    /// What a person types.
    fn by_hand(&self, what: ByHand<'_>) -> String;
}

/// What a person may type.
#[derive(Clone, Copy, Debug)]
pub enum ByHand<'a> {
    /// Promote, whatever staging runs then.
    Promote,
    /// Promote, by this program, with these options.
    PromoteWith(&'a str),
    /// Go back to this release, by this program.
    GoBack(&'a Release),
    /// Go back to it without this program.
    GoBackAlone(&'a Release),
    /// Set a config var of production's.
    Set(&'a [Required]),
    /// See why production's last release failed.
    SeeWhy,
    /// See what was released on a stage.
    Releases(Stage),
    /// See how the dynos of a stage are.
    Dynos(Stage),
    /// See what this stage logged.
    Log(Stage),
    /// Show production to everybody again.
    EndMaintenance,
    /// Run a web dyno of production's.
    Scale,
    /// Put this app into that pipeline.
    Add {
        /// The pipeline.
        pipeline: &'a str,
        /// The stage that is to be added.
        stage: Stage,
    },
}

/// A config var that a build can't do without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Its name.
    pub name: String,
    /// What `app.json` says of its value.
    pub value: Proposal,
}

/// What `app.json` proposes for a config var.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// This value.
    Value(String),
    /// `"generator": "secret"`: a value that nobody knows.
    Secret,
    /// Nothing.
    None,
}

/// A release of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    /// What it is called among all releases of all apps.
    pub id: String,
    /// Its number among those of its app.
    #[serde(serialize_with = "as_version")]
    pub version: u64,
    /// What it runs; nothing before the first deploy.
    pub slug: Option<String>,
    /// How far it is.
    pub status: Status,
    /// Who made it.
    pub by: String,
    /// What for.
    pub description: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn as_version<S: serde::Serializer>(version: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("v{version}"))
}

/// How far a release is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its release command has not ended.
    Pending,
    /// It can run.
    Succeeded,
    /// Its release command said no.
    Failed,
}

impl Release {
    /// Its number, as people write it.
    pub fn name(&self) -> String {
        format!("v{}", self.version)
    }

    /// Who released what.
    pub fn told(&self) -> String {
        format!("{} by {}: {}", self.name(), self.by, self.description)
    }
}

/// The releases of an app, newest first, and which of them runs.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// As many as matter.
    pub releases: Vec<Release>,
    /// The number of the one that runs.
    pub current: Option<u64>,
}

impl History {
    /// The one that runs, or would if it had a slug.
    pub fn current(&self) -> Option<&Release> {
        self.releases.iter().find(|release| Some(release.version) == self.current)
    }

    /// The one that runs: it has a slug.
    pub fn running(&self) -> Option<&Release> {
        self.current().filter(|release| release.slug.is_some())
    }

    /// The number of the last release, however it went.
    pub fn newest(&self) -> u64 {
        self.releases.iter().map(|release| release.version).max().unwrap_or(0)
    }

    /// The one that is not out yet.
    pub fn in_flight(&self) -> Option<&Release> {
        self.releases.iter().find(|release| release.status == Status::Pending)
    }

    /// A release, as it is now.
    pub fn find(&self, id: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.id == id)
    }

    /// A release by its number, with or without the `v`.
    pub fn named(&self, version: &str) -> Option<&Release> {
        let version: u64 = version.trim_start_matches('v').parse().ok()?;
        self.releases.iter().find(|release| release.version == version)
    }

    /// Those that came after this one and are out, or may yet be: oldest first.
    pub fn since(&self, version: u64) -> Vec<&Release> {
        self.newer(version).filter(|release| release.status != Status::Failed).collect()
    }

    /// All that came after this one, however it went: oldest first.
    pub fn newer(&self, version: u64) -> impl Iterator<Item = &Release> {
        self.releases.iter().rev().filter(move |release| release.version > version)
    }

    /// The one that ran until this one did.
    pub fn before(&self, version: u64) -> Option<&Release> {
        self.releases.iter().find(|release| {
            release.version < version
                && release.status == Status::Succeeded
                && release.slug.is_some()
        })
    }
}

/// What a release runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug {
    /// The commit that it was built from.
    pub commit: Option<String>,
    /// The names of the `Procfile`, with their commands.
    pub processes: BTreeMap<String, String>,
}

/// What should run, and what does.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    /// How many dynos of each process type there should be.
    pub wanted: BTreeMap<String, u64>,
    /// Those that there are, without the ones that run once.
    pub dynos: Vec<Dyno>,
}

/// A dyno.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dyno {
    /// As `web.1`.
    pub name: String,
    /// Its process type.
    pub kind: String,
    /// `starting`, `up`, `idle`, `crashed`.
    pub state: String,
    /// The number of the release that it runs.
    pub release: u64,
}

/// The config vars that a rollback would change, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Which would be back.
    pub added: BTreeSet<String>,
    /// Which would be gone.
    pub removed: BTreeSet<String>,
    /// Which would have their old value.
    pub changed: BTreeSet<String>,
}

impl Changes {
    /// From what is to what would be.
    pub fn between(now: &BTreeMap<String, String>, then: &BTreeMap<String, String>) -> Self {
        let names = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<BTreeSet<_>>();
        let (before, after) = (names(now), names(then));
        let changed = before.intersection(&after).filter(|name| now[*name] != then[*name]);
        Self {
            changed: changed.cloned().collect(),
            added: &after - &before,
            removed: &before - &after,
        }
    }

    /// In words; nothing where nothing changes.
    pub fn told(&self) -> Option<String> {
        let told =
            [("back: ", &self.added), ("gone: ", &self.removed), ("old value: ", &self.changed)];
        let told = told.into_iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| {
            what.to_owned() + &names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollbacks_config_vars_are_told_by_name_alone() {
        let vars = |text: &str| -> BTreeMap<String, String> {
            let pairs = text.split(' ').map(|pair| pair.split_once('=').unwrap());
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let changes = Changes::between(&vars("A=1 B=secret C=3"), &vars("A=1 B=other D=4"));
        assert_eq!(changes.told().unwrap(), "back: D; gone: C; old value: B");
        assert_eq!(Changes::between(&vars("A=1"), &vars("A=1")).told(), None);
    }

    #[test]
    fn releases_that_failed_are_never_gone_back_to() {
        let release = |version: u64, status, slug: Option<&str>| Release {
            id: version.to_string(),
            version,
            slug: slug.map(str::to_owned),
            status,
            by: String::new(),
            description: String::new(),
        };
        let releases = vec![
            release(5, Status::Succeeded, Some("b")),
            release(4, Status::Failed, Some("b")),
            release(3, Status::Succeeded, Some("a")),
            release(2, Status::Succeeded, None),
        ];
        let history = History { releases, current: Some(5) };
        assert_eq!(history.before(5).unwrap().version, 3);
        assert_eq!(history.before(3), None);
        assert_eq!(history.since(3).len(), 1);
        assert_eq!(history.newest(), 5);
    }
}
