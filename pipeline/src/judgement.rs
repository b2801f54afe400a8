//! The judgement: are the stages in step, may staging be promoted, has it arrived? Of plain values alone.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use crate::release::Release;
use crate::stage::{App, Stage};

/// A stage: its app, and what that app answers.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The app.
    pub app: App,
    /// What `/release` answers, or why it does not.
    pub release: Result<Release, String>,
    /// Whether `/health` answers 200.
    pub healthy: bool,
}

impl Seen {
    /// The digest of the running executable.
    pub fn build(&self) -> Option<&str> {
        self.release.as_ref().ok().map(|release| release.build.as_str())
    }

    /// The commit that was built, where it is known.
    pub fn commit(&self) -> Option<&str> {
        self.release.as_ref().ok()?.commit.as_deref()
    }
}

/// How many commits lie between two: those that only the one has, and those that only the other has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Only staging has these.
    pub ahead: usize,
    /// Only production has these.
    pub behind: usize,
}

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

/// How the stages stand to each other: by the digest of what runs, which alone proves anything. Commits, by
/// `distance` from production to staging, only say how far apart they are.
pub fn step(staging: &Seen, production: &Seen, distance: Option<Distance>) -> Step {
    let (Ok(on_staging), Ok(on_production)) = (&staging.release, &production.release) else {
        let both = [(Stage::Staging, staging), (Stage::Production, production)];
        let empty = both.iter().find(|(_, seen)| !seen.app.has_slug);
        let silent = if staging.release.is_err() { Stage::Staging } else { Stage::Production };
        return empty.map_or(Step::Silent(silent), |&(stage, _)| Step::Empty(stage));
    };
    if on_staging.build == on_production.build {
        return Step::Same;
    }
    match distance {
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

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Same => f.write_str("production runs what staging runs"),
            Self::Ahead(n) => write!(f, "staging is ahead by {}", commits(n)),
            Self::Behind(n) => write!(f, "staging is behind production by {}", commits(n)),
            Self::Apart(Distance { ahead, behind }) => {
                write!(
                    f,
                    "staging is ahead by {}, and lacks {behind} of production's",
                    commits(ahead)
                )
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

/// What a rehearsal writes behind the commit where there are changes that are not committed.
const DIRTY: &str = "-dirty";

fn is_dirty(commit: &str) -> bool {
    commit.ends_with(DIRTY)
}

/// The commit, without the changes that were not committed.
pub fn committed(commit: &str) -> &str {
    commit.trim_end_matches(DIRTY)
}

/// A number of commits, in words.
pub fn commits(n: usize) -> String {
    if n == 1 { "1 commit".to_owned() } else { format!("{n} commits") }
}

/// A variable that a build can't do without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Its name.
    pub name: String,
    /// The value that `app.json` proposes.
    pub value: Option<String>,
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
        Object { value: Option<String>, required: Option<bool> },
    }
    let AppJson { env } = serde_json::from_str(app_json)?;
    let wanted = env.into_iter().filter_map(|(name, entry)| match entry {
        Entry::Value(value) => Some(Required { name, value: Some(value) }),
        Entry::Object { required: Some(false), .. } => None,
        Entry::Object { value, .. } => Some(Required { name, value }),
    });
    Ok(wanted.collect())
}

/// Why staging may not be promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was ever released on staging.
    NothingOnStaging,
    /// It is not known what would be promoted.
    Unknown(String),
    /// Staging is not healthy.
    Unhealthy,
    /// Production runs this very build.
    NothingToPromote,
    /// This app is in no pipeline.
    NoPipeline(String),
    /// The apps are in other pipelines, or at other stages, than a promotion needs.
    OtherPipeline(String),
    /// Production lacks variables that the build requires.
    Lacks(Vec<Required>),
}

/// Every reason why staging may not be promoted: none when it may.
pub fn refusals(staging: &Seen, production: &Seen, required: &[Required]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if !staging.app.has_slug {
        refusals.push(Refusal::NothingOnStaging);
    } else if let Err(why) = &staging.release {
        refusals.push(Refusal::Unknown(why.clone()));
    } else if !staging.healthy {
        refusals.push(Refusal::Unhealthy);
    }
    if staging.build().is_some() && staging.build() == production.build() {
        refusals.push(Refusal::NothingToPromote);
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
    let missing = [staging, production].into_iter().find(|app| app.pipeline.is_none());
    if let Some(app) = missing {
        return Some(Refusal::NoPipeline(app.name.clone()));
    }
    let ((from, source), (to, target)) =
        (staging.pipeline.as_ref()?, production.pipeline.as_ref()?);
    (from != to || source != "staging" || target != "production").then(|| {
        Refusal::OtherPipeline(format!(
            "{} is the {source} of {from}, and {} the {target} of {to}",
            staging.name, production.name
        ))
    })
}

/// Whether a build has arrived: it, and nothing else, has to answer several times in a row. Behind the router
/// there may be dynos of the old release and of the new one, which take turns.
#[derive(Debug)]
pub struct Arrival {
    build: String,
    in_a_row: usize,
}

impl Arrival {
    /// How often. With two dynos of which one is old, chance alone gives five in one of 32 tries.
    pub const IN_A_ROW: usize = 5;

    /// Waits for this build.
    pub fn of(build: &str) -> Self {
        Self { build: build.to_owned(), in_a_row: 0 }
    }

    /// Takes in one more answer. True when the build has arrived.
    pub fn saw(&mut self, build: Option<&str>, healthy: bool) -> bool {
        self.in_a_row = if build == Some(&self.build) && healthy { self.in_a_row + 1 } else { 0 };
        self.in_a_row >= Self::IN_A_ROW
    }

    /// How many in a row there are so far.
    pub fn in_a_row(&self) -> usize {
        self.in_a_row
    }
}

/// The names of the config vars that one app has and the other lacks: staging's, then production's.
pub fn only_on_one(staging: &App, production: &App) -> (BTreeSet<String>, BTreeSet<String>) {
    let (staging, production) = (&staging.variables, &production.variables);
    (staging - production, production - staging)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(build: &str) -> Seen {
        let release = Release {
            message: Some("Tonight".to_owned()),
            environment: Some("staging".to_owned()),
            version: Some("1.0.0".to_owned()),
            build: build.to_owned(),
            commit: Some("c0ffee".to_owned()),
            app: None,
            release: None,
            released_at: None,
        };
        let app = App {
            name: "myapp".to_owned(),
            address: String::new(),
            has_slug: true,
            pipeline: None,
            variables: BTreeSet::new(),
            password: None,
        };
        Seen { app, release: Ok(release), healthy: true }
    }

    fn in_pipeline(build: &str, name: &str, stage: &str) -> Seen {
        let mut seen = seen(build);
        seen.app.pipeline = Some((name.to_owned(), stage.to_owned()));
        seen
    }

    /// Both in one pipeline, with other builds.
    fn pair() -> (Seen, Seen) {
        (in_pipeline("new", "myapp", "staging"), in_pipeline("old", "myapp", "production"))
    }

    fn apart(ahead: usize, behind: usize) -> Distance {
        Distance { ahead, behind }
    }

    #[test]
    fn the_same_build_is_in_step_whatever_git_says() {
        for distance in [None, Some(apart(0, 0)), Some(apart(2, 1))] {
            assert_eq!(step(&seen("a"), &seen("a"), distance), Step::Same);
        }
    }

    #[test]
    fn other_builds_are_not_in_step_and_git_says_how_far_apart() {
        for (distance, expected, words) in [
            (Some(apart(1, 0)), Step::Ahead(1), "staging is ahead by 1 commit"),
            (Some(apart(2, 0)), Step::Ahead(2), "staging is ahead by 2 commits"),
            (Some(apart(0, 3)), Step::Behind(3), "staging is behind production by 3 commits"),
            (
                Some(apart(0, 0)),
                Step::BuiltTwice,
                "both run the same commit, but each a build of its own",
            ),
            (None, Step::Differ, "production runs another build than staging"),
        ] {
            let step = step(&seen("a"), &seen("b"), distance);
            assert_eq!(step, expected);
            assert_eq!(step.to_string(), words);
        }
        let step = step(&seen("a"), &seen("b"), Some(apart(2, 1)));
        assert_eq!(step.to_string(), "staging is ahead by 2 commits, and lacks 1 of production's");
    }

    #[test]
    fn a_build_with_uncommitted_changes_is_not_called_the_same_commit() {
        let mut staging = seen("a");
        staging.release.as_mut().unwrap().commit = Some("c0ffee-dirty".to_owned());
        assert_eq!(step(&staging, &seen("b"), Some(apart(0, 0))), Step::Uncommitted);
    }

    #[test]
    fn of_a_silent_stage_nobody_can_tell() {
        let mut silent = seen("a");
        silent.release = Err("/release answers 404".to_owned());
        assert_eq!(step(&silent, &seen("a"), None), Step::Silent(Stage::Staging));
        assert_eq!(step(&seen("a"), &silent, None), Step::Silent(Stage::Production));
    }

    #[test]
    fn where_nothing_was_ever_released_a_stage_is_empty_not_silent() {
        let mut empty = seen("a");
        empty.release = Err("/release answers 404".to_owned());
        empty.app.has_slug = false;
        assert_eq!(step(&seen("a"), &empty, None), Step::Empty(Stage::Production));
        assert_eq!(step(&empty, &empty, None), Step::Empty(Stage::Staging));
    }

    #[test]
    fn a_healthy_staging_with_another_build_may_be_promoted() {
        let (staging, production) = pair();
        assert_eq!(refusals(&staging, &production, &[]), []);
    }

    #[test]
    fn a_first_promotion_may_go_to_a_production_where_nothing_runs() {
        let (staging, mut production) = pair();
        production.release = Err("/release answers 404".to_owned());
        production.healthy = false;
        assert_eq!(refusals(&staging, &production, &[]), []);
    }

    #[test]
    fn what_stands_against_a_promotion_is_told_all_at_once() {
        let mut staging = seen("same");
        staging.healthy = false;
        let wanted = Required { name: "DOORS".to_owned(), value: None };
        let refused = refusals(&staging, &seen("same"), std::slice::from_ref(&wanted));
        let expected = [
            Refusal::Unhealthy,
            Refusal::NothingToPromote,
            Refusal::NoPipeline("myapp".to_owned()),
            Refusal::Lacks(vec![wanted]),
        ];
        assert_eq!(refused, expected);
    }

    #[test]
    fn what_staging_runs_must_be_known() {
        let (mut staging, production) = pair();
        staging.release = Err("/release answers 401".to_owned());
        let refused = refusals(&staging, &production, &[]);
        assert_eq!(refused, [Refusal::Unknown("/release answers 401".to_owned())]);
    }

    #[test]
    fn both_must_be_in_one_pipeline_at_their_stages() {
        let (staging, production) = pair();
        for (staging, production) in [
            (&staging, &in_pipeline("old", "other", "production")),
            (&in_pipeline("new", "myapp", "development"), &production),
            (&staging, &in_pipeline("old", "myapp", "staging")),
        ] {
            let refused = refusals(staging, production, &[]);
            assert!(matches!(refused[..], [Refusal::OtherPipeline(_)]), "{refused:?}");
        }
    }

    #[test]
    fn a_variable_that_production_has_is_not_missing() {
        let (staging, mut production) = pair();
        let wanted = [Required { name: "DOORS".to_owned(), value: Some("19".to_owned()) }];
        assert_eq!(refusals(&staging, &production, &wanted), [Refusal::Lacks(wanted.to_vec())]);
        production.app.variables.insert("DOORS".to_owned());
        assert_eq!(refusals(&staging, &production, &wanted), []);
    }

    #[test]
    fn app_json_requires_what_it_does_not_say_is_optional() {
        let app_json = r#"{"env": {
            "PLAIN": "value", "DOORS": {"description": "When"}, "STAGE": {"value": "production"},
            "FORCED": {"required": true}, "OPTIONAL": {"required": false, "value": "x"}
        }}"#;
        let required = required(app_json).unwrap();
        let names: Vec<_> = required.iter().map(|required| required.name.as_str()).collect();
        assert_eq!(names, ["DOORS", "FORCED", "PLAIN", "STAGE"]);
        assert_eq!(required[3].value.as_deref(), Some("production"));
        assert_eq!(super::required("{}").unwrap(), []);
        super::required("[").unwrap_err();
    }

    #[test]
    fn a_build_has_arrived_when_it_alone_answers_five_times_in_a_row() {
        let mut arrival = Arrival::of("new");
        let answers = ["new", "new", "new", "new", "old", "new", "new", "new", "new"];
        for build in answers {
            assert!(!arrival.saw(Some(build), true), "{arrival:?}");
        }
        assert!(arrival.saw(Some("new"), true));
    }

    #[test]
    fn a_build_that_is_not_healthy_or_does_not_answer_has_not_arrived() {
        let mut arrival = Arrival::of("new");
        for _ in 0..20 {
            assert!(!arrival.saw(Some("new"), false));
            assert!(!arrival.saw(None, true));
        }
    }

    #[test]
    fn variables_of_one_app_alone_are_told_by_name() {
        let (mut staging, mut production) = pair();
        staging.app.variables = ["APP_ENV", "PREVIEW_PASSWORD"].map(str::to_owned).into();
        production.app.variables = ["APP_ENV", "SITE_URL"].map(str::to_owned).into();
        let (on_staging, on_production) = only_on_one(&staging.app, &production.app);
        assert_eq!(on_staging, ["PREVIEW_PASSWORD".to_owned()].into());
        assert_eq!(on_production, ["SITE_URL".to_owned()].into());
    }
}
