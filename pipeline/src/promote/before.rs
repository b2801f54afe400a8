//! Before the point of no return: looks, refuses, shows, asks, and looks again. Nothing here changes anything.

use std::time::{Duration, Instant};

use crate::exit::State;
use crate::failure::Failure;
use crate::git::Repository;
use crate::judgement::{
    Refusal, Step, commits, lines_of_only_on_one, notes, nothing_to_promote, refusals, required,
    step, unsettled,
};
use crate::options::PromoteOptions;
use crate::outcome::Outcome;
use crate::platform::{ByHand, Required};
use crate::promote::Means;
use crate::promotion::Promotion;
use crate::running::{Running, is_dirty, short_build, short_commit};
use crate::stage::{App, Stage};
use crate::stages::{Observed, Stages};

/// How long a release that is not out yet is waited for: a config var was set, or a push has just ended. A
/// release command may take an hour; whoever started that knows.
const SETTLING: Duration = Duration::from_secs(60);

/// What is to be done.
pub enum Decision {
    /// This, to this app.
    Promote(Box<Promotion>, Box<App>),
    /// Nothing: why.
    Not(Box<Outcome>),
}

/// Decides whether to promote, and what.
pub fn decide(means: &Means<'_>, options: &PromoteOptions) -> Result<Decision, Failure> {
    let Means { platform, screen, .. } = means;
    let stages = settled(means)?;
    let required = required_by(&stages.staging, means);
    let refusals = refusals(&stages, &required, options.expect.as_ref());
    if refusals.is_empty() && nothing_to_promote(&stages) {
        let message = "Nothing to promote: production runs what staging runs.".to_owned();
        let outcome = Outcome::new("promote", State::NothingToPromote, None, message);
        return Ok(Decision::Not(Box::new(outcome)));
    }
    if !refusals.is_empty() {
        return Ok(refused(means, &stages, &refusals));
    }
    let mut promotion =
        Promotion::of(&stages, platform.account()).expect("a stage without a build was refused");
    screen.say(&shown(&stages, &mut promotion, means.repository));

    if means.asks {
        // A rehearsal has no other way.
        screen.say(&format!("By hand: {}", platform.by_hand(ByHand::Promote)));
    }

    let asks = means.asks && !options.yes;
    let away = away(&stages).filter(|_| !options.backwards);
    // A dry run has said what is not known.
    if let Some(refusal) = away.filter(|away| !options.dry_run || *away != Refusal::Unrelated) {
        let question = match refusal {
            Refusal::Backwards(lost) => {
                format!("{} of production's would go away. Go backwards?", commits(lost))
            }
            _ => "Commits of production's may go away. Promote all the same?".to_owned(),
        };
        if options.dry_run || !asks || screen.agrees(&question) != Some(true) {
            return Ok(refused(means, &stages, &[refusal]));
        }
    }
    if options.dry_run {
        let message = "A dry run: nothing was changed.".to_owned();
        let outcome = Outcome::new("promote", State::DryRun, None, message).of(&promotion);
        return Ok(Decision::Not(Box::new(outcome)));
    }
    if asks {
        let refusal = match screen.agrees(&promotion.question()) {
            Some(true) => None,
            Some(false) => Some(Refusal::NotAgreed),
            None => Some(Refusal::NobodyToAsk),
        };
        if let Some(refusal) = refusal {
            return Ok(refused(means, &stages, &[refusal]));
        }
    }
    check_again(means, options, promotion, &required)
}

/// What needs a consent of its own: that commits of production's go away, or may.
fn away(stages: &Stages) -> Option<Refusal> {
    match step(stages) {
        Step::Differ => Some(Refusal::Unrelated),
        step => Some(step.lost()).filter(|&lost| lost > 0).map(Refusal::Backwards),
    }
}

/// What was decided holds only as long as what it was decided on.
fn check_again(
    means: &Means<'_>,
    options: &PromoteOptions,
    promotion: Promotion,
    required: &[Required],
) -> Result<Decision, Failure> {
    let now = Stages::look(means.platform, means.sites, means.repository)?;
    let moved = Stage::ALL.into_iter().zip(promotion.moved(&now));
    let moved = moved.filter(|(_, told)| !told.is_empty());
    let moved: Vec<_> = moved.map(|(stage, told)| Refusal::Moved(stage, told)).collect();
    if !moved.is_empty() {
        return Ok(refused(means, &now, &moved));
    }
    let refusals = refusals(&now, required, options.expect.as_ref());
    if !refusals.is_empty() {
        return Ok(refused(means, &now, &refusals));
    }
    Ok(Decision::Promote(Box::new(promotion), Box::new(now.production.app)))
}

/// Looks; while a release is on its way or a dyno starts, again.
fn settled(means: &Means<'_>) -> Result<Stages, Failure> {
    let started = Instant::now();
    loop {
        let stages = Stages::look(means.platform, means.sites, means.repository)?;
        let Some(what) = unsettled(&stages) else { return Ok(stages) };
        let is_over = started.elapsed() >= SETTLING || means.interrupt.is_asked();
        if is_over || matches!(what, Refusal::Crashed(_)) {
            return Ok(stages);
        }
        means.screen.progress(&format!("Waiting: {}", told(&what, means, &stages)));
        means.interrupt.pause(means.pause);
    }
}

/// The config vars that the build asks for, as its own commit has them.
fn required_by(staging: &Observed, means: &Means<'_>) -> Vec<Required> {
    let app_json = || means.repository?.file_at(staging.commit()?, "app.json");
    let required = app_json().and_then(|text| required(&text).ok());
    required.unwrap_or_else(|| {
        means.screen.say(
            "Which config vars the build requires is not known here: the release command will check.",
        );
        Vec::new()
    })
}

fn refused(means: &Means<'_>, stages: &Stages, refusals: &[Refusal]) -> Decision {
    let told =
        refusals.iter().map(|refusal| format!("Not promoted: {}", told(refusal, means, stages)));
    let message = told.collect::<Vec<_>>().join("\n") + "\nNothing was changed.";
    let reason = refusals.first().map(Refusal::reason);
    let mut outcome = Outcome::new("promote", State::Refused, reason, message);
    outcome.promotion = Promotion::of(stages, means.platform.account());
    outcome.serves = stages.production.answer.running.clone().ok();
    Decision::Not(Box::new(outcome))
}

/// A refusal in words, and what to type.
fn told(refusal: &Refusal, means: &Means<'_>, stages: &Stages) -> String {
    let Means { platform, .. } = means;
    let by_hand = |what| platform.by_hand(what);
    let (staging, production) = (&stages.staging.app, &stages.production.app);
    match refusal {
        Refusal::NothingOnStaging => "nothing was released on staging yet".to_owned(),
        Refusal::Unknown(why) => format!("staging does not say what it runs: {why}"),
        Refusal::Unhealthy(why) => {
            format!("staging is not healthy: {why}. Look: {}", by_hand(ByHand::Log(Stage::Staging)))
        }
        Refusal::Crashed(why) | Refusal::Unsettled(why) => format!(
            "staging is not all on its release: {why}. Look: {}",
            by_hand(ByHand::Dynos(Stage::Staging))
        ),
        Refusal::InFlight(stage, what) => {
            format!("a release of {stage} is not out yet: {what}. Wait for it, then look again")
        }
        Refusal::NotExpected(expected) => {
            let runs = [stages.staging.commit(), stages.staging.answer.build()];
            let runs: Vec<_> = runs.into_iter().flatten().collect();
            format!("staging does not run {expected}, but {}", runs.join(", "))
        }
        Refusal::NoWebProcess => "staging's Procfile has no line web:".to_owned(),
        Refusal::Maintenance => format!(
            "production is in maintenance mode, so nobody could see whether it arrives. Run: {}",
            by_hand(ByHand::EndMaintenance)
        ),
        Refusal::NoWebDyno => {
            format!("production has no web dyno. Run: {}", by_hand(ByHand::Scale))
        }
        Refusal::NoPipeline(stage) => {
            let (app, other) = match stage {
                Stage::Staging => (staging, production),
                Stage::Production => (production, staging),
            };
            let pipeline = other.place.as_ref().map_or("NAME", |place| &place.pipeline);
            let add = by_hand(ByHand::Add { pipeline, stage: *stage });
            format!("{} is in no pipeline. Run: {add}", app.name)
        }
        Refusal::OtherPipeline(what) => {
            format!("{what}. A promotion goes from the staging to the production of one pipeline")
        }
        Refusal::Lacks(lacking) => {
            let names: Vec<_> = lacking.iter().map(|required| required.name.as_str()).collect();
            format!(
                "production has no {}, which app.json requires. Run: {}",
                names.join(", "),
                by_hand(ByHand::Set(lacking))
            )
        }
        Refusal::Backwards(lost) => format!(
            "{}: {} of production's would go away. To want that: {}",
            step(stages),
            commits(*lost),
            by_hand(ByHand::PromoteWith("--backwards"))
        ),
        Refusal::Unrelated => format!(
            "which commits of production's would go away is not known here. Run: {}. To promote all the same: {}",
            means.repository.map_or("git fetch", Repository::fetch),
            by_hand(ByHand::PromoteWith("--backwards"))
        ),
        Refusal::Moved(stage, what) => {
            format!("{stage} has changed since you looked: {}. Look again", what.join(", "))
        }
        Refusal::NobodyToAsk => format!(
            "nobody can be asked here. To promote without a question: {}",
            by_hand(ByHand::PromoteWith("--yes"))
        ),
        Refusal::NotAgreed => "you did not agree".to_owned(),
    }
}

/// What goes live and what goes away. Notes the commits.
fn shown(stages: &Stages, promotion: &mut Promotion, repository: Option<&Repository>) -> String {
    let Stages { staging, production, .. } = stages;
    let Promotion { from, to, pipeline, replaces, .. } = &*promotion;
    let (app, name) = (&staging.app.name, from.release().name());
    let mut lines = vec![format!("Pipeline {pipeline}: {app} {name} goes live on {to}:")];
    lines.extend(staging.answer.running.iter().flat_map(build));
    match (&production.answer.running, replaces.as_ref().map(|replaced| replaced.release.name())) {
        (Ok(before), Some(name)) => {
            lines.push(format!("in place of {name}:"));
            lines.extend(build(before));
        }
        (Err(why), Some(name)) => {
            lines.push(format!("in place of {name}, which does not say what it is: {why}"));
        }
        (_, None) => lines.push("as the first release there.".to_owned()),
    }
    let commits = production.commit().zip(staging.commit()).zip(repository);
    if let Some(((old, new), clone)) = commits.filter(|_| promotion.replaces.is_some()) {
        promotion.commits = clone.log(old, new);
        promotion.commits_gone = clone.log(new, old);
        lines.extend(told_commits(promotion, stages, clone.fetch()));
        lines.extend(clone.compare_link(old, new).map(|link| format!("Compare: {link}")));
    }
    lines.extend(lines_of_only_on_one(stages));
    lines.extend(notes(stages).iter().map(|note| format!("Note: {note}.")));
    lines.join("\n")
}

/// A build's message and its digest.
fn build(running: &Running) -> Vec<String> {
    let told = running.message.iter().cloned().chain([short_build(&running.build)]);
    told.map(|line| format!("  {line}")).collect()
}

fn told_commits(promotion: &Promotion, stages: &Stages, fetch: &str) -> Vec<String> {
    let listed = |title: &str, commits: &[String], of: usize| {
        let more = of.saturating_sub(commits.len());
        let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        format!("{title}:\n  {}{more}", commits.join("\n  "))
    };
    let (Some(live), Some(gone), Some(distance)) =
        (&promotion.commits, &promotion.commits_gone, stages.distance)
    else {
        let both = [&stages.production, &stages.staging];
        let both: Vec<_> = both.iter().filter_map(|seen| seen.commit()).map(short_commit).collect();
        let both = both.join(" and ");
        return vec![format!(
            "Which commits are new is not known here: this clone does not have all of {both}. Run: {fetch}"
        )];
    };
    let mut lines = vec![match live[..] {
        [] if stages.staging.commit().is_some_and(is_dirty) => {
            "What is new is not committed.".to_owned()
        }
        [] => "No commit is new.".to_owned(),
        _ => listed("with these commits", live, distance.ahead),
    }];
    if !gone.is_empty() {
        lines.push(listed("These commits of production's go away", gone, distance.behind));
    }
    lines
}
