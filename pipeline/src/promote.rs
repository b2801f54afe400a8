//! `cargo pipeline promote`: shows what goes live, promotes it, and watches until it has arrived.

use std::io::{self, BufRead, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::git;
use crate::judgement::{Arrival, Refusal, Required, Seen, refusals, required};
use crate::platform::{Platform, Remedy};
use crate::release::Release;
use crate::site::Sites;
use crate::stage::{App, Stage};
use crate::status::{Both, look, short_build};

/// With preboot the old dynos answer for three minutes more, and a new one may take one to start (R10): five.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Seconds. It has to answer five times in a row, with a pause of a second.
pub const SHORTEST: u64 = 10;

/// How a promotion is to go.
pub struct Order {
    /// Whether to ask before.
    pub ask: bool,
    /// Only show what would be done.
    pub dry_run: bool,
    /// Whether to go back by itself when the build does not arrive.
    pub roll_back: bool,
    /// How long the build may take to arrive.
    pub limit: Duration,
    /// How long to wait between two looks.
    pub pause: Duration,
}

impl Default for Order {
    fn default() -> Self {
        let pause = Duration::from_secs(1);
        Self { ask: true, dry_run: false, roll_back: false, limit: LIMIT, pause }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Production runs the build. Or this was a dry run.
    Arrived,
    /// Nothing was changed.
    Refused,
    /// Production does not run the build, or is not healthy with it.
    NotArrived,
    /// It did not arrive, and the build before answers again.
    RolledBack,
}

impl Outcome {
    /// For a CI job. 1 is any failure, and 2 a wrong command line.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Arrived => 0,
            Self::Refused => 3,
            Self::NotArrived => 4,
            Self::RolledBack => 5,
        }
    }
}

/// Promotes what staging runs.
pub fn promote(
    platform: &mut dyn Platform,
    sites: &Sites,
    order: &Order,
) -> Result<Outcome, Failure> {
    let both = look(platform, sites)?;
    let app_json = both.staging.commit().and_then(|commit| git::file_at(commit, "app.json"));
    let required = app_json.and_then(|text| required(&text).ok()).unwrap_or_else(|| {
        println!(
            "Which variables the build requires is not known here: the release command will check."
        );
        Vec::new()
    });
    let refusals = refusals(&both.staging, &both.production, &required);
    if !refusals.is_empty() {
        for refusal in &refusals {
            println!("Not promoted: {}", told(refusal, platform, &both));
        }
        return Ok(Outcome::Refused);
    }

    println!("{}", goes_live(&both));
    let back = platform.current()?;
    if order.dry_run {
        platform.promote()?;
        println!("Nothing was changed.");
        return Ok(Outcome::Arrived);
    }
    if order.ask && !agreed()? {
        println!("Not promoted.");
        return Ok(Outcome::Refused);
    }

    let build = both.staging.build().expect("a stage without one was refused");
    if let Err(failure) = platform.promote() {
        let now = sites.look(both.production.app);
        println!("The promotion failed: {failure}.\n{}", serves(&now));
        println!("To see why: {}", platform.remedy(Remedy::SeeWhy));
        return Ok(Outcome::NotArrived);
    }
    let watch = Watch { sites, app: &both.production.app, limit: order.limit, pause: order.pause };
    let (has_arrived, now) = watch.until(build);
    if has_arrived {
        println!("Production runs what was reviewed: {}", short_build(build));
        println!("It is open at {}", now.app.address);
        return Ok(Outcome::Arrived);
    }
    let limit = order.limit.as_secs();
    println!("Within {limit} s {} has not arrived. {}", short_build(build), serves(&now));

    let (Some(release), Some(before)) = (back, both.production.build()) else {
        println!("There is no release to go back to: this was the first promotion.");
        return Ok(Outcome::NotArrived);
    };
    let command = platform.remedy(Remedy::GoBack(&release));
    if !order.roll_back {
        println!("To go back: {command}");
        return Ok(Outcome::NotArrived);
    }
    platform.roll_back(&release)?;
    // However short it was: whoever goes back wants to know that it worked.
    let watch = Watch { limit: order.limit.max(LIMIT), ..watch };
    let (is_back, now) = watch.until(before);
    if !is_back {
        println!("After {command}, too, {} does not answer. {}", short_build(before), serves(&now));
        return Ok(Outcome::NotArrived);
    }
    println!("Rolled back: production runs {} again.", short_build(before));
    Ok(Outcome::RolledBack)
}

fn told(refusal: &Refusal, platform: &dyn Platform, both: &Both) -> String {
    let (staging, production) = (&both.staging.app, &both.production.app);
    match refusal {
        Refusal::NothingOnStaging => "nothing was released on staging yet".to_owned(),
        Refusal::Unknown(why) => format!("staging does not say what it runs: {why}"),
        Refusal::Unhealthy => format!("staging is not healthy: {}health", staging.address),
        Refusal::NothingToPromote => {
            "there is nothing to promote: production runs what staging runs".into()
        }
        Refusal::NoPipeline(app) => {
            let (stage, other) = if *app == staging.name {
                (Stage::Staging, production)
            } else {
                (Stage::Production, staging)
            };
            let pipeline = other.pipeline.as_ref().map_or("NAME", |(pipeline, _)| pipeline);
            format!(
                "{app} is in no pipeline. Run: heroku pipelines:add {pipeline} --app {app} --stage {stage}"
            )
        }
        Refusal::OtherPipeline(what) => {
            format!("{what}. A promotion goes from the staging to the production of one pipeline")
        }
        Refusal::Lacks(lacking) => {
            let names: Vec<_> = lacking.iter().map(|Required { name, .. }| name.as_str()).collect();
            let assignments = lacking.iter().map(|Required { name, value }| {
                format!("{name}={}", value.as_deref().unwrap_or("VALUE"))
            });
            let command = platform.remedy(Remedy::Set(&assignments.collect::<Vec<_>>().join(" ")));
            format!(
                "production has no {}, which app.json requires. Run: {command}",
                names.join(", ")
            )
        }
    }
}

/// The message and the commits that go live.
fn goes_live(both: &Both) -> String {
    let shown = |release: &Release| {
        let message = release.message.iter().map(|message| format!("\n  {message}"));
        message.collect::<String>() + "\n  " + &short_build(&release.build)
    };
    let live = both.staging.release.as_ref().map(shown).unwrap_or_default();
    let mut text = format!("This goes live:{live}");
    if let Ok(before) = &both.production.release {
        text = format!("{text}\nin place of:{}", shown(before));
    }
    let log = match (both.production.commit(), both.staging.commit()) {
        (Some(from), Some(to)) => git::log(from, to),
        _ => None,
    };
    match log.as_deref().map(str::trim_end) {
        Some("") => text + "\nNo commit is new.",
        Some(log) => text + "\nwith these commits:\n  " + &log.replace('\n', "\n  "),
        None if !both.production.app.has_slug => text + "\nas the first release there.",
        None => text + "\nWhich commits are new is not known here.",
    }
}

/// What production answers.
fn serves(production: &Seen) -> String {
    match &production.release {
        Ok(release) => {
            let version = release.release.as_deref().unwrap_or("its release");
            let health = if production.healthy { "" } else { ", and is not healthy" };
            let build = short_build(&release.build);
            let message = release.message.iter().map(|message| format!(": \"{message}\""));
            let message = message.collect::<String>();
            format!("Production serves {version}, {build}{message}{health}.")
        }
        Err(why) => format!("Production serves no release: {why}."),
    }
}

fn agreed() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::NobodyToAsk);
    }
    print!("Promote it? [y/N] ");
    let _ = io::stdout().flush();
    let mut line = String::new();
    let _ = io::stdin().lock().read_line(&mut line);
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Looks at production over and over.
struct Watch<'a> {
    sites: &'a Sites,
    app: &'a App,
    limit: Duration,
    pause: Duration,
}

impl Watch<'_> {
    /// Until it runs this build, several times in a row, and is healthy; else what it was last seen to run.
    fn until(&self, build: &str) -> (bool, Seen) {
        let mut arrival = Arrival::of(build);
        let line = Line::new();
        let started = Instant::now();
        loop {
            let seen = self.sites.look(self.app.clone());
            let arrived = arrival.saw(seen.build(), seen.healthy);
            line.say(&serves(&seen), arrival.in_a_row());
            if arrived {
                return (true, seen);
            }
            if started.elapsed() >= self.limit {
                return (false, seen);
            }
            thread::sleep(self.pause);
        }
    }
}

/// One line that changes in its place; where there is no terminal, a line whenever it changes.
struct Line {
    bar: ProgressBar,
    last: std::cell::RefCell<String>,
}

impl Line {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}");
        let bar = ProgressBar::new_spinner().with_style(style.expect("the template is valid"));
        Self { bar, last: std::cell::RefCell::default() }
    }

    fn say(&self, text: &str, in_a_row: usize) {
        self.bar.set_message(format!("{in_a_row} of {} in a row. {text}", Arrival::IN_A_ROW));
        self.bar.tick();
        if self.bar.is_hidden() && *self.last.borrow() != text {
            eprintln!("{text}");
            text.clone_into(&mut self.last.borrow_mut());
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
