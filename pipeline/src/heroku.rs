//! Heroku, by its Platform API: what it is asked, and how its answers are read. The client is in `api.rs`.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::api::{Api, Unmade};
use crate::failure::Failure;
use crate::git::Repository;
use crate::options::Apps;
use crate::platform::{
    ByHand, Changes, Dyno, History, Platform, Processes, Proposal, Release, Required, Slug, Status,
};
use crate::promotion::Reviewed;
use crate::screen::one_line;
use crate::stage::{App, Place, Stage};
use crate::typed::{heroku, quoted};

/// As many releases as matter: the one that runs is among them unless the last hundred have all failed.
const RELEASES: &str = "version ..; order=desc, max=100";

/// Heroku tells the release that a promotion makes at once, or within a moment.
const MAKING: Duration = Duration::from_secs(15);

/// Two apps on Heroku.
pub struct Heroku {
    api: Api,
    account: String,
    staging: String,
    production: String,
    /// Whether the two are those that the remotes lead to.
    is_named: bool,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Account {
    email: String,
}

/// An app, as far as we need it.
#[derive(Deserialize)]
pub struct AppInfo {
    pub name: String,
    web_url: Option<String>,
    #[serde(default)]
    maintenance: bool,
    pub region: Option<Named>,
    pub team: Option<Named>,
    pub stack: Option<Named>,
}

/// Whatever has a name.
#[derive(Deserialize)]
pub struct Named {
    pub name: String,
}

#[derive(Deserialize)]
struct Coupling {
    app: Id,
    pipeline: Id,
    stage: String,
}

#[derive(Deserialize)]
struct ReleaseInfo {
    id: String,
    version: u64,
    status: Option<String>,
    #[serde(default)]
    current: bool,
    slug: Option<Id>,
    user: Option<Account>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct SlugInfo {
    commit: Option<String>,
    #[serde(default)]
    process_types: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Formation {
    r#type: String,
    quantity: u64,
}

#[derive(Deserialize)]
struct DynoInfo {
    name: String,
    r#type: String,
    state: String,
    release: Option<DynoRelease>,
}

#[derive(Deserialize)]
struct DynoRelease {
    version: u64,
}

#[derive(Deserialize)]
struct Target {
    app: Id,
    release: Option<Id>,
    status: String,
    error_message: Option<String>,
}

impl From<ReleaseInfo> for Release {
    fn from(info: ReleaseInfo) -> Self {
        Self {
            id: info.id,
            version: info.version,
            slug: info.slug.map(|slug| slug.id),
            status: match info.status.as_deref() {
                Some("pending") => Status::Pending,
                Some("failed" | "expired") => Status::Failed,
                _ => Status::Succeeded,
            },
            by: info.user.map_or_else(|| "somebody".to_owned(), |user| one_line(&user.email)),
            description: one_line(&info.description.unwrap_or_default()),
        }
    }
}

impl Heroku {
    /// The apps by their names, else by the remotes of this clone.
    pub fn of(apps: &Apps, repository: Option<&Repository>) -> Result<Self, Failure> {
        let named = |given: &Option<String>, stage: Stage| match (given, repository) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(clone)) => clone.app_of(stage)?.ok_or(Failure::NoRemote(stage)),
            (None, None) => Err(Failure::NoClone),
        };
        let production = named(&apps.production, Stage::Production)?;
        let staging = named(&apps.staging, Stage::Staging)?;
        Self::open(staging, production, apps.staging.is_some() || apps.production.is_some())
    }

    /// The production app alone: a rollback needs no staging.
    pub fn production_of(apps: &Apps, repository: Option<&Repository>) -> Result<Self, Failure> {
        let production = match (&apps.production, repository) {
            (Some(name), _) => name.clone(),
            (None, Some(clone)) => {
                clone.app_of(Stage::Production)?.ok_or(Failure::NoRemote(Stage::Production))?
            }
            (None, None) => return Err(Failure::NoClone),
        };
        Self::open(String::new(), production, apps.production.is_some())
    }

    fn open(staging: String, production: String, is_named: bool) -> Result<Self, Failure> {
        let api = Api::open()?;
        let Account { email } = api.get("/account")?;
        Ok(Self { api, account: one_line(&email), staging, production, is_named })
    }

    fn name(&self, stage: Stage) -> &str {
        match stage {
            Stage::Staging => &self.staging,
            Stage::Production => &self.production,
        }
    }

    fn path(&self, stage: Stage, rest: &str) -> String {
        format!("/apps/{}{rest}", self.name(stage))
    }

    /// Where an app stands in a pipeline, and which production apps that has.
    fn place(&self, stage: Stage) -> Result<Option<Place>, Failure> {
        let Some(coupling) =
            found(self.api.get::<Coupling>(&self.path(stage, "/pipeline-couplings")))?
        else {
            return Ok(None);
        };
        let id = &coupling.pipeline.id;
        let pipeline: Named = self.api.get(&format!("/pipelines/{id}"))?;
        let all: Vec<Coupling> = self.api.get(&format!("/pipelines/{id}/pipeline-couplings"))?;
        let productions = all.iter().filter(|coupling| coupling.stage == "production");
        let ids: Vec<_> = productions.map(|coupling| &coupling.app.id).collect();
        let mut names = Vec::new();
        for id in ids {
            // An app that this account may not see counts, too.
            let app = visible(self.api.get::<Named>(&format!("/apps/{id}")))?;
            names
                .push(app.map_or_else(|| "an app that you may not see".to_owned(), |app| app.name));
        }
        names.sort();
        Ok(Some(Place { pipeline: pipeline.name, stage: coupling.stage, productions: names }))
    }

    /// The release that a promotion makes.
    fn made_by(&self, promotion: &str, target: &str) -> Result<Release, Unmade> {
        let started = Instant::now();
        let path = format!("/pipeline-promotions/{promotion}/promotion-targets");
        loop {
            let targets: Vec<Target> = self.api.get(&path).map_err(Unmade::Unanswered)?;
            let ours = targets.into_iter().find(|made| made.app.id == target);
            match ours {
                Some(Target { release: Some(release), .. }) => {
                    let path = self.path(Stage::Production, &format!("/releases/{}", release.id));
                    let made: ReleaseInfo = self.api.get(&path).map_err(Unmade::Unanswered)?;
                    return Ok(made.into());
                }
                Some(Target { status, error_message, .. }) if status == "failed" => {
                    let why = one_line(&error_message.unwrap_or_default());
                    return Err(Unmade::Refused(Failure::NotPromoted(why)));
                }
                _ if started.elapsed() < MAKING => thread::sleep(Duration::from_millis(500)),
                _ => {
                    let from = "the promotion".to_owned();
                    let why = "it made no release yet".to_owned();
                    return Err(Unmade::Unanswered(Failure::Unexpected { from, why }));
                }
            }
        }
    }

    /// The options that name these apps to this program.
    fn options(&self) -> String {
        match (self.is_named, self.staging.is_empty()) {
            (false, _) => String::new(),
            (true, true) => format!(" --to {}", self.production),
            (true, false) => format!(" --staging {} --to {}", self.staging, self.production),
        }
    }
}

/// The config vars at this path: those of an app, or of a release.
pub fn config_vars(api: &Api, path: &str) -> Result<BTreeMap<String, String>, Failure> {
    // A value can be null.
    let vars: BTreeMap<String, Option<String>> = api.get(path)?;
    Ok(vars.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect())
}

/// What there is, or nothing: Heroku answers 404.
pub fn found<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Answered { status: 404, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What there is and this account may see: to an app of others Heroku answers 403.
fn visible<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match found(answer) {
        Err(Failure::Answered { status: 403, .. }) => Ok(None),
        answer => answer,
    }
}

impl Platform for Heroku {
    fn account(&self) -> &str {
        &self.account
    }

    fn app(&self, stage: Stage) -> Result<App, Failure> {
        let name = self.name(stage);
        let info: Option<AppInfo> = visible(self.api.get(&self.path(stage, "")))?;
        let info = info.ok_or_else(|| Failure::NoApp(name.to_owned()))?;
        let mut vars = config_vars(&self.api, &self.path(stage, "/config-vars"))?;
        let password = vars.get_mut("PREVIEW_PASSWORD").map(std::mem::take);
        let address = info.web_url.unwrap_or_default();
        Ok(App {
            name: info.name,
            // The router speaks both, and a password must not travel in the clear.
            address: address.replacen("http://", "https://", 1),
            is_in_maintenance: info.maintenance,
            place: self.place(stage)?,
            variables: vars.into_keys().collect(),
            password: password.filter(|text| !text.is_empty()).map(SecretString::from),
        })
    }

    fn history(&self, stage: Stage) -> Result<History, Failure> {
        let path = self.path(stage, "/releases");
        let releases = visible(self.api.list::<Vec<ReleaseInfo>>(&path, RELEASES))?;
        let releases = releases.ok_or_else(|| Failure::NoApp(self.name(stage).to_owned()))?;
        let current =
            releases.iter().find(|release| release.current).map(|release| release.version);
        let mut releases: Vec<Release> = releases.into_iter().map(Release::from).collect();
        releases.sort_by_key(|release| std::cmp::Reverse(release.version));
        Ok(History { releases, current })
    }

    fn slug(&self, stage: Stage, release: &Release) -> Result<Option<Slug>, Failure> {
        let Some(id) = &release.slug else { return Ok(None) };
        let info = found(self.api.get::<SlugInfo>(&self.path(stage, &format!("/slugs/{id}"))))?;
        Ok(info.map(|info| Slug {
            commit: info.commit.filter(|commit| crate::running::is_commit(commit)),
            processes: info.process_types,
        }))
    }

    fn processes(&self, stage: Stage) -> Result<Processes, Failure> {
        let formation: Vec<Formation> = self.api.get(&self.path(stage, "/formation"))?;
        let dynos: Vec<DynoInfo> = self.api.get(&self.path(stage, "/dynos"))?;
        let runs = |line: &Formation| line.r#type != "release"; // which runs once a release
        let wanted = formation.into_iter().filter(runs).map(|line| (line.r#type, line.quantity));
        let dynos = dynos.into_iter().map(|dyno| Dyno {
            name: dyno.name,
            kind: dyno.r#type,
            state: dyno.state,
            release: dyno.release.map_or(0, |release| release.version),
        });
        Ok(Processes { wanted: wanted.collect(), dynos: dynos.collect() })
    }

    fn changes(&self, to: &Release) -> Result<Changes, Failure> {
        let now = config_vars(&self.api, &self.path(Stage::Production, "/config-vars"))?;
        let then = format!("/releases/{}/config-vars", to.id);
        let then = config_vars(&self.api, &self.path(Stage::Production, &then))?;
        Ok(Changes::between(&now, &then))
    }

    fn promote(&self, source: &Reviewed) -> Result<Release, Unmade> {
        // By their ids: a name can be given to another app.
        let id = |stage| self.api.get::<Id>(&self.path(stage, "")).map_err(Unmade::Refused);
        let (from, to) = (id(Stage::Staging)?.id, id(Stage::Production)?.id);
        let coupling: Coupling = self
            .api
            .get(&self.path(Stage::Production, "/pipeline-couplings"))
            .map_err(Unmade::Refused)?;
        let order = json!({
            "pipeline": { "id": coupling.pipeline.id },
            "source": { "app": { "id": from }, "release": { "id": source.release().id } },
            "targets": [{ "app": { "id": to } }],
        });
        let promotion: Id = self.api.post("/pipeline-promotions", &order)?;
        self.made_by(&promotion.id, &to)
    }

    fn roll_back(&self, to: &Release) -> Result<Release, Unmade> {
        let order = json!({ "release": to.id });
        let made: ReleaseInfo =
            self.api.post(&self.path(Stage::Production, "/releases"), &order)?;
        Ok(made.into())
    }

    fn by_hand(&self, what: ByHand<'_>) -> String {
        let Self { staging, production, .. } = self;
        let words = |words: &[&str]| heroku(words).shown();
        match what {
            ByHand::Promote => words(&["pipelines:promote", "--app", staging, "--to", production]),
            ByHand::PromoteWith(option) => {
                format!("cargo pipeline promote{} {option}", self.options())
            }
            ByHand::GoBack(release) => {
                let options =
                    if self.is_named { format!(" --to {production}") } else { String::new() };
                format!("cargo pipeline rollback {}{options}", release.name())
            }
            ByHand::GoBackAlone(release) => {
                words(&["rollback", &release.name(), "--app", production])
            }
            ByHand::Set(lacking) => {
                let assignments = lacking.iter().map(assignment).collect::<Vec<_>>().join(" ");
                format!("heroku config:set {assignments} --app {production}")
            }
            ByHand::SeeWhy => words(&["releases:output", "--app", production]),
            ByHand::Releases(stage) => words(&["releases", "--app", self.name(stage)]),
            ByHand::Dynos(stage) => words(&["ps", "--app", self.name(stage)]),
            ByHand::Log(stage) => words(&["logs", "--app", self.name(stage)]),
            ByHand::EndMaintenance => words(&["maintenance:off", "--app", production]),
            ByHand::Scale => words(&["ps:scale", "web=1", "--app", production]),
            ByHand::Add { pipeline, stage } => words(&[
                "pipelines:add",
                pipeline,
                "--app",
                self.name(stage),
                "--stage",
                stage.name(),
            ]),
        }
    }
}

/// `NAME=value` for a shell. A secret is made by the shell itself.
fn assignment(required: &Required) -> String {
    let Required { name, value } = required;
    match value {
        Proposal::Value(value) => format!("{name}={}", quoted(value)),
        Proposal::Secret => format!("{name}=\"$(openssl rand -hex 32)\""),
        Proposal::None => format!("{name}=VALUE"),
    }
}
