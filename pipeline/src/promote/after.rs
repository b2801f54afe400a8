//! After the point of no return. Production may be changed from here on, so nothing here fails: there are only
//! outcomes, and each says what production serves now, what was found, and what to type.

use std::time::Duration;

use crate::api::Unmade;
use crate::change::{
    Resolved, between, made_without_an_answer, outcome, since, tell_what_was_undone, told,
};
use crate::exit::State;
use crate::options::PromoteOptions;
use crate::outcome::Outcome;
use crate::platform::{ByHand, Release, Status};
use crate::promote::Means;
use crate::promotion::{Promotion, Replaced};
use crate::running::short_build;
use crate::stage::{App, Stage};
use crate::watch::{Awaited, Patience, Watched, watch};

/// However short the operator's patience with what is new: whoever goes back wants to know that it worked. With
/// preboot the old dynos answer for three minutes more, and a new one may take one to start (R10).
const BACK_WITHIN: Duration = Duration::from_secs(300);

/// Promotes it, and watches what comes of it.
pub fn carry_out(
    means: &Means<'_>,
    options: &PromoteOptions,
    mut promotion: Promotion,
    app: &App,
) -> Outcome {
    let Means { platform, screen, .. } = means;
    means.interrupt.past_the_point_of_no_return();
    screen.progress("Promoting");
    let slug = promotion.from.release().slug.clone();
    let made = match platform.promote(&promotion.from) {
        Ok(made) => made,
        Err(Unmade::Refused(failure)) => {
            let mut outcome = Outcome::failed("promote", &failure).of(&promotion);
            outcome.message += " Heroku did not take the promotion.";
            return outcome;
        }
        Err(Unmade::Unanswered(failure)) => {
            match made_without_an_answer(means, promotion.after, slug.as_deref()) {
                Resolved::Made(made) => made,
                unmade => return unanswered(means, &promotion, &unmade, &failure.to_string()),
            }
        }
    };
    let (from, to) = (promotion.from.release().name(), &promotion.to);
    screen.say(&format!("Promoted: staging's {from} is {} of {to}.", made.name()));
    promotion.makes = Some(made.clone());
    note_what_came_between(means, &mut promotion, &made);

    let awaited = Awaited {
        release: &made,
        build: Some(promotion.from.build()),
        commit: promotion.from.commit(),
    };
    let watched = watch(means, app, &awaited, options.watch.patience(means.soak));
    ended(means, options, &promotion, &made, watched)
}

/// Between our last look and the promotion somebody may have released something: then that is what ours replaces.
fn note_what_came_between(means: &Means<'_>, promotion: &mut Promotion, made: &Release) {
    let between = between(means, promotion.after, made);
    if between.is_empty() {
        return;
    }
    means.screen.say(&format!("Just before it came {}. That is what it replaces.", told(&between)));
    // One that was not out yet never ran.
    let ran = between.iter().rfind(|release| release.status == Status::Succeeded);
    if let Some(release) = ran.filter(|release| release.slug.is_some()) {
        let release = release.clone();
        promotion.replaces = Some(match promotion.replaces.take() {
            // A config change: the code is what we looked at.
            Some(before) if before.release.slug == release.slug => Replaced { release, ..before },
            _ => Replaced { release, commit: None, build: None },
        });
    }
}

fn ended(
    means: &Means<'_>,
    options: &PromoteOptions,
    promotion: &Promotion,
    made: &Release,
    watched: Watched,
) -> Outcome {
    let Means { platform, .. } = means;
    let name = made.name();
    let not_arrived = |reason, message: String| {
        not_arrived(means, promotion, reason, |serves| format!("{serves}\n{message}"))
    };
    match watched {
        Watched::Arrived => {
            let build = short_build(promotion.from.build());
            let open = platform
                .app(Stage::Production)
                .map(|app| format!("\nIt is open at {}", app.address));
            let open = open.unwrap_or_default();
            let message = format!("Production runs what was reviewed: {build}, as {name}.{open}");
            outcome(means, "promote", State::Arrived, None, |_| message).of(promotion)
        }
        Watched::ReleaseFailed => {
            let message =
                format!("The release command of {name} failed, so it never ran. To see why:");
            not_arrived("release-failed", message).next(platform.by_hand(ByHand::SeeWhy))
        }
        Watched::Superseded(newer) => superseded(means, promotion, made, &newer),
        Watched::Interrupted => {
            let message =
                format!("Stopped watching {name}: it may arrive yet. Nothing was rolled back.");
            let mut outcome = not_arrived("interrupted", message + " To look, or to go back:");
            outcome = outcome.next(platform.by_hand(ByHand::Releases(Stage::Production)));
            match &promotion.replaces {
                Some(back) => outcome.next(platform.by_hand(ByHand::GoBack(&back.release))),
                None => outcome,
            }
        }
        Watched::NotWell(found) => {
            let message = format!("{name} is not well: {found}.");
            let Some(back) = &promotion.replaces else {
                return not_arrived(
                    "not-well",
                    format!("{message} There is no release to go back to: it is the first."),
                )
                .next(platform.by_hand(ByHand::Log(Stage::Production)));
            };
            if options.rollback {
                means.screen.say(&message);
                return go_back(means, promotion, made, back, options).because(&message);
            }
            let message = format!("{message} To see why, or to go back:");
            let outcome = not_arrived("not-well", message);
            outcome
                .next(platform.by_hand(ByHand::Log(Stage::Production)))
                .next(platform.by_hand(ByHand::GoBack(&back.release)))
        }
    }
}

/// Production is changed, or may be, and does not run it well: why, beside what it serves now.
fn not_arrived(
    means: &Means<'_>,
    promotion: &Promotion,
    reason: &'static str,
    message: impl FnOnce(&str) -> String,
) -> Outcome {
    outcome(means, "promote", State::NotArrived, Some(reason), message).of(promotion)
}

/// Goes back to what production ran before, if what it runs is still ours.
fn go_back(
    means: &Means<'_>,
    promotion: &Promotion,
    made: &Release,
    back: &Replaced,
    options: &PromoteOptions,
) -> Outcome {
    let Means { platform, screen, .. } = means;
    let not_back = |why: String| {
        let message = |serves: &str| format!("{serves}\n{why} To go back:");
        let outcome = not_arrived(means, promotion, "rollback-failed", message);
        outcome.next(platform.by_hand(ByHand::GoBack(&back.release)))
    };
    match platform.changes(&back.release).map(|changes| changes.told()) {
        Ok(Some(told)) => screen.say(&format!("This changes config vars, too. {told}.")),
        Ok(None) => {}
        Err(failure) => {
            screen.say(&format!("Which config vars this changes is not known: {failure}."));
        }
    }
    let history = match platform.history(Stage::Production) {
        Ok(history) => history,
        Err(failure) => {
            let name = made.name();
            return not_back(format!(
                "Not rolled back: whether {name} still is the current release is not known: {failure}."
            ));
        }
    };
    let newer = since(&history, made);
    let status = history.find(&made.id).map(|release| release.status);
    if newer.is_empty() && status == Some(Status::Pending) {
        return still_pending(means, promotion, made, back);
    }
    if !newer.is_empty() || history.current != Some(made.version) {
        return superseded(means, promotion, made, &newer);
    }
    // As seen now: what came just before ours may not have been seen then.
    let ran = history.before(made.version).filter(|ran| ran.id != back.release.id);
    let seen_late = ran.map(|ran| Replaced {
        release: ran.clone(),
        commit: back.commit.clone().filter(|_| ran.slug == back.release.slug),
        build: back.build.clone().filter(|_| ran.slug == back.release.slug),
    });
    if let Some(late) = &seen_late {
        screen
            .say(&format!("Just before ours came {}. It goes back to that.", late.release.told()));
    }
    let back = seen_late.as_ref().unwrap_or(back);
    screen.progress(&format!("Rolling back to {}", back.release.name()));
    let made_back = match platform.roll_back(&back.release) {
        Ok(made) => made,
        Err(Unmade::Refused(failure)) => {
            return not_back(format!("The rollback failed: {failure}."));
        }
        Err(Unmade::Unanswered(failure)) => {
            match made_without_an_answer(means, made.version, back.release.slug.as_deref()) {
                Resolved::Made(made) => made,
                unmade => return not_back(format!("The rollback {}: {failure}.", unmade.words())),
            }
        }
    };
    tell_what_was_undone(means, made.version, &made_back);
    let awaited = Awaited {
        release: &made_back,
        build: back.build.as_deref(),
        commit: back.commit.as_deref(),
    };
    let patience = options.watch.patience(means.soak);
    let patience = Patience { within: patience.within.max(BACK_WITHIN), ..patience };
    let watched = match platform.app(Stage::Production) {
        Ok(app) => watch(means, &app, &awaited, patience),
        Err(failure) => Watched::NotWell(failure.to_string()),
    };
    went_back(means, promotion, back, &made_back, watched)
}

/// What came of going back.
fn went_back(
    means: &Means<'_>,
    promotion: &Promotion,
    back: &Replaced,
    made_back: &Release,
    watched: Watched,
) -> Outcome {
    let (to, name) = (back.release.name(), made_back.name());
    let (state, reason, message) = match watched {
        Watched::Arrived => {
            let build = back.build.as_deref().map(short_build).unwrap_or_default();
            let message = format!("Rolled back: {to} {build} runs again, as {name}.");
            (State::RolledBack, "not-well", message)
        }
        Watched::Superseded(newer) => {
            let message = format!("Rolled back to {to}, as {name}; then came {}.", told(&newer));
            (State::NotArrived, "superseded", message)
        }
        Watched::ReleaseFailed => {
            let message = format!("The rollback failed: the release command of {name} said no.");
            (State::NotArrived, "rollback-failed", message)
        }
        Watched::Interrupted => {
            let message = format!("Rolled back to {to}, as {name}; stopped watching it.");
            (State::NotArrived, "interrupted", message)
        }
        Watched::NotWell(found) => {
            let message = format!("Rolled back to {to}, as {name}, but {found}.");
            (State::NotArrived, "rollback-not-well", message)
        }
    };
    let message = |serves: &str| format!("{message}\n{serves}");
    let outcome = outcome(means, "promote", state, Some(reason), message).of(promotion);
    if state == State::RolledBack {
        return outcome;
    }
    outcome.next(means.platform.by_hand(ByHand::Releases(Stage::Production)))
}

/// Its release command still runs: so what it replaces serves, and there is nothing to go back from yet.
fn still_pending(
    means: &Means<'_>,
    promotion: &Promotion,
    made: &Release,
    back: &Replaced,
) -> Outcome {
    let name = made.name();
    let message = |serves: &str| {
        format!(
            "The release command of {name} still runs. When it ends well, {name} goes live, and nobody watches it.\n\
             {serves} To look, and to go back then:"
        )
    };
    let outcome = not_arrived(means, promotion, "release-pending", message);
    let outcome = outcome.next(means.platform.by_hand(ByHand::Releases(Stage::Production)));
    outcome.next(means.platform.by_hand(ByHand::GoBack(&back.release)))
}

/// What runs is no longer ours, so it is not ours to undo.
fn superseded(
    means: &Means<'_>,
    promotion: &Promotion,
    made: &Release,
    newer: &[Release],
) -> Outcome {
    let same = !newer.is_empty() && newer.iter().all(|release| release.slug == made.slug);
    let code = if same { " It has the same code, and other config vars." } else { "" };
    let why = match newer {
        [] => "it is not the current release".to_owned(),
        newer => format!("after it came {}", told(newer)),
    };
    let name = made.name();
    let message = |serves: &str| {
        format!(
            "{name} is not ours to judge any more: {why}.{code} Nothing was rolled back.\n{serves}"
        )
    };
    not_arrived(means, promotion, "superseded", message)
        .next(means.platform.by_hand(ByHand::Releases(Stage::Production)))
}

/// Nothing was made as far as Heroku tells.
fn unanswered(
    means: &Means<'_>,
    promotion: &Promotion,
    unmade: &Resolved,
    failure: &str,
) -> Outcome {
    let what = match unmade {
        Resolved::NotKnown => unmade.words(),
        _ => "got no answer, and made no release that can be seen",
    };
    let message =
        |serves: &str| format!("The promotion {what}: {failure}.\n{serves} Before you try again:");
    not_arrived(means, promotion, "unanswered", message)
        .next(means.platform.by_hand(ByHand::Releases(Stage::Production)))
}
