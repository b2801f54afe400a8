//! The judgement: are the stages in step, may staging be promoted, has it arrived? Of plain values alone.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::git::Distance;
use crate::platform::{Processes, Proposal, Required};
use crate::running::{committed, is_dirty, short_commit};
use crate::stage::{App, Stage};
use crate::stages::{Observed, Stages};

/// How the stages stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The same build.
    Same,
    /// Staging has commits that production lacks.
    Ahead(usize),
    /// Production has commits that staging lacks.
    Behind(usize),
    /// Each has some that the other lacks.
    Apart(Distance),
    /// The same commit, built twice.
    BuiltTwice,
    /// The same commit, with changes that only the working tree has: in a rehearsal.
    Uncommitted,
    /// Other builds, and git can't tell how far apart.
    Differ,
    /// Nothing was ever released there.
    Empty(Stage),
    /// This stage does not say what it runs, so nobody can tell.
    Silent(Stage),
}

/// How the stages stand to each other: by the digest of what runs, which alone proves anything. Commits only say
/// how far apart they are.
pub fn step(stages: &Stages) -> Step {
    let Stages { staging, production, distance } = stages;
    let (Some(on_staging), Some(on_production)) =
        (staging.answer.build(), production.answer.build())
    else {
        let both = [(Stage::Staging, staging), (Stage::Production, production)];
        let empty = both.iter().find(|(_, seen)| seen.history.running().is_none());
        let silent =
            if staging.answer.build().is_none() { Stage::Staging } else { Stage::Production };
        return empty.map_or(Step::Silent(silent), |&(stage, _)| Step::Empty(stage));
    };
    if on_staging == on_production {
        return Step::Same;
    }
    match *distance {
        Some(Distance { ahead: 0, behind: 0 }) if staging.commit().is_some_and(is_dirty) => {
            Step::Uncommitted
        }
        Some(Distance { ahead: 0, behind: 0 }) => Step::BuiltTwice,
        Some(Distance { ahead, behind: 0 }) => Step::Ahead(ahead),
        Some(Distance { ahead: 0, behind }) => Step::Behind(behind),
        Some(distance) => Step::Apart(distance),
        None => Step::Differ,
    }
}

impl Step {
    /// How many commits of production's would go away.
    pub fn lost(self) -> usize {
        match self {
            Self::Behind(behind) | Self::Apart(Distance { behind, .. }) => behind,
            _ => 0,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Same => f.write_str("production runs what staging runs"),
            Self::Ahead(n) => write!(f, "staging is ahead by {}", commits(n)),
            Self::Behind(n) => write!(f, "staging is behind production by {}", commits(n)),
            Self::Apart(Distance { ahead, behind }) => {
                let ahead = commits(ahead);
                write!(f, "staging is ahead by {ahead}, and lacks {behind} of production's")
            }
            Self::BuiltTwice => {
                f.write_str("both run the same commit, but each a build of its own")
            }
            Self::Uncommitted => f.write_str("staging is ahead by changes that are not committed"),
            Self::Differ => f.write_str("production runs another build than staging"),
            Self::Empty(stage) => write!(f, "nothing was released on {stage} yet"),
            Self::Silent(stage) => write!(f, "{stage} does not say what it runs"),
        }
    }
}

/// A number of commits, in words.
pub fn commits(n: usize) -> String {
    if n == 1 { "1 commit".to_owned() } else { format!("{n} commits") }
}

/// The variables that an `app.json` asks for. `required` is true by default, as Heroku has it.
pub fn required(app_json: &str) -> Result<Vec<Required>, serde_json::Error> {
    #[derive(Deserialize)]
    struct AppJson {
        #[serde(default)]
        env: std::collections::BTreeMap<String, Entry>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Value(String),
        Object { value: Option<String>, required: Option<bool>, generator: Option<String> },
    }
    let AppJson { env } = serde_json::from_str(app_json)?;
    let wanted = env.into_iter().filter_map(|(name, entry)| {
        let value = match entry {
            Entry::Object { required: Some(false), .. } => return None,
            Entry::Value(value) | Entry::Object { value: Some(value), .. } => {
                Proposal::Value(value)
            }
            Entry::Object { generator: Some(_), .. } => Proposal::Secret,
            Entry::Object { .. } => Proposal::None,
        };
        Some(Required { name, value })
    });
    Ok(wanted.collect())
}

/// What `--expect` says: the commit, or the build, that is to be promoted and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(String);

impl std::str::FromStr for Expected {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, shortest) = match text.strip_prefix("sha256:") {
            Some(digits) => (digits, 16),
            None => (text, 7),
        };
        let is_one = (shortest..=64).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let wrong = "a commit of at least 7 digits, or `sha256:` and at least 16 of the build's";
        if is_one { Ok(Self(text.to_ascii_lowercase())) } else { Err(wrong) }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Expected {
    /// Whether that is what a stage runs. A commit with changes that are not committed is another.
    fn is_met_by(&self, staging: &Observed) -> bool {
        let is = |told: Option<&str>| {
            told.is_some_and(|told| told.starts_with(&self.0) && !is_dirty(told))
        };
        is(staging.answer.build()) || is(staging.commit())
    }
}

/// Why staging may not be promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was ever released on staging.
    NothingOnStaging,
    /// It is not known what would be promoted.
    Unknown(String),
    /// Staging is not healthy.
    Unhealthy(String),
    /// A dyno of staging's has crashed: waiting does not make it well.
    Crashed(String),
    /// Some of staging's dynos are not up on its release yet.
    Unsettled(String),
    /// A release of this stage is not out yet: who makes which.
    InFlight(Stage, String),
    /// What staging runs is not what was expected.
    NotExpected(Expected),
    /// The build has no web process.
    NoWebProcess,
    /// Production is closed to everybody, so nobody can see whether a build arrives.
    Maintenance,
    /// Production has no web dyno.
    NoWebDyno,
    /// This stage's app is in no pipeline.
    NoPipeline(Stage),
    /// The apps are in other pipelines, or at other stages, than a promotion needs.
    OtherPipeline(String),
    /// Production lacks variables that the build requires.
    Lacks(Vec<Required>),
    /// So many commits of production's would go away, and nobody agreed to that.
    Backwards(usize),
    /// Nobody knows here which commits of production's would go away.
    Unrelated,
    /// Something was released since we looked: on which stage, who did what.
    Moved(Stage, Vec<String>),
    /// There is nobody to ask.
    NobodyToAsk,
    /// The answer was no.
    NotAgreed,
}

impl Refusal {
    /// Its kind, for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NothingOnStaging => "nothing-on-staging",
            Self::Unknown(_) => "staging-unknown",
            Self::Unhealthy(_) => "staging-unhealthy",
            Self::Crashed(_) => "staging-crashed",
            Self::Unsettled(_) => "staging-unsettled",
            Self::InFlight(..) => "release-in-flight",
            Self::NotExpected(_) => "not-expected",
            Self::NoWebProcess => "no-web-process",
            Self::Maintenance => "maintenance",
            Self::NoWebDyno => "no-web-dyno",
            Self::NoPipeline(_) => "no-pipeline",
            Self::OtherPipeline(_) => "other-pipeline",
            Self::Lacks(_) => "lacks-config-vars",
            Self::Backwards(_) | Self::Unrelated => "backwards",
            Self::Moved(..) => "moved",
            Self::NobodyToAsk => "nobody-to-ask",
            Self::NotAgreed => "not-agreed",
        }
    }
}

/// The names of config vars that one stage alone has, in a line for each that has some.
pub fn lines_of_only_on_one(stages: &Stages) -> Vec<String> {
    let (staging, production) = only_on_one(&stages.staging.app, &stages.production.app);
    let both = Stage::ALL.into_iter().zip([staging, production]);
    let some = both.filter(|(_, names)| !names.is_empty()).map(|(stage, names)| {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        format!("Config vars only on {stage}: {}", names.join(", "))
    });
    some.collect()
}

/// What is not still: a release that is not out yet, a dyno that starts, or that has crashed.
pub fn unsettled(stages: &Stages) -> Option<Refusal> {
    let both = [(Stage::Staging, &stages.staging), (Stage::Production, &stages.production)];
    for (stage, seen) in both {
        if let Some(release) = seen.history.in_flight() {
            return Some(Refusal::InFlight(stage, release.told()));
        }
    }
    let staging = &stages.staging;
    let release = staging.history.running()?;
    if let Some(trouble) = trouble(&staging.processes, release.version) {
        return Some(if has_crashed(&staging.processes) {
            Refusal::Crashed(trouble)
        } else {
            Refusal::Unsettled(trouble)
        });
    }
    let running = staging.answer.running.as_ref().ok()?;
    if let Some(told) = running.release.as_deref().filter(|told| *told != release.name()) {
        let why = format!("it answers {told}, its release is {}", release.name());
        return Some(Refusal::Unsettled(why));
    }
    // An app may know the commit of another build: from a variable that is not renewed, say.
    let (told, built) = (committed(staging.answer.commit()?), committed(staging.built_from()?));
    let is_other = !told.starts_with(built) && !built.starts_with(told);
    is_other.then(|| {
        let (told, built) = (short_commit(told), short_commit(built));
        Refusal::Unsettled(format!("it answers commit {told}, its release was built from {built}"))
    })
}

/// Whether production has what staging would give it.
pub fn nothing_to_promote(stages: &Stages) -> bool {
    let Stages { staging, production, .. } = stages;
    match (staging.answer.build(), production.answer.build()) {
        (Some(staging), Some(production)) => staging == production,
        // It does not say. The platform does: a promotion would give it the same once more.
        (Some(_), None) => {
            let slug = |seen: &Observed| seen.history.running()?.slug.clone();
            slug(production).is_some() && slug(staging) == slug(production)
        }
        _ => false,
    }
}

/// Every reason why staging may not be promoted: none when it may.
pub fn refusals(
    stages: &Stages,
    required: &[Required],
    expected: Option<&Expected>,
) -> Vec<Refusal> {
    let Stages { staging, production, .. } = stages;
    let mut refusals = Vec::new();
    if staging.history.running().is_none() {
        refusals.push(Refusal::NothingOnStaging);
    } else if let Err(why) = &staging.answer.running {
        refusals.push(Refusal::Unknown(why.clone()));
    } else if let Err(why) = &staging.answer.health {
        refusals.push(Refusal::Unhealthy(why.clone()));
    }
    refusals.extend(unsettled(stages));
    if let Some(expected) = expected.filter(|expected| !expected.is_met_by(staging)) {
        refusals.push(Refusal::NotExpected(expected.clone()));
    }
    if staging.slug.as_ref().is_some_and(|slug| !slug.processes.contains_key("web")) {
        refusals.push(Refusal::NoWebProcess);
    }
    if production.app.is_in_maintenance {
        refusals.push(Refusal::Maintenance);
    }
    // Before its first release an app has no formation: it then gets a web dyno by itself.
    if production.processes.wanted.get("web") == Some(&0) {
        refusals.push(Refusal::NoWebDyno);
    }
    refusals.extend(out_of_pipeline(&staging.app, &production.app));
    let lacks = |required: &&Required| !production.app.variables.contains(&required.name);
    let lacking: Vec<_> = required.iter().filter(lacks).cloned().collect();
    if !lacking.is_empty() {
        refusals.push(Refusal::Lacks(lacking));
    }
    refusals
}

fn out_of_pipeline(staging: &App, production: &App) -> Option<Refusal> {
    let both = [(Stage::Staging, staging), (Stage::Production, production)];
    if let Some((stage, _)) = both.into_iter().find(|(_, app)| app.place.is_none()) {
        return Some(Refusal::NoPipeline(stage));
    }
    let (from, to) = (staging.place.as_ref()?, production.place.as_ref()?);
    let fits = from.pipeline == to.pipeline && from.stage == "staging" && to.stage == "production";
    (!fits).then(|| {
        Refusal::OtherPipeline(format!(
            "{} is the {} of {}, and {} the {} of {}",
            staging.name, from.stage, from.pipeline, production.name, to.stage, to.pipeline
        ))
    })
}

/// What stands out, and does not stand against a promotion.
pub fn notes(stages: &Stages) -> Vec<String> {
    let mut notes = Vec::new();
    let both = [(Stage::Staging, &stages.staging), (Stage::Production, &stages.production)];
    for (stage, seen) in both {
        let told = seen.answer.running.as_ref().ok().and_then(|told| told.environment.as_deref());
        if let Some(told) = told.filter(|told| *told != stage.name()) {
            notes.push(format!(
                "{} is the {stage} of the pipeline, and says that it is {told}: see APP_ENV",
                seen.app.name
            ));
        }
    }
    let production = &stages.production;
    if let Some(release) = production.history.running() {
        if let Some(trouble) = trouble(&production.processes, release.version) {
            notes.push(format!("production is not well as it is: {trouble}"));
        } else if let Err(why) = &production.answer.health {
            notes.push(format!("production is not well as it is: {why}"));
        }
    }
    let others = production.app.place.iter().flat_map(|place| &place.productions);
    let others: Vec<_> = others.filter(|name| **name != production.app.name).cloned().collect();
    if !others.is_empty() {
        notes.push(format!(
            "the pipeline has more production apps, which stay as they are: {} (--to chooses)",
            others.join(", ")
        ));
    }
    notes.extend(process_types(stages));
    notes
}

/// Which process types come and go.
fn process_types(stages: &Stages) -> Option<String> {
    let of = |seen: &Observed| -> Option<BTreeSet<String>> {
        Some(seen.slug.as_ref()?.processes.keys().cloned().collect())
    };
    let (new, old) = (of(&stages.staging)?, of(&stages.production)?);
    let told = [("new", &new - &old), ("gone", &old - &new)];
    let told = told.into_iter().filter(|(_, kinds)| !kinds.is_empty()).map(|(what, kinds)| {
        format!("{what} {}", kinds.into_iter().collect::<Vec<_>>().join(", "))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    (!told.is_empty()).then(|| format!("process types: {told}"))
}

/// The names of the config vars that one app has and the other lacks: staging's, then production's.
pub fn only_on_one(staging: &App, production: &App) -> (BTreeSet<String>, BTreeSet<String>) {
    let (staging, production) = (&staging.variables, &production.variables);
    (staging - production, production - staging)
}

fn has_crashed(processes: &Processes) -> bool {
    let should_run = |kind: &str| processes.wanted.get(kind).is_some_and(|&wanted| wanted > 0);
    processes.dynos.iter().any(|dyno| dyno.state == "crashed" && should_run(&dyno.kind))
}

/// What keeps a release from being the one that all dynos run; nothing when each that should be there is up on it.
pub fn trouble(processes: &Processes, release: u64) -> Option<String> {
    for (kind, &wanted) in &processes.wanted {
        let dynos = processes.dynos.iter().filter(|dyno| dyno.kind == *kind && wanted > 0);
        for dyno in dynos.clone() {
            if dyno.release != release {
                return Some(format!("{} runs v{}", dyno.name, dyno.release));
            }
            // An Eco dyno that sleeps wakes up with the first request.
            if !["up", "idle"].contains(&dyno.state.as_str()) {
                return Some(format!("{} is {}", dyno.name, dyno.state));
            }
        }
        let there = dynos.count() as u64;
        if there < wanted {
            return Some(format!("{there} of {wanted} {kind} dynos are there"));
        }
    }
    let has_web = processes.wanted.get("web").is_some_and(|&wanted| wanted > 0);
    (!has_web).then(|| "no web dyno is to run".to_owned())
}

/// What one look at production showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// What we wait for, and it is well.
    Well,
    /// Something else still answers, or some dynos are not there yet.
    NotYet,
    /// Nothing answers, or it is not well.
    Ill,
}

/// How far a build is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It does not answer, or not alone.
    Waiting,
    /// It has answered well for so long.
    Soaking(Duration),
    /// It has arrived.
    Arrived,
    /// It was well, and fails too often to be left there.
    Failing,
}

/// Waits until all looks of some seconds in a row are good. Behind the router there may be dynos of the old release
/// and of the new one, sick ones and well ones, which take turns: that a few looks in a row are good is chance.
#[derive(Debug)]
pub struct Soak {
    length: Duration,
    began: Option<Duration>,
    good: u64,
    was_well: bool,
    failures: usize,
}

impl Soak {
    /// However short the soak: so many looks have to be good.
    pub const FEWEST: u64 = 5;

    /// So often a build that was well already may fail: one lost packet is no reason to go back.
    pub const FAILURES: usize = 3;

    /// One of this length.
    pub fn of(length: Duration) -> Self {
        Self { length, began: None, good: 0, was_well: false, failures: 0 }
    }

    /// Takes in one more look, at this time since the first.
    pub fn saw(&mut self, at: Duration, look: Look) -> Progress {
        if look != Look::Well {
            self.failures += usize::from(look == Look::Ill && self.was_well);
            (self.began, self.good) = (None, 0);
            let is_failing = self.failures > Self::FAILURES;
            return if is_failing { Progress::Failing } else { Progress::Waiting };
        }
        self.was_well = true;
        self.good += 1;
        let lasted = at.saturating_sub(*self.began.get_or_insert(at));
        // One a second, however slow the answers are: chance is beaten by looks, not by time.
        let looks = self.length.as_secs().max(Self::FEWEST);
        let is_enough = lasted >= self.length && self.good >= looks;
        if is_enough { Progress::Arrived } else { Progress::Soaking(lasted) }
    }
}

#[cfg(test)]
mod tests;
