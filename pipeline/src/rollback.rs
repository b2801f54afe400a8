//! `cargo pipeline rollback`: goes back to a release of production's, also when production is sick. Guarded as a
//! promotion is: it says what it brings back, looks again right before, and watches until it is there.

use crate::api::Unmade;
use crate::change::{Resolved, made_without_an_answer, outcome, tell_what_was_undone, told};
use crate::exit::State;
use crate::failure::Failure;
use crate::options::RollbackOptions;
use crate::outcome::{Outcome, Rollback};
use crate::platform::{ByHand, Changes, History, Platform, Release, Status};
use crate::promote::Means;
use crate::promotion::Replaced;
use crate::running::short_commit;
use crate::stage::Stage;
use crate::watch::{Awaited, Watched, watch};

/// Goes back.
pub fn roll_back(means: &Means<'_>, options: &RollbackOptions) -> Result<Outcome, Failure> {
    let Means { platform, screen, .. } = means;
    let app = platform.app(Stage::Production)?;
    let history = platform.history(Stage::Production)?;
    let Some(current) = history.running().cloned() else {
        return Ok(refused("nothing-runs", "nothing was released on production yet", None));
    };
    if let Some(pending) = history.in_flight() {
        let why = format!("a release of production is not out yet: {}", pending.told());
        return Ok(refused("release-in-flight", &why, None));
    }
    let to = match target(*platform, &app.name, &history, &current, options.release.as_deref())? {
        Ok(to) => to,
        Err((reason, why)) => return Ok(refused(reason, &why, None)),
    };
    let commit = |release: &Release| {
        platform.slug(Stage::Production, release).ok().flatten().and_then(|slug| slug.commit)
    };
    let (new, old) = (commit(&current), commit(&to));
    let mut rollback = Rollback {
        app: app.name.clone(),
        by: platform.account().to_owned(),
        from: current.clone(),
        // Who goes back because of what is live does not wait for this.
        config_vars: platform.changes(&to).ok(),
        to: Replaced { release: to.clone(), commit: old.clone(), build: None },
        makes: None,
    };
    screen.say(&shown(means, &rollback, new.as_deref()));
    if means.asks {
        screen.say(&format!("By hand: {}", platform.by_hand(ByHand::GoBackAlone(&to))));
    }
    if options.dry_run {
        let message = "A dry run: nothing was changed.".to_owned();
        let mut outcome = Outcome::new("rollback", State::DryRun, None, message);
        outcome.rollback = Some(rollback);
        return Ok(outcome);
    }
    if means.asks && !options.yes {
        let question = format!("Roll {} back from {} to {}?", app.name, current.name(), to.name());
        match screen.agrees(&question) {
            Some(true) => {}
            Some(false) => return Ok(refused("not-agreed", "you did not agree", Some(rollback))),
            None => {
                let why = "nobody can be asked here: add --yes";
                return Ok(refused("nobody-to-ask", why, Some(rollback)));
            }
        }
    }
    let now = platform.history(Stage::Production)?;
    if now.newest() != history.newest() || now.current != history.current {
        let newer: Vec<_> = now.newer(history.newest()).cloned().collect();
        let why = format!("production has changed since you looked: {}", told(&newer));
        return Ok(refused("moved", &why, Some(rollback)));
    }
    means.interrupt.past_the_point_of_no_return();
    screen.progress("Rolling back");
    let made = match platform.roll_back(&to) {
        Ok(made) => made,
        Err(Unmade::Refused(failure)) => {
            let mut outcome = Outcome::failed("rollback", &failure);
            outcome.message += " Heroku did not take the rollback.";
            outcome.rollback = Some(rollback);
            return Ok(outcome);
        }
        Err(Unmade::Unanswered(failure)) => {
            match made_without_an_answer(means, history.newest(), to.slug.as_deref()) {
                Resolved::Made(made) => made,
                unmade => {
                    let why = format!("The rollback {}: {failure}.", unmade.words());
                    return Ok(not_arrived(means, rollback, "unanswered", &why));
                }
            }
        }
    };
    rollback.makes = Some(made.clone());
    tell_what_was_undone(means, history.newest(), &made);
    let awaited = Awaited { release: &made, build: None, commit: old.as_deref() };
    let watched = watch(means, &app, &awaited, options.watch.patience(means.soak));
    Ok(ended(means, rollback, &made, watched))
}

fn ended(means: &Means<'_>, rollback: Rollback, made: &Release, watched: Watched) -> Outcome {
    let (to, name) = (rollback.to.release.name(), made.name());
    let (reason, why) = match watched {
        Watched::Arrived => {
            let message =
                |serves: &str| format!("Rolled back: {to} runs again, as {name}.\n{serves}");
            let mut outcome = outcome(means, "rollback", State::Arrived, None, message);
            outcome.rollback = Some(rollback);
            return outcome;
        }
        Watched::ReleaseFailed => {
            ("release-failed", format!("The release command of {name} failed, so it never ran."))
        }
        Watched::Superseded(newer) => {
            ("superseded", format!("After {name} came {}.", told(&newer)))
        }
        Watched::NotWell(found) => ("not-well", format!("{name} is not well: {found}.")),
        Watched::Interrupted => {
            ("interrupted", format!("Stopped watching {name}: it may arrive yet."))
        }
    };
    not_arrived(means, rollback, reason, &why)
}

fn not_arrived(means: &Means<'_>, rollback: Rollback, reason: &'static str, why: &str) -> Outcome {
    let message = |serves: &str| format!("{why}\n{serves} Look:");
    let mut outcome = outcome(means, "rollback", State::NotArrived, Some(reason), message);
    outcome.rollback = Some(rollback);
    outcome.next(means.platform.by_hand(ByHand::Releases(Stage::Production)))
}

fn refused(reason: &'static str, why: &str, rollback: Option<Rollback>) -> Outcome {
    let message = format!("Not rolled back: {why}.\nNothing was changed.");
    let mut outcome = Outcome::new("rollback", State::Refused, Some(reason), message);
    outcome.rollback = rollback;
    outcome
}

/// The release to go back to: the one that was asked for, else the one before. Why not, where there is none.
fn target(
    platform: &dyn Platform,
    app: &str,
    history: &History,
    current: &Release,
    wanted: Option<&str>,
) -> Result<Result<Release, (&'static str, String)>, Failure> {
    let Some(wanted) = wanted else {
        let found = history.before(undone(history, current));
        let none =
            || ("nothing-to-go-back-to", format!("there is no release before {}", current.name()));
        return Ok(found.cloned().ok_or_else(none));
    };
    let missing = || Failure::NoRelease {
        app: app.to_owned(),
        version: wanted.to_owned(),
        look: platform.by_hand(ByHand::Releases(Stage::Production)),
    };
    let found = history.named(wanted).ok_or_else(missing)?;
    Ok(if found.id == current.id {
        Err(("runs-already", format!("{} runs already", found.name())))
    } else if found.slug.is_none() || found.status != Status::Succeeded {
        Err(("not-to-go-back-to", format!("{} can't run: {}", found.name(), found.description)))
    } else {
        Ok(found.clone())
    })
}

/// The release whose predecessor is meant: where a rollback runs, the one that it brought back, and so on. Else
/// rollbacks in a row would bring back a bad release.
fn undone(history: &History, current: &Release) -> u64 {
    let brought_back = |release: &Release| -> Option<u64> {
        let back = release.description.to_lowercase();
        back.strip_prefix("rollback to v")?.split(' ').next()?.parse().ok()
    };
    let mut version = current.version;
    let mut next = brought_back(current);
    while let Some(back) = next.filter(|&back| back < version) {
        version = back;
        next = history.named(&back.to_string()).and_then(brought_back);
    }
    version
}

/// What it brings back, and what goes away.
fn shown(means: &Means<'_>, rollback: &Rollback, commit: Option<&str>) -> String {
    let Rollback { app, from, to, config_vars, .. } = rollback;
    let mut lines =
        vec![format!("{app} goes back from {}", from.told()), format!("to {}", to.release.told())];
    match (to.commit.as_deref(), commit) {
        _ if to.release.slug == from.slug => lines.push("The code stays as it is.".to_owned()),
        (Some(old), Some(new)) => {
            let (from, to) = (short_commit(new), short_commit(old));
            lines.push(format!("The code goes back from {from} to {to}"));
            let gone = means.repository.and_then(|clone| clone.log(old, new)).unwrap_or_default();
            if !gone.is_empty() {
                lines.push(format!("These commits go away:\n  {}", gone.join("\n  ")));
            }
        }
        _ => lines.push("The code changes; from which commit to which is not known.".to_owned()),
    }
    lines.push(match config_vars.as_ref().map(Changes::told) {
        Some(Some(told)) => format!("Its config vars change, too. {told}."),
        Some(None) => "Its config vars stay as they are.".to_owned(),
        None => "Which config vars this changes is not known.".to_owned(),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(version: u64, description: &str) -> Release {
        Release {
            id: version.to_string(),
            version,
            slug: Some("slug".to_owned()),
            status: Status::Succeeded,
            by: "me".to_owned(),
            description: description.to_owned(),
        }
    }

    #[test]
    fn two_rollbacks_in_a_row_do_not_bring_back_the_bad_release() {
        let back_to = |releases: Vec<Release>| {
            let history = History { current: Some(releases[0].version), releases };
            let current = history.running().unwrap();
            history.before(undone(&history, current)).unwrap().version
        };
        let mut releases = vec![
            release(9, "Promote myapp-staging v7 c0ffee0: bad"),
            release(8, "good"),
            release(7, "older"),
        ];
        assert_eq!(back_to(releases.clone()), 8);
        releases.insert(0, release(10, "Rollback to v8"));
        assert_eq!(back_to(releases.clone()), 7);
        releases.insert(0, release(11, "bad, too"));
        assert_eq!(back_to(releases.clone()), 10);
        // Which brought back 8. Before that was 7; 9 is bad.
        releases.insert(0, release(12, "Rollback to v10"));
        assert_eq!(back_to(releases), 7);
    }
}
