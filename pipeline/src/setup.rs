//! `cargo pipeline setup`: from nothing to a working pipeline. Does what is missing, and leaves alone what is there.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;

use crate::command::{Command, heroku};
use crate::failure::{Failure, system};
use crate::git;
use crate::heroku::{change, config, info, ready};
use crate::stage::Stage;

/// What Heroku allows for an app's name is 30 characters, of which staging's needs eight more.
const LONGEST_NAME: usize = 30 - "-staging".len();

/// It tells an app its name and its release: `/release` shows them.
const METADATA: &str = "runtime-dyno-metadata";

/// Bytes of staging's password: as many as `openssl rand -hex 16` makes.
const PASSWORD_BYTES: usize = 16;

/// What to make.
pub struct Setup {
    /// Production's name, and the pipeline's. Staging is `NAME-staging`.
    pub name: String,
    /// Only show what would be done.
    pub dry_run: bool,
    /// The region of the apps, as `eu`; Heroku's default where there is none.
    pub region: Option<String>,
    /// The team that is to own them; else the user does.
    pub team: Option<String>,
}

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
#[derive(Default)]
struct Found {
    pipeline: Option<(String, String)>,
    has_buildpacks: bool,
    has_metadata: bool,
    variables: BTreeMap<String, String>,
}

impl Setup {
    /// Makes it. A run that was stopped anywhere is finished by the next.
    pub fn run(&self) -> Result<(), Failure> {
        self.check_name()?;
        let app_json = read_app_json()?;
        ready()?;
        let remotes = [self.remote(Stage::Staging)?, self.remote(Stage::Production)?];
        let staging = self.app(Stage::Staging, &app_json)?;
        let production = self.app(Stage::Production, &app_json)?;
        self.pipeline(staging.pipeline.as_ref(), production.pipeline.as_ref())?;
        for (stage, has_remote) in Stage::ALL.into_iter().zip(remotes) {
            if !has_remote {
                let words =
                    ["git:remote", "--app", &self.app_name(stage), "--remote", stage.remote()];
                self.change(&heroku(&words))?;
            }
        }
        if self.dry_run {
            println!("Nothing was changed.");
        } else {
            println!(
                "The pipeline {} is ready. Next: git push {} main",
                self.name,
                Stage::Staging.remote()
            );
        }
        Ok(())
    }

    fn check_name(&self) -> Result<(), Failure> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let begins = self.name.starts_with(|c: char| c.is_ascii_lowercase());
        let fits = (3..=LONGEST_NAME).contains(&self.name.len());
        if fits && begins && self.name.bytes().all(is_allowed) && !self.name.ends_with('-') {
            return Ok(());
        }
        Err(Failure::InTheWay(format!(
            "`{}` can't be the name of an app with a staging: 3 to {LONGEST_NAME} lower-case letters, digits and \
             dashes, a letter first. As in: cargo pipeline setup myapp",
            self.name
        )))
    }

    fn app_name(&self, stage: Stage) -> String {
        match stage {
            Stage::Staging => format!("{}-staging", self.name),
            Stage::Production => self.name.clone(),
        }
    }

    fn change(&self, command: &Command) -> Result<(), Failure> {
        change(command, self.dry_run)
    }

    /// Whether the remote of this stage is there. One that leads elsewhere is in the way.
    fn remote(&self, stage: Stage) -> Result<bool, Failure> {
        let (remote, wanted) = (stage.remote(), self.app_name(stage));
        match git::app_of(remote)? {
            None => Ok(false),
            Some(app) if app == wanted => {
                println!("Found: the remote {remote}, which leads to {app}");
                Ok(true)
            }
            Some(app) => Err(Failure::InTheWay(format!(
                "the git remote `{remote}` leads to {app}, not to {wanted}. To make room: \
                 git remote rename {remote} old-{remote}"
            ))),
        }
    }

    /// An app with its buildpacks, its metadata and its variables.
    fn app(&self, stage: Stage, app_json: &AppJson) -> Result<Found, Failure> {
        let name = self.app_name(stage);
        let found = match Self::find(&name, app_json)? {
            Some(found) => found,
            None => self.create(&name, app_json)?,
        };
        if !found.has_buildpacks {
            for Buildpack { url } in &app_json.buildpacks {
                self.change(&heroku(&["buildpacks:add", url, "--app", &name]))?;
            }
        }
        if !found.has_metadata {
            self.change(&heroku(&["labs:enable", METADATA, "--app", &name]))?;
        }
        self.variables(stage, &name, &found.variables)?;
        Ok(found)
    }

    fn find(name: &str, app_json: &AppJson) -> Result<Option<Found>, Failure> {
        #[derive(Deserialize)]
        struct Installed {
            buildpack: Buildpack,
        }
        #[derive(Deserialize)]
        struct Labs {
            app: Vec<Lab>,
        }
        #[derive(Deserialize)]
        struct Lab {
            name: String,
            enabled: bool,
        }
        let info = match info(name) {
            Err(Failure::Command { why, .. }) if why.contains("do not have access") => {
                return Err(Failure::InTheWay(format!(
                    "{name} is someone else's. Choose another name"
                )));
            }
            info => info?,
        };
        let Some(info) = info else {
            return Ok(None);
        };
        println!("Found: the app {name}, on {}", differs(info.stack(), &app_json.stack));
        let installed: Vec<Installed> =
            heroku(&["buildpacks", "--json", "--app", name]).read_json()?;
        for (at, Installed { buildpack }) in installed.iter().enumerate() {
            let wanted = app_json.buildpacks.get(at).map_or("none", |buildpack| &buildpack.url);
            // The registry's address of emk/rust ends in its name.
            let same = buildpack.url.trim_end_matches(".tgz").ends_with(wanted);
            let shown = if same { wanted } else { &buildpack.url };
            println!("Found: its buildpack {}", differs(shown, wanted));
        }
        let labs: Labs = heroku(&["labs", "--json", "--app", name]).read_json()?;
        let has_metadata = labs.app.iter().any(|lab| lab.name == METADATA && lab.enabled);
        if has_metadata {
            println!("Found: {METADATA} is on");
        }
        Ok(Some(Found {
            pipeline: info.pipeline(),
            has_buildpacks: !installed.is_empty(),
            has_metadata,
            // An empty variable is an unset one.
            variables: config(name)?.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        }))
    }

    fn create(&self, name: &str, app_json: &AppJson) -> Result<Found, Failure> {
        let mut words = vec!["apps:create", name, "--no-remote", "--stack", &app_json.stack];
        if let Some(Buildpack { url }) = app_json.buildpacks.first() {
            words.extend(["--buildpack", url]);
        }
        for (option, value) in [("--region", &self.region), ("--team", &self.team)] {
            words.extend(value.iter().flat_map(|value| [option, value]));
        }
        self.change(&heroku(&words))?;
        for Buildpack { url } in app_json.buildpacks.iter().skip(1) {
            self.change(&heroku(&["buildpacks:add", url, "--app", name]))?;
        }
        Ok(Found { has_buildpacks: true, ..Found::default() })
    }

    /// All that is missing by one command: each `config:set` is a release of its own.
    fn variables(
        &self,
        stage: Stage,
        name: &str,
        found: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let mut missing = Vec::new();
        match found.get("APP_ENV") {
            Some(value) => println!("Found: APP_ENV is {}", differs(value, stage.name())),
            None => missing.push(format!("APP_ENV={stage}")),
        }
        let wants_password = stage == Stage::Staging && !found.contains_key("PREVIEW_PASSWORD");
        if stage == Stage::Staging && !wants_password {
            println!("Found: PREVIEW_PASSWORD is set");
        }
        if missing.is_empty() && !wants_password {
            return Ok(());
        }
        let mut words = vec!["config:set"];
        words.extend(missing.iter().map(String::as_str));
        let mut command = heroku(&words);
        if wants_password {
            let shown = "\"$(openssl rand -hex 16)\""; // what a person would type for the same
            command = command.with_secret("PREVIEW_PASSWORD", password()?, shown);
        }
        self.change(&command.with(&["--app", name]))
    }

    /// Both apps in one pipeline, each at its stage.
    fn pipeline(
        &self,
        staging: Option<&(String, String)>,
        production: Option<&(String, String)>,
    ) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Pipeline {
            name: String,
        }
        let mut pipeline = None;
        for (stage, found) in Stage::ALL.into_iter().zip([staging, production]) {
            let Some((name, at)) = found else { continue };
            let app = self.app_name(stage);
            if at != stage.name() || pipeline.is_some_and(|pipeline| pipeline != name) {
                return Err(Failure::InTheWay(format!(
                    "{app} is the {at} of the pipeline {name}, which is not what it is to be here. To take it out: \
                     heroku pipelines:remove --app {app}"
                )));
            }
            println!("Found: {app} is the {stage} of the pipeline {name}");
            pipeline = Some(name);
        }
        if staging.is_some() && production.is_some() {
            return Ok(());
        }
        // One without apps stays behind where a run was stopped just then.
        let pipelines: Vec<Pipeline> = heroku(&["pipelines", "--json"]).read_json()?;
        let mut exists =
            pipeline.is_some() || pipelines.iter().any(|found| found.name == self.name);
        let pipeline = pipeline.unwrap_or(&self.name);
        for (stage, found) in Stage::ALL.into_iter().zip([staging, production]) {
            if found.is_none() {
                let (verb, app) = (
                    if exists { "pipelines:add" } else { "pipelines:create" },
                    self.app_name(stage),
                );
                let mut words = vec![verb, pipeline, "--app", &app, "--stage", stage.name()];
                if let Some(team) = self.team.as_deref().filter(|_| !exists) {
                    words.extend(["--team", team]);
                }
                self.change(&heroku(&words))?;
                exists = true;
            }
        }
        Ok(())
    }
}

fn read_app_json() -> Result<AppJson, Failure> {
    let text = fs::read_to_string("app.json").map_err(system(
        "app.json can't be read, which has the stack and the buildpack. Run this at the top of your clone",
    ))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::InTheWay(format!("app.json lacks the stack or the buildpacks: {error}"))
    })
}

/// What was found, and that it is left as it is where something else was expected.
fn differs(found: &str, wanted: &str) -> String {
    if found == wanted { found.to_owned() } else { format!("{found}, not {wanted}: left as it is") }
}

fn password() -> Result<String, Failure> {
    let mut bytes = [0; PASSWORD_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::InTheWay(format!("this machine gives no random numbers: {error}"))
    })?;
    Ok(bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
}
