//! What the local clone knows: which app a remote leads to, and what lies between two commits.

use std::env;

use crate::command::git;
use crate::failure::{Failure, system};
use crate::judgement::{Distance, committed};

/// Goes to the top of the clone, where `app.json` and the `Procfile` are, from whichever folder of it.
pub fn go_to_the_top() -> Result<(), Failure> {
    let here = env::current_dir().map_err(system("this folder"))?;
    let top = here.ancestors().find(|folder| folder.join(".git").exists());
    env::set_current_dir(top.ok_or(Failure::NoClone)?).map_err(system("the top of this clone"))
}

/// The app that a remote leads to: the last part of its address, as in `https://git.heroku.com/myapp.git`.
pub fn app_of(remote: &str) -> Result<Option<String>, Failure> {
    let address = match git(&["remote", "get-url", remote]).read() {
        Ok(address) => address,
        Err(Failure::Command { .. }) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    Ok(app_in(address.trim()))
}

/// How far it is from one commit to another. `None` where the clone does not have both.
pub fn distance(from: &str, to: &str) -> Option<Distance> {
    let range = format!("{}...{}", committed(from), committed(to));
    let counts = git(&["rev-list", "--left-right", "--count", &range]).read().ok()?;
    let (behind, ahead) = counts.trim().split_once('\t')?;
    Some(Distance { ahead: ahead.parse().ok()?, behind: behind.parse().ok()? })
}

/// The commits that `to` has and `from` lacks, a line each, newest first.
pub fn log(from: &str, to: &str) -> Option<String> {
    git(&["log", "--oneline", "--no-decorate", &format!("{}..{}", committed(from), committed(to))])
        .read()
        .ok()
}

/// A file as a commit has it.
pub fn file_at(commit: &str, file: &str) -> Option<String> {
    git(&["show", &format!("{}:{file}", committed(commit))]).read().ok()
}

fn app_in(address: &str) -> Option<String> {
    let name = address.rsplit(['/', ':']).next()?.trim_end_matches(".git");
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_leads_to_the_app_at_the_end_of_its_address() {
        for address in [
            "https://git.heroku.com/myapp.git",
            "git@heroku.com:myapp.git",
            "https://127.0.0.1:8/myapp.git",
        ] {
            assert_eq!(app_in(address).as_deref(), Some("myapp"), "{address}");
        }
        assert_eq!(app_in("https://git.heroku.com/"), None);
    }
}
