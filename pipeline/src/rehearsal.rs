//! A rehearsal: two apps on this machine, whose releases go the way that they go on Heroku.

mod dyno;
mod log;
mod router;
mod slug;

use std::collections::BTreeMap;
use std::env;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use humantime::format_rfc3339_seconds;
use secrecy::SecretString;

use crate::api::Unmade;
use crate::failure::Failure;
use crate::git::Repository;
use crate::interrupt::Interrupt;
use crate::platform::{
    self, ByHand, Changes, History, Platform, Processes, Proposal, Release, Required, Status,
};
use crate::promotion::Reviewed;
use crate::site::Sites;
use crate::stage::{App, Place, Stage};
use crate::typed::quoted;
use dyno::Dyno;
pub use log::Log;
use router::Router;
use slug::Slug;

type Variables = BTreeMap<String, String>;

/// A release, and what it was made of.
struct Past {
    release: Release,
    slug: Arc<Slug>,
    variables: Variables,
    /// Why it failed.
    why: Option<String>,
}

/// One of the two apps.
struct Rehearsed {
    stage: Stage,
    router: Router,
    variables: Variables,
    /// Stops before its slug goes, since it stands before the releases.
    web: Option<Dyno>,
    releases: Vec<Past>,
    /// The number of the release that runs.
    current: Option<u64>,
}

/// What both work with.
struct Stagehands {
    sites: Sites,
    log: Arc<Log>,
    interrupt: Interrupt,
    account: String,
}

/// Both apps. All of it ends with this.
pub struct Rehearsal {
    apps: [Mutex<Rehearsed>; 2],
    with: Stagehands,
}

impl Rehearsal {
    /// Opens both ports. Nothing runs yet.
    pub fn new(ports: [u16; 2], log: Arc<Log>, interrupt: Interrupt) -> Result<Self, Failure> {
        let staging = Mutex::new(Rehearsed::new(Stage::Staging, ports[0])?);
        let production = Mutex::new(Rehearsed::new(Stage::Production, ports[1])?);
        let account = env::var("USER").unwrap_or_else(|_| "you".to_owned());
        let with = Stagehands { sites: Sites::new(), log, interrupt, account };
        Ok(Self { apps: [staging, production], with })
    }

    fn at(&self, stage: Stage) -> MutexGuard<'_, Rehearsed> {
        self.apps[stage as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds the working tree, and releases it on staging.
    pub fn deploy(&self, repository: &Repository) -> Result<(), Failure> {
        let slug = Arc::new(Slug::build(repository, &self.with.interrupt)?);
        let description = format!("Deploy {}", crate::running::short_commit(&slug.commit));
        self.at(Stage::Staging).release(slug, description, &self.with)?.or_failed(Stage::Staging)
    }

    /// Gives variables a value, or takes them away: a release, where there is a slug.
    pub fn set(&self, stage: Stage, changes: Vec<(String, Option<String>)>) -> Result<(), Failure> {
        let mut app = self.at(stage);
        let names: Vec<_> = changes.iter().map(|(name, _)| name.as_str()).collect();
        let description = format!("Set {} config vars", names.join(", "));
        for (name, value) in changes {
            app.variables.remove(&name);
            app.variables.extend(value.map(|value| (name, value)));
        }
        // The last that did not fail, as on Heroku.
        let mut kept = app.releases.iter().rev().filter(|past| past.why.is_none());
        let Some(slug) = kept.next().map(|past| Arc::clone(&past.slug)) else { return Ok(()) };
        app.release(slug, description, &self.with)?.or_failed(stage)
    }

    /// The releases of a stage, newest first, a line each.
    pub fn releases(&self, stage: Stage) -> String {
        let app = self.at(stage);
        let lines = app.releases.iter().rev().map(|past| {
            let current = if app.current == Some(past.release.version) { ", current" } else { "" };
            let why = past.why.as_ref().map(|why| format!(", failed: {why}")).unwrap_or_default();
            format!("{}{current}{why}", past.release.told())
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        if lines.is_empty() { format!("nothing was released on {stage} yet") } else { lines }
    }
}

impl Past {
    fn or_failed(&self, stage: Stage) -> Result<(), Failure> {
        let name = self.release.name();
        let failed = |why: &String| Failure::Rehearsed(format!("{stage} {name} failed: {why}"));
        self.why.as_ref().map_or(Ok(()), |why| Err(failed(why)))
    }
}

impl Rehearsed {
    fn new(stage: Stage, port: u16) -> Result<Self, Failure> {
        // Text, since people read the log here.
        let variables = [("APP_ENV", stage.name()), ("LOG_FORMAT", "text")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let router = Router::open(port)?;
        Ok(Self { stage, router, variables, web: None, releases: Vec::new(), current: None })
    }

    /// Makes a release. Where it fails, what ran before still runs.
    fn release(
        &mut self,
        slug: Arc<Slug>,
        description: String,
        with: &Stagehands,
    ) -> Result<&Past, Failure> {
        let version = self.releases.len() as u64 + 1;
        let tried = self.start(version, &slug, with)?;
        let (status, why) = match tried {
            Ok(()) => (Status::Succeeded, None),
            Err(why) => (Status::Failed, Some(why)),
        };
        if why.is_none() {
            self.current = Some(version);
            let address = self.app_at(self.router.port).address;
            with.log.say(&format!("{} v{version} is open at {address}", self.stage));
        }
        let release = Release {
            id: format!("{} v{version}", self.stage),
            version,
            slug: Some(slug.name()),
            status,
            by: with.account.clone(),
            description,
        };
        self.releases.push(Past { release, slug, variables: self.variables.clone(), why });
        Ok(self.releases.last().expect("it was just made"))
    }

    /// Runs the release command, starts the new process, and when it answers asks the old one to stop.
    fn start(
        &mut self,
        version: u64,
        slug: &Arc<Slug>,
        with: &Stagehands,
    ) -> Result<Result<(), String>, Failure> {
        let (stage, port) = (self.stage, router::free_port()?);
        let mut variables = self.variables.clone();
        let at = format_rfc3339_seconds(SystemTime::now()).to_string();
        let values = [self.app_at(port).name, format!("v{version}"), at, slug.commit.clone()];
        let names = ["APP_NAME", "RELEASE_VERSION", "RELEASE_CREATED_AT", "SLUG_COMMIT"];
        let told = names.iter().map(|name| format!("HEROKU_{name}")).zip(values);
        variables.extend(told);
        if let Some(command) = slug.processes.get("release") {
            let name = format!("{stage}[release.{}]", 1000 + version);
            // What it has to say matters where it says no.
            let kept = Arc::new(Log::kept());
            let ran = Dyno::start(name, command, slug, &variables, &kept)?.ended(&with.interrupt);
            if let Err(why) = ran {
                kept.lines().iter().for_each(|line| with.log.say(line));
                return Ok(Err(why));
            }
        }
        variables.insert("PORT".to_owned(), port.to_string()); // which web processes alone are given
        let command =
            slug.processes.get("web").map_or("echo 'no web: line'; false", String::as_str);
        let mut web = Dyno::start(format!("{stage}[web.1]"), command, slug, &variables, &with.log)?;
        if let Err(why) = web.answers(&with.sites, &self.app_at(port), &with.interrupt) {
            return Ok(Err(why));
        }
        self.router.lead_to(port);
        self.web = Some(web); // which stops the old one
        Ok(Ok(()))
    }

    fn app_at(&self, port: u16) -> App {
        let place = Place {
            pipeline: "rehearsal".to_owned(),
            stage: self.stage.name().to_owned(),
            productions: vec!["rehearsal-production".to_owned()],
        };
        App {
            name: format!("rehearsal-{}", self.stage),
            address: format!("http://127.0.0.1:{port}/"),
            is_in_maintenance: false,
            place: Some(place),
            variables: self.variables.keys().cloned().collect(),
            password: self.variables.get("PREVIEW_PASSWORD").cloned().map(SecretString::from),
        }
    }

    fn past(&self, id: &str) -> Option<&Past> {
        self.releases.iter().find(|past| past.release.id == id)
    }
}

impl Platform for Rehearsal {
    fn account(&self) -> &str {
        &self.with.account
    }

    fn app(&self, stage: Stage) -> Result<App, Failure> {
        let app = self.at(stage);
        Ok(app.app_at(app.router.port))
    }

    fn history(&self, stage: Stage) -> Result<History, Failure> {
        let app = self.at(stage);
        let releases = app.releases.iter().rev().map(|past| past.release.clone()).collect();
        Ok(History { releases, current: app.current })
    }

    fn slug(&self, stage: Stage, release: &Release) -> Result<Option<platform::Slug>, Failure> {
        Ok(self.at(stage).past(&release.id).map(|past| platform::Slug {
            commit: Some(past.slug.commit.clone()),
            processes: past.slug.processes.clone(),
        }))
    }

    fn processes(&self, stage: Stage) -> Result<Processes, Failure> {
        let mut app = self.at(stage);
        let release = app.current.unwrap_or(0);
        let dyno = app.web.as_mut().map(|web| platform::Dyno {
            name: "web.1".to_owned(),
            kind: "web".to_owned(),
            state: if web.is_up() { "up" } else { "crashed" }.to_owned(),
            release,
        });
        let wanted = dyno.iter().map(|dyno| (dyno.kind.clone(), 1)).collect();
        Ok(Processes { wanted, dynos: dyno.into_iter().collect() })
    }

    fn changes(&self, to: &Release) -> Result<Changes, Failure> {
        let app = self.at(Stage::Production);
        let then = app.past(&to.id).map(|past| past.variables.clone()).unwrap_or_default();
        Ok(Changes::between(&app.variables, &then))
    }

    fn promote(&self, source: &Reviewed) -> Result<Release, Unmade> {
        let staging = self.at(Stage::Staging);
        let slug = staging.past(&source.release().id).map(|past| Arc::clone(&past.slug));
        let slug = slug.expect("what was reviewed was released");
        let description = format!("Promote rehearsal-staging {}", source.release().name());
        let mut production = self.at(Stage::Production);
        let made = production.release(slug, description, &self.with).map_err(Unmade::Refused)?;
        Ok(made.release.clone())
    }

    fn roll_back(&self, to: &Release) -> Result<Release, Unmade> {
        let mut app = self.at(Stage::Production);
        let past = app.past(&to.id).expect("it is one of the list");
        let (slug, variables) = (Arc::clone(&past.slug), past.variables.clone());
        app.variables = variables;
        let description = format!("Rollback to {}", to.name());
        let made = app.release(slug, description, &self.with).map_err(Unmade::Refused)?;
        Ok(made.release.clone())
    }

    fn by_hand(&self, what: ByHand<'_>) -> String {
        match what {
            ByHand::Promote => "promote".to_owned(),
            ByHand::PromoteWith(option) => format!("promote {option}"),
            ByHand::GoBack(release) | ByHand::GoBackAlone(release) => {
                format!("rollback {}", release.name())
            }
            ByHand::Set(lacking) => {
                let assignments = lacking.iter().map(|Required { name, value }| match value {
                    Proposal::Value(value) => format!("{name}={}", quoted(value)),
                    Proposal::Secret => format!("{name}=rehearsed"),
                    Proposal::None => format!("{name}=VALUE"),
                });
                format!("set production {}", assignments.collect::<Vec<_>>().join(" "))
            }
            ByHand::SeeWhy => "releases production".to_owned(),
            ByHand::Releases(stage) => format!("releases {stage}"),
            // What else a rehearsal can't be rid of: its log is in sight, and it has one dyno, always.
            _ => "status".to_owned(),
        }
    }
}
