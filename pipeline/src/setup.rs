//! `cargo pipeline setup`: from nothing to a working pipeline. It reads everything first, says what it found and
//! what is to be done, asks before it adopts what is there, and then types the commands that a person would.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;

use crate::api::Api;
use crate::exit::State;
use crate::failure::{Failure, system};
use crate::git::Repository;
use crate::heroku::{AppInfo, Named, config_vars, found};
use crate::interrupt::Interrupt;
use crate::options::SetupOptions;
use crate::random;
use crate::screen::Screen;
use crate::stage::Stage;
use crate::typed::{Typed, heroku, quoted};

/// What Heroku allows for an app's name is 30 characters, of which staging's needs eight more.
pub const LONGEST_NAME: usize = 30 - "-staging".len();

/// Before this version a promotion by hand that failed exited 0 (heroku/cli#3835).
const OLDEST: (u32, u32) = (11, 9);

/// It tells an app its name and its release: `/release` shows them.
const METADATA: &str = "runtime-dyno-metadata";

/// Bytes of staging's password: as many as `openssl rand -hex 16` makes.
const PASSWORD_BYTES: usize = 16;

/// What `app.json` asks for.
#[derive(Deserialize)]
struct AppJson {
    stack: String,
    buildpacks: Vec<Buildpack>,
}

#[derive(Deserialize)]
struct Buildpack {
    url: String,
}

/// An app that is there, and what it has.
struct Found {
    info: AppInfo,
    /// The pipeline, and the stage in it.
    place: Option<(String, String)>,
    buildpacks: Vec<String>,
    has_metadata: bool,
    variables: BTreeMap<String, String>,
}

/// What is to be done, and what stands against it.
#[derive(Default)]
struct Plan {
    /// What is there, and is as it should be.
    found: Vec<String>,
    /// What is there, is not as it should be, and is left as it is.
    off: Vec<String>,
    /// What makes it impossible.
    in_the_way: Vec<String>,
    /// What was made by somebody, and would be used.
    adopts: Vec<String>,
    /// What is missing.
    steps: Vec<Typed>,
}

/// Sets up what is missing. A run that was stopped anywhere is finished by the next.
pub fn set_up(options: &SetupOptions, screen: &Screen) -> Result<State, Failure> {
    check_name(&options.name)?;
    let repository = Repository::around()?;
    let app_json = read_app_json(&repository)?;
    let plan = Plan::read(options, &repository, &app_json, &Api::open()?)?;
    plan.found.iter().for_each(|found| screen.say(&format!("Found: {found}")));
    plan.off.iter().for_each(|off| screen.say(&format!("Left as it is: {off}")));
    if !plan.in_the_way.is_empty() {
        plan.in_the_way.iter().for_each(|what| screen.say(&format!("In the way: {what}")));
        screen.say("Nothing was changed.");
        return Ok(State::Refused);
    }
    if options.dry_run {
        plan.steps.iter().for_each(|step| screen.show(&step.shown()));
        screen.say("A dry run: nothing was changed.");
        return Ok(if plan.off.is_empty() { State::DryRun } else { State::LeftAsItIs });
    }
    if !plan.steps.is_empty() {
        let steps = plan.steps.iter().map(|step| format!("\n  {}", step.shown()));
        screen.say(&format!("To do:{}", steps.collect::<String>()));
        if !plan.adopts.is_empty() && !options.yes {
            let adopts = plan.adopts.join(", ");
            match screen.agrees(&format!("There already: {adopts}. Is that yours, and to be used?"))
            {
                Some(true) => {}
                Some(false) => {
                    screen.say("Not set up: you did not agree.\nNothing was changed.");
                    return Ok(State::Refused);
                }
                None => {
                    screen.say(&format!(
                        "Not set up: there is {adopts} already, and nobody can be asked here: add --yes.\nNothing was changed."
                    ));
                    return Ok(State::Refused);
                }
            }
        }
        check_version()?;
        let interrupt = Interrupt::note(|| {})?;
        if let Err(failure) = run_all(&plan.steps, &interrupt, screen) {
            screen.warn(&format!(
                "cargo pipeline: {failure}\nWhat was done stays. Run it again: {}",
                again(options)
            ));
            return Ok(State::NotReady);
        }
    }
    screen.say(&format!("The pipeline {} is ready. Next: {}", options.name, next(&repository)));
    Ok(if plan.off.is_empty() { State::Ready } else { State::LeftAsItIs })
}

/// One after another. Ctrl-C ends it between two: a command that has begun is not broken off by us.
fn run_all(steps: &[Typed], interrupt: &Interrupt, screen: &Screen) -> Result<(), Failure> {
    for step in steps {
        if interrupt.is_asked() {
            return Err(Failure::Stopped);
        }
        step.run(screen)?;
    }
    Ok(())
}

/// The command that does the rest: with the options that the rest depends on.
fn again(options: &SetupOptions) -> String {
    let mut words = vec!["cargo", "pipeline", "setup", &options.name];
    for (option, value) in [("--region", &options.region), ("--team", &options.team)] {
        words.extend(value.iter().flat_map(|value| [option, value]));
    }
    words.extend(options.yes.then_some("--yes"));
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The command that brings what this clone has to staging: Heroku builds `main`, whatever the branch is called here.
fn next(repository: &Repository) -> String {
    if !repository.has_commit() {
        return "git add --all && git commit, then git push staging HEAD:main".to_owned();
    }
    let is_main = repository.branch().is_some_and(|branch| branch == "main");
    let branch = if is_main { "main" } else { "HEAD:main" };
    format!("git push {} {branch}", Stage::Staging.remote())
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = (3..=LONGEST_NAME).contains(&name.len());
    if fits && begins && name.bytes().all(is_allowed) && !name.ends_with('-') {
        return Ok(());
    }
    Err(Failure::BadName(name.to_owned()))
}

/// The heroku command is needed for what changes something.
fn check_version() -> Result<(), Failure> {
    let text = heroku(&["--version"]).read(None)?;
    let version = text.split(['/', ' ']).nth(1).unwrap_or_default();
    let mut parts = version.split('.').map_while(|part| part.parse().ok());
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(()),
        (Some(_), Some(_)) => Err(Failure::TooOld(version.to_owned())),
        _ => {
            let why = format!("no version in {:?}", text.trim());
            Err(Failure::Unexpected { from: "heroku --version".to_owned(), why })
        }
    }
}

fn read_app_json(repository: &Repository) -> Result<AppJson, Failure> {
    let text = fs::read_to_string(repository.top().join("app.json"))
        .map_err(system("app.json can't be read, which has the stack and the buildpack"))?;
    serde_json::from_str(&text).map_err(|error| Failure::BadAppJson(error.to_string()))
}

fn app_name(options: &SetupOptions, stage: Stage) -> String {
    match stage {
        Stage::Staging => format!("{}-staging", options.name),
        Stage::Production => options.name.clone(),
    }
}

impl Plan {
    /// Reads all that is there, and changes nothing.
    fn read(
        options: &SetupOptions,
        repository: &Repository,
        app_json: &AppJson,
        api: &Api,
    ) -> Result<Self, Failure> {
        let mut plan = Self::default();
        let mut places = Vec::new();
        for stage in Stage::ALL {
            let name = app_name(options, stage);
            let found = match Found::read(&name, api) {
                Err(Failure::Answered { status: 403, .. }) => {
                    plan.in_the_way
                        .push(format!("the app {name} is someone else's. Choose another name"));
                    continue;
                }
                found => found?,
            };
            match &found {
                Some(found) => plan.use_app(options, stage, app_json, found),
                None => plan.create_app(options, stage, app_json),
            }
            plan.set_variables(stage, &name, found.as_ref())?;
            places.push(found.and_then(|found| found.place));
        }
        if let [staging, production] = &places[..] {
            plan.join_pipeline(options, [staging.as_ref(), production.as_ref()], api)?;
        }
        for stage in Stage::ALL {
            plan.add_remote(options, repository, stage)?;
        }
        Ok(plan)
    }

    fn create_app(&mut self, options: &SetupOptions, stage: Stage, app_json: &AppJson) {
        let name = app_name(options, stage);
        let mut words = vec!["apps:create", &name, "--no-remote", "--stack", &app_json.stack];
        if let Some(Buildpack { url }) = app_json.buildpacks.first() {
            words.extend(["--buildpack", url]);
        }
        for (option, value) in [("--region", &options.region), ("--team", &options.team)] {
            words.extend(value.iter().flat_map(|value| [option, value]));
        }
        self.steps.push(heroku(&words));
        self.add_buildpacks(&name, app_json.buildpacks.iter().skip(1));
        self.steps.push(heroku(&["labs:enable", METADATA, "--app", &name]));
    }

    fn add_buildpacks<'a>(&mut self, name: &str, urls: impl Iterator<Item = &'a Buildpack>) {
        let add = |Buildpack { url }: &Buildpack| heroku(&["buildpacks:add", url, "--app", name]);
        self.steps.extend(urls.map(add));
    }

    /// An app that is there gets what it lacks; what it has is left alone.
    fn use_app(&mut self, options: &SetupOptions, stage: Stage, app_json: &AppJson, found: &Found) {
        let name = app_name(options, stage);
        let steps = self.steps.len();
        self.found.push(format!("the app {name}"));
        let named =
            |named: &Option<Named>| named.as_ref().map_or("none", |named| &named.name).to_owned();
        self.compare(&name, "stack", &named(&found.info.stack), &app_json.stack);
        for (what, is, wanted) in [
            ("region", &found.info.region, &options.region),
            ("team", &found.info.team, &options.team),
        ] {
            if let Some(wanted) = wanted {
                self.compare(&name, what, &named(is), wanted);
            }
        }
        if found.buildpacks.is_empty() {
            self.add_buildpacks(&name, app_json.buildpacks.iter());
        } else {
            let wanted: Vec<_> =
                app_json.buildpacks.iter().map(|buildpack| buildpack.url.as_str()).collect();
            // The registry's address of emk/rust ends in its name.
            let same =
                |(is, wanted): (&String, &&str)| is.trim_end_matches(".tgz").ends_with(wanted);
            let is_same = found.buildpacks.len() == wanted.len()
                && found.buildpacks.iter().zip(&wanted).all(same);
            let is = if is_same { wanted.join(", ") } else { found.buildpacks.join(", ") };
            self.compare(&name, "buildpack", &is, &wanted.join(", "));
        }
        if found.has_metadata {
            self.found.push(format!("{METADATA} of {name}"));
        } else {
            self.steps.push(heroku(&["labs:enable", METADATA, "--app", &name]));
        }
        let lacks_variable = found.variables.get("APP_ENV").is_none_or(String::is_empty);
        if self.steps.len() > steps || lacks_variable || found.place.is_none() {
            self.adopts.push(format!("the app {name}"));
        }
    }

    fn compare(&mut self, name: &str, what: &str, is: &str, wanted: &str) {
        if is == wanted {
            self.found.push(format!("the {what} of {name} is {is}"));
        } else {
            self.off.push(format!("the {what} of {name} is {is}, not {wanted}"));
        }
    }

    /// All that is missing by one command: each `config:set` is a release of its own.
    fn set_variables(
        &mut self,
        stage: Stage,
        name: &str,
        found: Option<&Found>,
    ) -> Result<(), Failure> {
        // An empty variable is an unset one.
        let value = |variable: &str| {
            found.and_then(|found| found.variables.get(variable)).filter(|value| !value.is_empty())
        };
        let mut command = heroku(&["config:set"]);
        let mut lacks = false;
        if let Some(value) = value("APP_ENV") {
            self.compare(name, "APP_ENV", value, stage.name());
        } else {
            command = command.with(&[&format!("APP_ENV={stage}")]);
            lacks = true;
        }
        if stage == Stage::Staging {
            if value("PREVIEW_PASSWORD").is_some() {
                self.found.push(format!("PREVIEW_PASSWORD of {name}"));
            } else {
                let shown = "\"$(openssl rand -hex 16)\""; // what a person would type for the same
                command =
                    command.with_secret("PREVIEW_PASSWORD", random::digits(PASSWORD_BYTES)?, shown);
                lacks = true;
            }
        }
        if lacks {
            self.steps.push(command.with(&["--app", name]));
        }
        Ok(())
    }

    /// Both apps in one pipeline, each at its stage.
    fn join_pipeline(
        &mut self,
        options: &SetupOptions,
        places: [Option<&(String, String)>; 2],
        api: &Api,
    ) -> Result<(), Failure> {
        let mut pipeline = None;
        for (stage, place) in Stage::ALL.into_iter().zip(places) {
            let Some((name, at)) = place else { continue };
            let app = app_name(options, stage);
            if at != stage.name() || pipeline.is_some_and(|pipeline| pipeline != name) {
                let leave = heroku(&["pipelines:remove", "--app", &app]).shown();
                self.in_the_way.push(format!(
                    "{app} is the {at} of the pipeline {name}, which is not what it is to be here. To take it out: {leave}"
                ));
                continue;
            }
            self.found.push(format!("{app} is the {stage} of the pipeline {name}"));
            pipeline = Some(name);
        }
        if places.iter().all(Option::is_some) {
            return Ok(());
        }
        // One without apps stays behind where a run was stopped just then.
        let pipelines: Vec<Named> = api.get("/pipelines")?;
        let is_there = pipelines.iter().any(|found| found.name == options.name);
        if is_there && pipeline.is_none() {
            self.adopts.push(format!("the pipeline {}", options.name));
        }
        let mut exists = pipeline.is_some() || is_there;
        let pipeline = pipeline.unwrap_or(&options.name);
        for (stage, place) in Stage::ALL.into_iter().zip(places) {
            if place.is_some() {
                continue;
            }
            let verb = if exists { "pipelines:add" } else { "pipelines:create" };
            let app = app_name(options, stage);
            let mut words = vec![verb, pipeline, "--app", &app, "--stage", stage.name()];
            if let Some(team) = options.team.as_deref().filter(|_| !exists) {
                words.extend(["--team", team]);
            }
            self.steps.push(heroku(&words));
            exists = true;
        }
        Ok(())
    }

    /// The remote of a stage. One that leads elsewhere is in the way.
    fn add_remote(
        &mut self,
        options: &SetupOptions,
        repository: &Repository,
        stage: Stage,
    ) -> Result<(), Failure> {
        let (remote, wanted) = (stage.remote(), app_name(options, stage));
        match repository.app_of(stage) {
            Ok(None) => {
                self.steps.push(heroku(&["git:remote", "--app", &wanted, "--remote", remote]));
            }
            Ok(Some(app)) if app == wanted => self.found.push(format!("the remote {remote}, which leads to {app}")),
            Ok(Some(elsewhere)) | Err(Failure::OddRemote(_, elsewhere)) => self.in_the_way.push(format!(
                "the git remote `{remote}` leads to {elsewhere}, not to {wanted}. To make room: git remote rename \
                 {remote} old-{remote}"
            )),
            Err(failure) => return Err(failure),
        }
        Ok(())
    }
}

impl Found {
    /// What there is of this name; nothing where this account sees no such app.
    fn read(name: &str, api: &Api) -> Result<Option<Self>, Failure> {
        #[derive(Deserialize)]
        struct Installed {
            buildpack: Buildpack,
        }
        #[derive(Deserialize)]
        struct Feature {
            name: String,
            enabled: bool,
        }
        #[derive(Deserialize)]
        struct Coupling {
            pipeline: Pipeline,
            stage: String,
        }
        #[derive(Deserialize)]
        struct Pipeline {
            id: String,
        }
        let Some(info) = found(api.get::<AppInfo>(&format!("/apps/{name}")))? else {
            return Ok(None);
        };
        let installed: Vec<Installed> =
            api.get(&format!("/apps/{name}/buildpack-installations"))?;
        let features: Vec<Feature> = api.get(&format!("/apps/{name}/features"))?;
        let coupling: Option<Coupling> =
            found(api.get(&format!("/apps/{name}/pipeline-couplings")))?;
        let place = match coupling {
            Some(Coupling { pipeline, stage }) => {
                let Named { name } = api.get(&format!("/pipelines/{}", pipeline.id))?;
                Some((name, stage))
            }
            None => None,
        };
        Ok(Some(Self {
            info,
            place,
            buildpacks: installed.into_iter().map(|installed| installed.buildpack.url).collect(),
            has_metadata: features
                .iter()
                .any(|feature| feature.name == METADATA && feature.enabled),
            variables: config_vars(api, &format!("/apps/{name}/config-vars"))?,
        }))
    }
}
