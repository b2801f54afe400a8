//! Heroku, by its own command line, which the user has and is logged in to.

use std::collections::BTreeMap;
use std::thread;

use secrecy::SecretString;
use serde::Deserialize;

use crate::command::{Command, heroku};
use crate::failure::Failure;
use crate::git;
use crate::platform::{Platform, Remedy};
use crate::stage::{App, Stage};

/// Before this version a promotion that failed exited 0 (heroku/cli#3835).
const OLDEST: (u32, u32) = (11, 9);

/// How `auth:whoami` says that nobody is logged in, and Heroku that a token is not valid (any more).
const NOT_LOGGED_IN: [&str; 2] = ["not logged in", "Invalid credentials"];

/// Two apps on Heroku.
pub struct Heroku {
    staging: String,
    production: String,
    dry_run: bool,
}

/// What `apps:info --json` tells, as far as we need it.
#[derive(Deserialize)]
pub struct Info {
    app: Named,
    pipeline_coupling: Option<Coupling>,
}

#[derive(Deserialize)]
struct Named {
    web_url: Option<String>,
    slug_size: Option<u64>,
    stack: Option<Name>,
}

/// The place of an app in a pipeline.
#[derive(Deserialize)]
struct Coupling {
    pipeline: Name,
    stage: String,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

impl Info {
    /// The pipeline, and the stage in it.
    pub fn pipeline(&self) -> Option<(String, String)> {
        let coupling = self.pipeline_coupling.as_ref()?;
        Some((coupling.pipeline.name.clone(), coupling.stage.clone()))
    }

    /// The stack, as `heroku-24`.
    pub fn stack(&self) -> &str {
        self.app.stack.as_ref().map_or("unknown", |stack| &stack.name)
    }
}

impl Heroku {
    /// The apps by their names, else by the remotes of this clone.
    pub fn of(
        staging: Option<String>,
        production: Option<String>,
        dry_run: bool,
    ) -> Result<Self, Failure> {
        let named = |given: Option<String>, stage: Stage| match given {
            Some(name) => Ok(name),
            None => git::app_of(stage.remote())?.ok_or(Failure::NoRemote(stage)),
        };
        Ok(Self {
            staging: named(staging, Stage::Staging)?,
            production: named(production, Stage::Production)?,
            dry_run,
        })
    }

    fn name(&self, stage: Stage) -> &str {
        match stage {
            Stage::Staging => &self.staging,
            Stage::Production => &self.production,
        }
    }

    fn change(&self, command: &Command) -> Result<(), Failure> {
        change(command, self.dry_run)
    }
}

/// Runs a command that changes something; in a dry run it is only shown.
pub fn change(command: &Command, dry_run: bool) -> Result<(), Failure> {
    if dry_run {
        command.show();
        return Ok(());
    }
    command.run()
}

/// Whether the command line is there, new enough and logged in.
pub fn ready() -> Result<(), Failure> {
    // At the same time: each command of Heroku's takes half a second to start.
    let (version, user) = thread::scope(|scope| {
        let user = scope.spawn(|| heroku(&["auth:whoami"]).read());
        (heroku(&["--version"]).read(), user.join().expect("reading does not panic"))
    });
    let text = version?;
    let version = text.split(['/', ' ']).nth(1).unwrap_or_default();
    let mut parts = version.split('.').map_while(|part| part.parse().ok());
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => {}
        (Some(_), Some(_)) => return Err(Failure::TooOld(version.to_owned())),
        _ => {
            let why = format!("no version in {:?}", text.trim());
            return Err(Failure::Unexpected { command: "heroku --version".to_owned(), why });
        }
    }
    match user {
        Err(Failure::Command { why, .. })
            if NOT_LOGGED_IN.iter().any(|words| why.contains(words)) =>
        {
            Err(Failure::NotLoggedIn)
        }
        user => user.map(drop),
    }
}

/// What Heroku knows of an app. `None` where this account sees no such app.
pub fn info(name: &str) -> Result<Option<Info>, Failure> {
    match heroku(&["apps:info", "--json", "--app", name]).read_json() {
        Ok(info) => Ok(Some(info)),
        Err(Failure::Command { why, .. }) if why.contains("Couldn't find that app") => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// An app's config vars. For their names: their values must not get any further.
pub fn config(name: &str) -> Result<BTreeMap<String, String>, Failure> {
    let command = heroku(&["config", "--json", "--app", name]);
    // Not `read_json`, whose error may show a value.
    let why = "not names with texts, as JSON".to_owned();
    serde_json::from_str(&command.read()?)
        .map_err(|_| Failure::Unexpected { command: command.shown(), why })
}

impl Platform for Heroku {
    fn app(&self, stage: Stage) -> Result<App, Failure> {
        let name = self.name(stage);
        let info = info(name)?.ok_or_else(|| Failure::NoApp(name.to_owned()))?;
        let mut config = config(name)?;
        let password = config.get_mut("PREVIEW_PASSWORD").map(std::mem::take);
        let address = info.app.web_url.as_deref().unwrap_or_default();
        Ok(App {
            name: name.to_owned(),
            // The router speaks both, and a password must not travel in the clear.
            address: address.replacen("http://", "https://", 1),
            has_slug: info.app.slug_size.is_some(),
            pipeline: info.pipeline(),
            variables: config.into_keys().collect(),
            password: password.filter(|text| !text.is_empty()).map(SecretString::from),
        })
    }

    fn current(&self) -> Result<Option<String>, Failure> {
        #[derive(Deserialize)]
        struct Listed {
            version: u32,
            current: bool,
            slug: Option<serde::de::IgnoredAny>,
        }
        let command = heroku(&["releases", "--json", "--app", &self.production]);
        let releases: Vec<Listed> = command.read_json()?;
        // Without a slug it is from before the first promotion: there is nothing to go back to.
        let current = releases.iter().find(|listed| listed.current && listed.slug.is_some());
        Ok(current.map(|listed| format!("v{}", listed.version)))
    }

    fn promote(&mut self) -> Result<(), Failure> {
        let words = ["pipelines:promote", "--app", &self.staging, "--to", &self.production];
        self.change(&heroku(&words))
    }

    fn roll_back(&mut self, release: &str) -> Result<(), Failure> {
        self.change(&heroku(&["rollback", release, "--app", &self.production]))
    }

    fn remedy(&self, remedy: Remedy<'_>) -> String {
        let production = &self.production;
        match remedy {
            Remedy::GoBack(release) => format!("heroku rollback {release} --app {production}"),
            Remedy::Set(assignments) => {
                format!("heroku config:set {assignments} --app {production}")
            }
            Remedy::SeeWhy => format!("heroku releases:output --app {production}"),
        }
    }
}
