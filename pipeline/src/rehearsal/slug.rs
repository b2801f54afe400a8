//! From the working tree to a slug: what Heroku and the buildpack would make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, DirBuilder};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::failure::{Failure, system};
use crate::git::Repository;
use crate::interrupt::Interrupt;
use crate::random;
use crate::typed::git;

/// Builds with the flags of `RustConfig`, which the buildpack reads so, too. But a debug build: what `cargo run` built
/// is there already, and whoever rehearses waits for seconds instead of minutes.
const BUILD: &str = "if [ -e RustConfig ]; then . ./RustConfig; fi
set -- cargo build ${RUST_CARGO_BUILD_FLAGS//--release/}
echo \"$ $*   (a debug build, which is quicker: Heroku makes a release build)\" >&2
exec \"$@\" --message-format=json-render-diagnostics";

/// How often to look whether the build has ended: short beside what it takes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What cargo says of something that it built, as far as we need it.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

/// A directory that nobody else can look into, and that goes with this.
pub struct Directory(PathBuf);

/// What a dyno would get: files, and the lines of the `Procfile`.
pub struct Slug {
    pub directory: Directory,
    pub commit: String,
    pub processes: BTreeMap<String, String>,
}

impl Directory {
    fn new() -> Result<Self, Failure> {
        let directory = env::temp_dir().join(format!("slug-{}", random::digits(8)?));
        let made = DirBuilder::new().mode(0o700).create(&directory);
        made.map_err(system("a temporary directory"))?;
        Ok(Self(directory))
    }
}

impl AsRef<Path> for Directory {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Slug {
    /// Makes one, in a directory that goes with it.
    pub fn build(repository: &Repository, interrupt: &Interrupt) -> Result<Self, Failure> {
        if !repository.has_commit() {
            return Err(Failure::NoCommit);
        }
        let top = repository.top();
        let words = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
        let commit = git(&words).read(Some(top))?.trim().to_owned();
        let directory = Directory::new()?;
        copy_all(top, &directory.0)?;
        for executable in build(top, &commit, interrupt)? {
            let name = executable.file_name().unwrap_or_default();
            copy(&executable, &directory.0.join("target/release").join(name))?;
        }
        let procfile = fs::read_to_string(top.join("Procfile")).map_err(system("Procfile"))?;
        let lines = procfile.lines().filter_map(|line| line.split_once(':'));
        let processes =
            lines.map(|(name, line)| (name.trim().into(), line.trim().into())).collect();
        Ok(Self { directory, commit, processes })
    }

    /// What it is called: no other has its directory.
    pub fn name(&self) -> String {
        self.directory.0.display().to_string()
    }
}

/// Builds the working tree. Returns the executables.
fn build(top: &Path, commit: &str, interrupt: &Interrupt) -> Result<Vec<PathBuf>, Failure> {
    let mut build = Command::new("bash");
    build.args(["-c", BUILD]).current_dir(top).env("SOURCE_VERSION", commit);
    build.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0); // which can be stopped as one
    let mut child = build.spawn().map_err(system("cargo"))?;
    let mut stdout = child.stdout.take().expect("it is a pipe");
    let read = thread::spawn(move || {
        let mut told = Vec::new();
        let _ = stdout.read_to_end(&mut told);
        told
    });
    let status = loop {
        if let Some(status) = child.try_wait().map_err(system("cargo"))? {
            break status;
        }
        if interrupt.is_asked() {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = child.wait();
            return Err(Failure::Stopped);
        }
        thread::sleep(LOOK_AGAIN);
    };
    if !status.success() {
        return Err(Failure::Command { command: "cargo build".to_owned(), why: String::new() });
    }
    let told = read.join().unwrap_or_default();
    let artifacts = serde_json::Deserializer::from_slice(&told).into_iter::<Artifact>();
    Ok(artifacts.filter_map(|artifact| artifact.ok()?.executable).collect())
}

/// Copies what git knows, or would, without what `.slugignore` names. As Heroku does it, which gets a push: links
/// stay links, submodules come along, and a repository within this one that is no submodule does not.
fn copy_all(top: &Path, to: &Path) -> Result<(), Failure> {
    for file in files(top)? {
        let from = top.join(&file);
        match fs::symlink_metadata(&from) {
            // Deleted, and not committed yet.
            Err(_) => {}
            Ok(found) if found.is_dir() && !file.ends_with('/') => copy_all(&from, &to.join(file))?,
            Ok(found) if found.is_dir() => {}
            Ok(_) => copy(&from, &to.join(file))?,
        }
    }
    Ok(())
}

/// The files of a repository; a submodule is a folder, one that only lies there a folder with a slash behind it.
fn files(top: &Path) -> Result<BTreeSet<String>, Failure> {
    let list = |options: &[&str]| -> Result<BTreeSet<String>, Failure> {
        let words = [&["ls-files", "-z", "--cached", "--others"], options].concat();
        let list = git(&words).read(Some(top))?;
        Ok(list.split_terminator('\0').map(str::to_owned).collect())
    };
    let mut files = list(&["--exclude-standard"])?;
    if files.contains(".slugignore") {
        let ignored = list(&["--ignored", "--exclude-from=.slugignore"])?;
        files.retain(|file| !ignored.contains(file));
    }
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let copied = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let is_link = fs::symlink_metadata(from)?.is_symlink();
        if is_link { symlink(fs::read_link(from)?, to) } else { fs::copy(from, to).map(drop) }
    });
    copied.map_err(system(from.display().to_string()))
}
