//! The judgement, held to stages that are made up.

use super::*;
use crate::platform::{Dyno, History, Release, Slug, Status};
use crate::running::Running;
use crate::site::Answer;
use crate::stage::Place;

fn release(version: u64, slug: &str) -> Release {
    Release {
        id: format!("{slug}-{version}"),
        version,
        slug: Some(slug.to_owned()),
        status: Status::Succeeded,
        by: "me@example.com".to_owned(),
        description: "Deploy".to_owned(),
    }
}

fn dyno(name: &str, state: &str, release: u64) -> Dyno {
    let kind = name.split('.').next().unwrap().to_owned();
    Dyno { name: name.to_owned(), kind, state: state.to_owned(), release }
}

/// A stage that runs this build, as its third release, and is well.
fn stage(build: &str, stage: Stage) -> Observed {
    let running = Running {
        build: build.to_owned(),
        commit: Some("c0ffee0".to_owned()),
        ..Running::default()
    };
    let place = Place {
        pipeline: "myapp".to_owned(),
        stage: stage.name().to_owned(),
        productions: vec!["production".to_owned()],
    };
    Observed {
        app: App {
            name: stage.name().to_owned(),
            address: String::new(),
            is_in_maintenance: false,
            place: Some(place),
            variables: BTreeSet::new(),
            password: None,
        },
        history: History { releases: vec![release(3, build)], current: Some(3) },
        slug: Some(Slug {
            commit: None,
            processes: [("web".to_owned(), "./app".to_owned())].into(),
        }),
        processes: Processes {
            wanted: [("web".to_owned(), 1)].into(),
            dynos: vec![dyno("web.1", "up", 3)],
        },
        answer: Answer { running: Ok(running), health: Ok(()) },
    }
}

/// Both in one pipeline, with other builds.
fn pair() -> Stages {
    let (staging, production) = (stage("new", Stage::Staging), stage("old", Stage::Production));
    Stages { staging, production, distance: None }
}

fn silent(mut seen: Observed) -> Observed {
    seen.answer = Answer {
        running: Err("/release answers 404".to_owned()),
        health: Err("/health answers 404".to_owned()),
    };
    seen
}

fn empty(seen: Observed) -> Observed {
    let mut seen = silent(seen);
    seen.history = History::default();
    seen.slug = None;
    seen.processes = Processes::default();
    seen
}

fn apart(ahead: usize, behind: usize) -> Distance {
    Distance { ahead, behind }
}

fn refused(stages: &Stages) -> Vec<Refusal> {
    refusals(stages, &[], None)
}

#[test]
fn the_same_build_is_in_step_whatever_git_says() {
    for distance in [None, Some(apart(0, 0)), Some(apart(2, 1))] {
        let (staging, production) = (stage("a", Stage::Staging), stage("a", Stage::Production));
        let stages = Stages { staging, production, distance };
        assert_eq!(step(&stages), Step::Same);
        assert!(nothing_to_promote(&stages));
    }
}

#[test]
fn other_builds_are_not_in_step_and_git_says_how_far_apart() {
    for (distance, expected, lost, words) in [
        (Some(apart(1, 0)), Step::Ahead(1), 0, "staging is ahead by 1 commit"),
        (Some(apart(2, 0)), Step::Ahead(2), 0, "staging is ahead by 2 commits"),
        (Some(apart(0, 3)), Step::Behind(3), 3, "staging is behind production by 3 commits"),
        (
            Some(apart(2, 1)),
            Step::Apart(apart(2, 1)),
            1,
            "staging is ahead by 2 commits, and lacks 1 of production's",
        ),
        (
            Some(apart(0, 0)),
            Step::BuiltTwice,
            0,
            "both run the same commit, but each a build of its own",
        ),
        (None, Step::Differ, 0, "production runs another build than staging"),
    ] {
        let stages = Stages { distance, ..pair() };
        assert_eq!(step(&stages), expected);
        assert_eq!(step(&stages).to_string(), words);
        assert_eq!(step(&stages).lost(), lost);
    }
}

#[test]
fn a_build_with_uncommitted_changes_is_not_called_the_same_commit() {
    let mut stages = Stages { distance: Some(apart(0, 0)), ..pair() };
    stages.staging.answer.running.as_mut().unwrap().commit = Some("c0ffee0-dirty".to_owned());
    assert_eq!(step(&stages), Step::Uncommitted);
}

#[test]
fn a_silent_stage_is_silent_and_an_empty_one_empty() {
    let Stages { staging, production, .. } = pair();
    let stages =
        Stages { staging: silent(staging.clone()), production: production.clone(), distance: None };
    assert_eq!(step(&stages), Step::Silent(Stage::Staging));
    assert_eq!(refused(&stages), [Refusal::Unknown("/release answers 404".to_owned())]);
    let stages =
        Stages { staging: staging.clone(), production: silent(production.clone()), distance: None };
    assert_eq!(step(&stages), Step::Silent(Stage::Production));
    assert_eq!(refused(&stages), []);
    let stages = Stages { staging: staging.clone(), production: empty(production), distance: None };
    assert_eq!(step(&stages), Step::Empty(Stage::Production));
    assert_eq!(refused(&stages), [], "the first promotion goes to a production where nothing runs");
    let stages =
        Stages { production: empty(staging.clone()), staging: empty(staging), distance: None };
    assert_eq!(step(&stages), Step::Empty(Stage::Staging));
    assert_eq!(refused(&stages)[0], Refusal::NothingOnStaging);
}

#[test]
fn a_healthy_staging_with_another_build_may_be_promoted() {
    assert_eq!(refused(&pair()), []);
    assert!(!nothing_to_promote(&pair()));
}

#[test]
fn a_production_that_does_not_answer_but_has_the_slug_already_gets_no_second_one() {
    let mut stages = pair();
    stages.production = silent(stage("new", Stage::Production));
    assert!(nothing_to_promote(&stages));
}

#[test]
fn what_stands_against_a_promotion_is_told_all_at_once() {
    let mut stages = pair();
    stages.staging.answer.health = Err("/health answers 409".to_owned());
    stages.staging.slug.as_mut().unwrap().processes.clear();
    stages.production.app.is_in_maintenance = true;
    stages.production.processes.wanted.insert("web".to_owned(), 0);
    stages.production.app.place = None;
    let wanted = Required { name: "DOORS".to_owned(), value: Proposal::None };
    let refused = refusals(&stages, std::slice::from_ref(&wanted), None);
    let expected = [
        Refusal::Unhealthy("/health answers 409".to_owned()),
        Refusal::NoWebProcess,
        Refusal::Maintenance,
        Refusal::NoWebDyno,
        Refusal::NoPipeline(Stage::Production),
        Refusal::Lacks(vec![wanted]),
    ];
    assert_eq!(refused, expected);
}

#[test]
fn nothing_is_promoted_while_a_release_is_not_out_or_a_dyno_not_up() {
    for stage in Stage::ALL {
        let mut stages = pair();
        let seen = match stage {
            Stage::Staging => &mut stages.staging,
            Stage::Production => &mut stages.production,
        };
        seen.history.releases.insert(0, Release { status: Status::Pending, ..release(4, "x") });
        let told = "v4 by me@example.com: Deploy".to_owned();
        assert_eq!(refused(&stages), [Refusal::InFlight(stage, told)]);
    }
    for (dyno, why) in [
        (dyno("web.1", "starting", 3), "web.1 is starting"),
        (dyno("web.1", "up", 2), "web.1 runs v2"),
    ] {
        let mut stages = pair();
        stages.staging.processes.dynos = vec![dyno];
        assert_eq!(refused(&stages), [Refusal::Unsettled(why.to_owned())]);
    }
    let mut stages = pair();
    stages.staging.processes.dynos = vec![dyno("web.1", "crashed", 3)];
    assert_eq!(refused(&stages), [Refusal::Crashed("web.1 is crashed".to_owned())]);
    let mut stages = pair();
    stages.staging.answer.running.as_mut().unwrap().release = Some("v2".to_owned());
    assert_eq!(
        refused(&stages),
        [Refusal::Unsettled("it answers v2, its release is v3".to_owned())]
    );
}

#[test]
fn only_what_is_expected_is_promoted() {
    let mut stages = pair();
    let running = stages.staging.answer.running.as_mut().unwrap();
    running.build = "sha256:0123456789abcdef0123".to_owned();
    for expected in ["c0ffee0", "sha256:0123456789abcdef", "sha256:0123456789ABCDEF01"] {
        let expected: Expected = expected.parse().unwrap();
        assert_eq!(refusals(&stages, &[], Some(&expected)), []);
    }
    for expected in ["c0ffee1", "sha256:0123456789abcdee", "c0ffee0c0ffee0"] {
        let expected: Expected = expected.parse().unwrap();
        assert_eq!(refusals(&stages, &[], Some(&expected)), [Refusal::NotExpected(expected)]);
    }
    for wrong in ["c0ffee", "main", "sha256:0123", "", "--yes"] {
        wrong.parse::<Expected>().unwrap_err();
    }
    // With changes that no commit has, it is not that commit.
    stages.staging.answer.running.as_mut().unwrap().commit = Some("c0ffee0-dirty".to_owned());
    let expected: Expected = "c0ffee0".parse().unwrap();
    assert_eq!(refusals(&stages, &[], Some(&expected)), [Refusal::NotExpected(expected)]);
}

#[test]
fn both_must_be_in_one_pipeline_at_their_stages() {
    let place = |pipeline: &str, stage: &str| {
        Some(Place { pipeline: pipeline.to_owned(), stage: stage.to_owned(), productions: vec![] })
    };
    for (staging, production) in [
        (place("myapp", "staging"), place("other", "production")),
        (place("myapp", "development"), place("myapp", "production")),
        (place("myapp", "staging"), place("myapp", "staging")),
    ] {
        let mut stages = pair();
        (stages.staging.app.place, stages.production.app.place) = (staging, production);
        let refused = refused(&stages);
        assert!(matches!(refused[..], [Refusal::OtherPipeline(_)]), "{refused:?}");
    }
}

#[test]
fn a_variable_that_production_has_is_not_missing() {
    let mut stages = pair();
    let wanted = [Required { name: "DOORS".to_owned(), value: Proposal::Value("19".to_owned()) }];
    assert_eq!(refusals(&stages, &wanted, None), [Refusal::Lacks(wanted.to_vec())]);
    stages.production.app.variables.insert("DOORS".to_owned());
    assert_eq!(refusals(&stages, &wanted, None), []);
}

#[test]
fn app_json_requires_what_it_does_not_say_is_optional() {
    let app_json = r#"{"env": {
        "PLAIN": "value", "DOORS": {"description": "When"}, "STAGE": {"value": "production"},
        "KEY": {"generator": "secret"}, "OPTIONAL": {"required": false, "value": "x"}
    }}"#;
    let required = required(app_json).unwrap();
    let names: Vec<_> = required.iter().map(|required| required.name.as_str()).collect();
    assert_eq!(names, ["DOORS", "KEY", "PLAIN", "STAGE"]);
    assert_eq!(required[0].value, Proposal::None);
    assert_eq!(required[1].value, Proposal::Secret);
    assert_eq!(required[3].value, Proposal::Value("production".to_owned()));
    assert_eq!(super::required("{}").unwrap(), []);
    super::required("[").unwrap_err();
}

#[test]
fn what_stands_out_is_said() {
    let mut stages = pair();
    stages.staging.answer.running.as_mut().unwrap().environment = Some("production".to_owned());
    stages.production.app.place.as_mut().unwrap().productions.push("production-eu".to_owned());
    stages.production.processes.dynos = vec![dyno("web.1", "crashed", 3)];
    stages
        .staging
        .slug
        .as_mut()
        .unwrap()
        .processes
        .insert("worker".to_owned(), "./worker".to_owned());
    let notes = notes(&stages).join("\n");
    for expected in [
        "staging is the staging of the pipeline, and says that it is production",
        "production is not well as it is: web.1 is crashed",
        "more production apps, which stay as they are: production-eu",
        "process types: new worker",
    ] {
        assert!(notes.contains(expected), "{expected}: {notes}");
    }
}

#[test]
fn each_dyno_that_should_run_has_to_be_up_on_the_release() {
    let wanted = [("web".to_owned(), 2), ("worker".to_owned(), 1), ("clock".to_owned(), 0)];
    let with = |dynos: Vec<Dyno>| Processes { wanted: wanted.clone().into(), dynos };
    let (first, second) = (dyno("web.1", "up", 7), dyno("web.2", "up", 7));
    let worker = dyno("worker.1", "idle", 7);
    let old_clock = dyno("clock.1", "crashed", 5);
    let run = dyno("run.4859", "up", 6);
    let all = vec![first.clone(), second.clone(), worker.clone(), old_clock, run];
    assert_eq!(trouble(&with(all), 7), None);
    for (dynos, why) in [
        (vec![first.clone(), worker.clone()], "1 of 2 web dynos are there"),
        (vec![first.clone(), dyno("web.2", "up", 6), worker], "web.2 runs v6"),
        (vec![first, second, dyno("worker.1", "crashed", 7)], "worker.1 is crashed"),
    ] {
        assert_eq!(trouble(&with(dynos), 7).as_deref(), Some(why));
    }
    assert_eq!(trouble(&Processes::default(), 7).as_deref(), Some("no web dyno is to run"));
}

/// Looks at once a second: `+` well, `.` not yet, `-` ill.
fn looks(soak: &mut Soak, looks: &str) -> Progress {
    let mut progress = Progress::Waiting;
    for (second, look) in looks.chars().enumerate() {
        let look = match look {
            '+' => Look::Well,
            '-' => Look::Ill,
            _ => Look::NotYet,
        };
        assert!(!matches!(progress, Progress::Arrived | Progress::Failing), "too early: {soak:?}");
        progress = soak.saw(Duration::from_secs(second as u64), look);
    }
    progress
}

fn soak() -> Soak {
    Soak::of(Duration::from_secs(6))
}

#[test]
fn a_build_has_arrived_when_each_look_of_the_whole_soak_is_good() {
    assert_eq!(looks(&mut soak(), "--..++++++"), Progress::Soaking(Duration::from_secs(5)));
    assert_eq!(looks(&mut soak(), "--..+++++++"), Progress::Arrived);
    // Five in a row are not enough, and one of the old release begins it anew.
    assert_eq!(looks(&mut soak(), "+++++.++++++"), Progress::Soaking(Duration::from_secs(5)));
    assert_eq!(looks(&mut soak(), "+++++.+++++++"), Progress::Arrived);
}

#[test]
fn however_short_the_soak_one_look_is_not_enough() {
    let mut soak = Soak::of(Duration::ZERO);
    assert_eq!(looks(&mut soak, "++++"), Progress::Soaking(Duration::from_secs(3)));
    assert_eq!(soak.saw(Duration::from_secs(4), Look::Well), Progress::Arrived);
}

#[test]
fn slow_answers_make_the_soak_longer_not_the_looks_fewer() {
    let mut soak = soak();
    for second in [0, 5, 10, 15, 20] {
        let progress = soak.saw(Duration::from_secs(second), Look::Well);
        assert_eq!(progress, Progress::Soaking(Duration::from_secs(second)));
    }
    assert_eq!(soak.saw(Duration::from_secs(25), Look::Well), Progress::Arrived);
}

#[test]
fn a_build_that_was_well_and_fails_too_often_is_not_left_there() {
    // As with one of two dynos ill.
    assert_eq!(looks(&mut soak(), "+-++--+"), Progress::Soaking(Duration::ZERO));
    assert_eq!(looks(&mut soak(), "+-++--.-"), Progress::Failing);
    // One that has never been well may still be starting.
    assert_eq!(looks(&mut soak(), "--------"), Progress::Waiting);
}

#[test]
fn variables_of_one_app_alone_are_told_by_name() {
    let mut stages = pair();
    stages.staging.app.variables = ["APP_ENV", "PREVIEW_PASSWORD"].map(str::to_owned).into();
    stages.production.app.variables = ["APP_ENV", "SITE_URL"].map(str::to_owned).into();
    let (on_staging, on_production) = only_on_one(&stages.staging.app, &stages.production.app);
    assert_eq!(on_staging, ["PREVIEW_PASSWORD".to_owned()].into());
    assert_eq!(on_production, ["SITE_URL".to_owned()].into());
}
