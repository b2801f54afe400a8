//! `cargo pipeline status`: staging and production side by side.

use std::collections::BTreeSet;

use comfy_table::{ContentArrangement, Table, presets};
use console::Term;
use serde::Serialize;

use crate::exit::State;
use crate::failure::Failure;
use crate::git::Distance;
use crate::judgement::{Step, commits, lines_of_only_on_one, notes, only_on_one, step, trouble};
use crate::outcome::SCHEMA;
use crate::platform::Release;
use crate::running::{Running, short_build, short_commit};
use crate::screen::plain;
use crate::stage::{App, Stage};
use crate::stages::{Observed, Stages};

/// Where nobody says how wide the terminal is.
const USUAL_WIDTH: u16 = 120;

impl Observed {
    /// What is wrong with it; nothing when it is well, or when nothing was released there.
    fn sickness(&self) -> Option<String> {
        let release = self.history.running()?;
        let trouble = trouble(&self.processes, release.version);
        trouble.or_else(|| self.answer.health.clone().err())
    }
}

impl Stages {
    /// The line that says it all.
    pub fn summary(&self) -> String {
        let sick = [(Stage::Staging, &self.staging), (Stage::Production, &self.production)];
        let sick = sick.into_iter().find_map(|(stage, seen)| Some((stage, seen.sickness()?)));
        match sick {
            Some((stage, why)) => format!("{}, but {stage} is not healthy: {why}", step(self)),
            None => step(self).to_string(),
        }
    }

    /// How they stand to each other, and whether that can be told.
    pub fn state(&self) -> State {
        let is_sick = self.staging.sickness().or_else(|| self.production.sickness()).is_some();
        match step(self) {
            Step::Silent(_) => State::Failed,
            _ if is_sick => State::Failed,
            Step::Same => State::InStep,
            _ => State::NotInStep,
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
        let only = lines_of_only_on_one(self).into_iter().map(|line| format!("{line}\n"));
        let only = only.collect::<String>();
        let notes =
            notes(self).iter().fold(String::new(), |all, note| all + "Note: " + note + "\n");
        plain(&format!("{}\n\n{only}{notes}{}", table.trim_fmt(), self.summary()))
    }

    /// For programs.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Status<'a> {
            schema: u8,
            command: &'static str,
            state: State,
            exit_code: u8,
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
            /// Why not.
            sickness: Option<String>,
            /// The release that the platform says is the current one.
            release: Option<&'a Release>,
            /// What `/release` answers; null where it does not.
            says: Option<&'a Running>,
            /// Names of config vars that the other lacks.
            only_here: BTreeSet<String>,
        }
        impl<'a> One<'a> {
            fn of(seen: &'a Observed, only_here: BTreeSet<String>) -> Self {
                let App { name, address, .. } = &seen.app;
                let sickness = seen.sickness();
                let release = seen.history.running();
                let healthy = release.is_some() && sickness.is_none();
                let says = seen.answer.running.as_ref().ok();
                One { app: name, address, healthy, sickness, release, says, only_here }
            }
        }
        let (on_staging, on_production) = only_on_one(&self.staging.app, &self.production.app);
        let state = self.state();
        let status = Status {
            schema: SCHEMA,
            command: "status",
            state,
            exit_code: state.code(),
            summary: self.summary(),
            ahead: self.distance.map(|distance| distance.ahead),
            behind: self.distance.map(|distance| distance.behind),
            staging: One::of(&self.staging, on_staging),
            production: One::of(&self.production, on_production),
        };
        serde_json::to_string_pretty(&status).expect("text and numbers are JSON")
    }
}

/// The same where nobody can tell.
pub fn failed(failure: &Failure) -> String {
    serde_json::json!({
        "schema": SCHEMA,
        "command": "status",
        "state": State::Failed,
        "exit_code": State::Failed.code(),
        "reason": failure.reason(),
        "summary": failure.to_string(),
    })
    .to_string()
}

/// What there is to say of one stage, line by line.
fn rows(seen: &Observed) -> [(&'static str, String); 7] {
    let told = |tell: fn(&Running) -> Option<String>| match &seen.answer.running {
        Ok(running) => tell(running).unwrap_or_else(|| "not known".to_owned()),
        Err(_) => "-".to_owned(),
    };
    let current = seen.history.running();
    let health = match (current, seen.sickness()) {
        (None, _) => "-".to_owned(),
        (Some(_), None) => "ok".to_owned(),
        (Some(_), Some(why)) => format!("not ok: {why}"),
    };
    let message = match &seen.answer.running {
        Ok(running) => running.message.clone().unwrap_or_else(|| "not known".to_owned()),
        Err(_) if current.is_none() => "-".to_owned(),
        Err(why) => why.clone(),
    };
    let commit = seen.commit().filter(|_| current.is_some());
    [
        ("app", seen.app.name.clone()),
        ("address", seen.app.address.clone()),
        ("release", current.map_or_else(|| "-".to_owned(), Release::told)),
        ("commit", commit.map_or_else(|| told(|_| None), short_commit)),
        ("build", told(|running| Some(short_build(&running.build)))),
        ("message", message),
        ("health", health),
    ]
}
