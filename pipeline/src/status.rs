//! `cargo pipeline status`: staging and production side by side.

use std::collections::BTreeSet;
use std::thread;

use comfy_table::{ContentArrangement, Table, presets};
use console::Term;
use serde::Serialize;

use crate::failure::Failure;
use crate::git;
use crate::judgement::{Distance, Seen, Step, commits, committed, only_on_one, step};
use crate::platform::Platform;
use crate::release::Release;
use crate::site::Sites;
use crate::stage::{App, Stage};

/// Where nobody says how wide the terminal is.
const USUAL_WIDTH: u16 = 120;

/// Both stages, as they are now.
pub struct Both {
    /// Staging.
    pub staging: Seen,
    /// Production.
    pub production: Seen,
    /// How far it is from production's commit to staging's.
    pub distance: Option<Distance>,
}

/// Looks at both stages.
pub fn look(platform: &dyn Platform, sites: &Sites) -> Result<Both, Failure> {
    let see = |stage| platform.app(stage).map(|app| sites.look(app));
    // At the same time: each command of Heroku's takes half a second to start.
    let (staging, production) = thread::scope(|scope| {
        let production = scope.spawn(|| see(Stage::Production));
        (see(Stage::Staging), production.join().expect("looking does not panic"))
    });
    let (staging, production) = (staging?, production?);
    let distance = match (production.commit(), staging.commit()) {
        (Some(from), Some(to)) if from == to => Some(Distance { ahead: 0, behind: 0 }),
        (Some(from), Some(to)) => git::distance(from, to),
        _ => None,
    };
    Ok(Both { staging, production, distance })
}

impl Both {
    /// How they stand to each other.
    pub fn step(&self) -> Step {
        step(&self.staging, &self.production, self.distance)
    }

    fn sick(&self) -> Option<Stage> {
        let sick = |seen: &Seen| seen.release.is_ok() && !seen.healthy;
        let [staging, production] = [&self.staging, &self.production].map(sick);
        match (staging, production) {
            (true, _) => Some(Stage::Staging),
            (_, true) => Some(Stage::Production),
            _ => None,
        }
    }

    /// The line that says it all.
    pub fn summary(&self) -> String {
        match self.sick() {
            Some(stage) => format!("{}, but {stage} is not healthy", self.step()),
            None => self.step().to_string(),
        }
    }

    /// 0 in step, 3 not in step, 1 when nobody can tell, or one is not healthy.
    pub fn exit_code(&self) -> u8 {
        match (self.step(), self.sick()) {
            (Step::Silent(_), _) | (_, Some(_)) => 1,
            (Step::Same, None) => 0,
            _ => 3,
        }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        let width = Term::stdout().size_checked().map_or(USUAL_WIDTH, |(_, columns)| columns);
        table.load_style(presets::NOTHING).set_width(width);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["", "staging", "production"]);
        let [staging, production] = [&self.staging, &self.production].map(rows);
        for ((name, on_staging), (_, mut on_production)) in staging.into_iter().zip(production) {
            if let ("commit", Some(Distance { ahead: n @ 1.., .. })) = (name, self.distance) {
                on_production = format!("{on_production} ({} behind)", commits(n));
            }
            table.add_row([name.to_owned(), on_staging, on_production]);
        }
        let (staging, production) = only_on_one(&self.staging.app, &self.production.app);
        let only = Stage::ALL.into_iter().zip([staging, production]);
        let only = only.filter(|(_, names)| !names.is_empty()).map(|(stage, names)| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            format!("Config vars only on {stage}: {}\n", names.join(", "))
        });
        format!("{}\n\n{}{}", table.trim_fmt(), only.collect::<String>(), self.summary())
    }

    /// For programs.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Status<'a> {
            in_step: bool,
            summary: String,
            /// Commits that only staging has, and that only production has; null where git can't tell.
            ahead: Option<usize>,
            behind: Option<usize>,
            staging: One<'a>,
            production: One<'a>,
        }
        #[derive(Serialize)]
        struct One<'a> {
            app: &'a str,
            address: &'a str,
            healthy: bool,
            /// What `/release` answers; null where it does not.
            release: Option<&'a Release>,
            /// Names of config vars that the other lacks.
            only_here: BTreeSet<String>,
        }
        impl<'a> One<'a> {
            fn of(seen: &'a Seen, only_here: BTreeSet<String>) -> Self {
                let release = seen.release.as_ref().ok();
                let App { name, address, .. } = &seen.app;
                One { app: name, address, healthy: seen.healthy, release, only_here }
            }
        }
        let (on_staging, on_production) = only_on_one(&self.staging.app, &self.production.app);
        let status = Status {
            in_step: self.step() == Step::Same,
            summary: self.summary(),
            ahead: self.distance.map(|distance| distance.ahead),
            behind: self.distance.map(|distance| distance.behind),
            staging: One::of(&self.staging, on_staging),
            production: One::of(&self.production, on_production),
        };
        serde_json::to_string_pretty(&status).expect("text and numbers are JSON")
    }
}

/// What there is to say of one stage, line by line.
fn rows(seen: &Seen) -> [(&'static str, String); 7] {
    let told = |tell: fn(&Release) -> Option<String>| match &seen.release {
        Ok(release) => tell(release).unwrap_or_else(|| "not known".to_owned()),
        Err(_) => "-".to_owned(),
    };
    let health = match (seen.app.has_slug, seen.healthy) {
        (false, _) => "-",
        (true, false) => "not ok",
        (true, true) => "ok",
    };
    let message = match &seen.release {
        Ok(release) => release.message.clone().unwrap_or_else(|| "not known".to_owned()),
        Err(_) if !seen.app.has_slug => "-".to_owned(),
        Err(why) => why.clone(),
    };
    let release = told(|release| match (&release.release, &release.released_at) {
        (Some(version), Some(at)) => Some(format!("{version}, {at}")),
        (version, _) => version.clone(),
    });
    [
        ("app", seen.app.name.clone()),
        ("address", seen.app.address.clone()),
        ("release", release),
        ("commit", told(|release| Some(short_commit(release.commit.as_ref()?)))),
        ("build", told(|release| Some(short_build(&release.build)))),
        ("message", message),
        ("health", health.to_owned()),
    ]
}

/// A digest that fits in a column. Two that begin alike do so by chance once in 2^64 times.
pub fn short_build(build: &str) -> String {
    short(build, "sha256:".len() + 16)
}

fn short_commit(commit: &str) -> String {
    let changes = if committed(commit) == commit { "" } else { " and changes" };
    short(commit, 12) + changes
}

fn short(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}
