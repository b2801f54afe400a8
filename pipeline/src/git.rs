//! What the local clone knows: which app a remote leads to, and what lies between two commits.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, system};
use crate::running::committed;
use crate::screen::{one_line, without_login};
use crate::stage::Stage;
use crate::typed::{Typed, git};

/// How git says by its exit code that there is no such remote: since 2.30, and in any language.
const NO_SUCH_REMOTE: i32 = 2;

/// As many commits as anybody reads. How many there are is said all the same.
const MOST_COMMITS: &str = "--max-count=30";

/// The clone that we are in.
pub struct Repository {
    top: PathBuf,
}

/// How many commits lie between two: those that only the one has, and those that only the other has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Only staging has these.
    pub ahead: usize,
    /// Only production has these.
    pub behind: usize,
}

impl Repository {
    /// The clone around us, from whichever folder of it.
    pub fn around() -> Result<Self, Failure> {
        let command = git(&["rev-parse", "--show-toplevel"]);
        let ran = command.output(None)?;
        if ran.status.success() {
            let top = String::from_utf8_lossy(&ran.stdout).trim_end().to_owned();
            return Ok(Self { top: top.into() });
        }
        // Where there is one, git has another reason, such as another owner: it knows the remedy, too.
        let here = env::current_dir().map_err(system("this folder"))?;
        let is_there = here.ancestors().any(|folder| folder.join(".git").exists());
        Err(if is_there { command.failed(&ran) } else { Failure::NoClone })
    }

    /// Its folder, where `app.json` and the `Procfile` are.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// A file in the folder that all worktrees of this clone share, and that is no part of it.
    pub fn private(&self, file: &str) -> Result<PathBuf, Failure> {
        let folder = self.read(&git(&["rev-parse", "--git-common-dir"]))?;
        Ok(self.top.join(folder.trim_end()).join(file))
    }

    /// The app that the remote of a stage leads to, where there is such a remote.
    pub fn app_of(&self, stage: Stage) -> Result<Option<String>, Failure> {
        let remote = stage.remote();
        let Some(address) = self.address(remote)? else { return Ok(None) };
        let app = app_in(&address)
            .ok_or_else(|| Failure::OddRemote(remote, one_line(&without_login(&address))))?;
        Ok(Some(app.to_owned()))
    }

    fn address(&self, remote: &str) -> Result<Option<String>, Failure> {
        let command = git(&["remote", "get-url", remote]);
        let ran = command.output(Some(&self.top))?;
        match ran.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&ran.stdout).trim().to_owned())),
            Some(NO_SUCH_REMOTE) => Ok(None),
            _ => Err(command.failed(&ran)),
        }
    }

    /// How far it is from one commit to another. `None` where the clone does not have both.
    pub fn distance(&self, from: &str, to: &str) -> Option<Distance> {
        let range = format!("{}...{}", committed(from), committed(to));
        let counts =
            self.read(&git(&["rev-list", "--left-right", "--count", &range, "--"])).ok()?;
        let (behind, ahead) = counts.trim().split_once('\t')?;
        Some(Distance { ahead: ahead.parse().ok()?, behind: behind.parse().ok()? })
    }

    /// The commits that `to` has and `from` lacks, newest first: each its name and its subject.
    pub fn log(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let range = format!("{}..{}", committed(from), committed(to));
        let words = ["log", "--no-color", "--no-show-signature", "--format=%h %s", MOST_COMMITS];
        let log = self.read(&git(&words).with(&[&range, "--"])).ok()?;
        Some(log.lines().map(one_line).collect())
    }

    /// A file as a commit has it.
    pub fn file_at(&self, commit: &str, file: &str) -> Option<String> {
        self.read(&git(&["show", &format!("{}:{file}", committed(commit))])).ok()
    }

    /// What to type so that this clone knows the commits of both stages.
    pub fn fetch(&self) -> &'static str {
        let shallow = self.read(&git(&["rev-parse", "--is-shallow-repository"]));
        if shallow.is_ok_and(|answer| answer.trim() == "true") {
            "git fetch --unshallow"
        } else {
            "git fetch --all"
        }
    }

    /// The page that compares two commits, where `origin` is a host that has such a page.
    pub fn compare_link(&self, from: &str, to: &str) -> Option<String> {
        compare_link(&self.address("origin").ok()??, committed(from), committed(to))
    }

    /// The branch that we are on. `None` on none.
    pub fn branch(&self) -> Option<String> {
        let branch = self.read(&git(&["symbolic-ref", "--quiet", "--short", "HEAD"])).ok()?;
        Some(branch.trim().to_owned())
    }

    /// Whether there is anything to push.
    pub fn has_commit(&self) -> bool {
        self.read(&git(&["rev-parse", "--quiet", "--verify", "HEAD"])).is_ok()
    }

    fn read(&self, command: &Typed) -> Result<String, Failure> {
        command.read(Some(&self.top))
    }
}

/// The app's name: the last part of an address, in each form that git takes.
fn app_in(address: &str) -> Option<&str> {
    let name = address.trim_end_matches('/').rsplit(['/', ':']).next()?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (!name.is_empty() && name.bytes().all(is_allowed)).then_some(name)
}

/// These hosts compare two commits at such an address.
fn compare_link(origin: &str, from: &str, to: &str) -> Option<String> {
    let rest = origin.rsplit_once("://").map_or(origin, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let (host, path) = rest.split_once([':', '/'])?;
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let path = path
        .split_once('/')
        .filter(|(port, _)| port.parse::<u16>().is_ok())
        .map_or(path, |(_, path)| path);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    if !path.bytes().all(is_plain) || !path.contains('/') {
        return None;
    }
    match host {
        "github.com" => Some(format!("https://github.com/{path}/compare/{from}...{to}")),
        "gitlab.com" => Some(format!("https://gitlab.com/{path}/-/compare/{from}...{to}")),
        "codeberg.org" => Some(format!("https://codeberg.org/{path}/compare/{from}...{to}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_leads_to_the_app_at_the_end_of_its_address() {
        for address in [
            "https://git.heroku.com/myapp.git",
            "https://git.heroku.com/myapp.git/",
            "https://git.heroku.com/myapp",
            "https://me@git.heroku.com/myapp.git",
            "git@heroku.com:myapp.git",
            "ssh://git@heroku.com/myapp.git",
            "https://127.0.0.1:8/myapp.git",
        ] {
            assert_eq!(app_in(address), Some("myapp"), "{address}");
        }
        for address in ["https://git.heroku.com/", "/srv/git/My App", ""] {
            assert_eq!(app_in(address).filter(|name| *name == "myapp"), None, "{address}");
        }
    }

    #[test]
    fn a_known_host_compares_commits() {
        for origin in [
            "https://github.com/me/board.git",
            "git@github.com:me/board.git",
            "ssh://git@github.com:22/me/board",
            "https://token@github.com/me/board/",
        ] {
            let link = compare_link(origin, "a1", "b2");
            assert_eq!(
                link.as_deref(),
                Some("https://github.com/me/board/compare/a1...b2"),
                "{origin}"
            );
        }
        for origin in
            ["/srv/board.git", "git@example.com:me/board.git", "git@github.com:\u{1b}[2J/x"]
        {
            assert_eq!(compare_link(origin, "a1", "b2"), None, "{origin}");
        }
    }
}
