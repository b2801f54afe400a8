//! A rehearsal: two apps on this machine, whose releases go the way that they go on Heroku.

mod dyno;
mod router;
mod slug;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use humantime::format_rfc3339_seconds;
use secrecy::SecretString;

use crate::failure::Failure;
use crate::platform::{Platform, Remedy};
use crate::site::Sites;
use crate::stage::{App, Stage};
use dyno::Dyno;
use router::Router;
use slug::Slug;

type Variables = BTreeMap<String, String>;

/// One of the two apps.
struct Rehearsed {
    stage: Stage,
    router: Router,
    variables: Variables,
    /// Stops before its slug goes, since it stands before the releases.
    web: Option<Dyno>,
    /// Those that succeeded, with their numbers: the last is the current one.
    releases: Vec<(usize, Arc<Slug>, Variables)>,
    last_number: usize,
}

/// Both apps. All of it ends with this.
pub struct Rehearsal {
    apps: [Rehearsed; 2],
    sites: Sites,
}

impl Rehearsal {
    /// Opens both ports. Nothing runs yet.
    pub fn new([staging, production]: [u16; 2]) -> Result<Self, Failure> {
        let staging = Rehearsed::new(Stage::Staging, staging)?;
        let production = Rehearsed::new(Stage::Production, production)?;
        Ok(Self { apps: [staging, production], sites: Sites::new() })
    }

    /// Builds the working tree, and releases it on staging.
    pub fn deploy(&mut self) -> Result<(), Failure> {
        self.apps[0].release(Arc::new(Slug::build()?), &self.sites)
    }

    /// Gives a variable a value, or takes it away: a release, where there is a slug.
    pub fn set(&mut self, stage: Stage, name: &str, value: Option<&str>) -> Result<(), Failure> {
        let app = &mut self.apps[stage as usize];
        app.variables.remove(name);
        app.variables.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        app.slug().map_or(Ok(()), |slug| app.release(slug, &self.sites))
    }

    /// Brings back a release, by default the one before: code and config vars.
    pub fn back(&mut self, stage: Stage, release: Option<&str>) -> Result<(), Failure> {
        let app = &mut self.apps[stage as usize];
        let mut newest_first = app.releases.iter().rev();
        let found = match release {
            Some(release) => newest_first.find(|(number, ..)| format!("v{number}") == release),
            None => newest_first.nth(1),
        };
        let missing = || Failure::InTheWay(format!("{stage} has no such release to go back to"));
        let (_, slug, variables) = found.cloned().ok_or_else(missing)?;
        app.variables = variables;
        app.release(slug, &self.sites)
    }
}

impl Rehearsed {
    fn new(stage: Stage, port: u16) -> Result<Self, Failure> {
        // Text, since people read the log here.
        let variables = [("APP_ENV", stage.name()), ("LOG_FORMAT", "text")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let router = Router::open(port)?;
        Ok(Self { stage, router, variables, web: None, releases: Vec::new(), last_number: 0 })
    }

    fn slug(&self) -> Option<Arc<Slug>> {
        self.releases.last().map(|(_, slug, _)| Arc::clone(slug))
    }

    /// Runs the release command, starts the new process, and when it answers asks the old one to stop.
    fn release(&mut self, slug: Arc<Slug>, sites: &Sites) -> Result<(), Failure> {
        self.last_number += 1;
        let (stage, number, port) = (self.stage, self.last_number, router::free_port()?);
        let mut variables = self.variables.clone();
        let at = format_rfc3339_seconds(SystemTime::now()).to_string();
        let values = [self.app_at(port).name, format!("v{number}"), at, slug.commit.clone()];
        let names = ["APP_NAME", "RELEASE_VERSION", "RELEASE_CREATED_AT", "SLUG_COMMIT"];
        let told = names.iter().map(|name| format!("HEROKU_{name}")).zip(values);
        variables.extend(told);
        let failed = |why| Failure::Release { stage, number, why };
        if let Some(command) = slug.processes.get("release") {
            let name = format!("{stage}[release.{}]", 1000 + number);
            Dyno::start(name, command, &slug, &variables)?.ended().map_err(failed)?;
        }
        variables.insert("PORT".to_owned(), port.to_string()); // which web processes alone are given
        let command =
            slug.processes.get("web").map_or("echo 'no web: line'; false", String::as_str);
        let mut web = Dyno::start(format!("{stage}[web.1]"), command, &slug, &variables)?;
        web.answers(sites, &self.app_at(port)).map_err(failed)?;
        self.router.lead_to(port);
        self.web = Some(web); // which stops the old one
        self.releases.push((number, slug, self.variables.clone()));
        println!("{stage} v{number} is open at {}", self.app_at(self.router.port).address);
        Ok(())
    }

    fn app_at(&self, port: u16) -> App {
        App {
            name: format!("rehearsal-{}", self.stage),
            address: format!("http://127.0.0.1:{port}/"),
            has_slug: !self.releases.is_empty(),
            pipeline: Some(("rehearsal".to_owned(), self.stage.name().to_owned())),
            variables: self.variables.keys().cloned().collect(),
            password: self.variables.get("PREVIEW_PASSWORD").cloned().map(SecretString::from),
        }
    }
}

impl Platform for Rehearsal {
    fn app(&self, stage: Stage) -> Result<App, Failure> {
        let app = &self.apps[stage as usize];
        Ok(app.app_at(app.router.port))
    }

    fn current(&self) -> Result<Option<String>, Failure> {
        Ok(self.apps[1].releases.last().map(|(number, ..)| format!("v{number}")))
    }

    fn promote(&mut self) -> Result<(), Failure> {
        let slug = self.apps[0].slug().expect("what runs has a slug");
        self.apps[1].release(slug, &self.sites)
    }

    fn roll_back(&mut self, release: &str) -> Result<(), Failure> {
        self.back(Stage::Production, Some(release))
    }

    fn remedy(&self, remedy: Remedy<'_>) -> String {
        match remedy {
            Remedy::GoBack(release) => format!("rollback production {release}"),
            Remedy::Set(assignments) => format!("set production {assignments}"),
            Remedy::SeeWhy => "look at the lines of production[release] above".to_owned(),
        }
    }
}
