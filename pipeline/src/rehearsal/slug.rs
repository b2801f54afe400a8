//! From the working tree to a slug: what the buildpack would make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use crate::command::git;
use crate::failure::{Failure, system};

/// Builds with the flags of `RustConfig`, which the buildpack reads so, too.
const BUILD: &str = "if [ -e RustConfig ]; then . ./RustConfig; fi
set -- cargo build ${RUST_CARGO_BUILD_FLAGS:---release}
echo \"$ $*\" >&2
exec \"$@\" --message-format=json-render-diagnostics";

/// What cargo says of something that it built, as far as we need it.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

/// What a dyno would get: files, and the lines of the `Procfile`.
pub struct Slug {
    pub directory: TempDir,
    pub commit: String,
    pub processes: BTreeMap<String, String>,
}

impl Slug {
    /// Makes one, in a directory that goes with it.
    pub fn build() -> Result<Self, Failure> {
        let words = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
        let commit = git(&words).read()?.trim().to_owned();
        let directory = TempDir::with_prefix("slug-").map_err(system("a temporary directory"))?;
        for file in files()?.iter().filter(|file| Path::new(file).exists()) {
            copy(Path::new(file), &directory.path().join(file))?;
        }
        let mut build = Command::new("bash");
        build.args(["-c", BUILD]).env("SOURCE_VERSION", &commit).stdin(Stdio::null());
        let ran = build.stderr(Stdio::inherit()).output().map_err(system("cargo"))?;
        if !ran.status.success() {
            return Err(Failure::Command { command: "cargo build".to_owned(), why: String::new() });
        }
        let artifacts = serde_json::Deserializer::from_slice(&ran.stdout).into_iter::<Artifact>();
        for executable in artifacts.filter_map(|artifact| artifact.ok()?.executable) {
            let name = executable.file_name().unwrap_or_default();
            copy(&executable, &directory.path().join("target/release").join(name))?;
        }
        let procfile = fs::read_to_string("Procfile").map_err(system("Procfile"))?;
        let lines = procfile.lines().filter_map(|line| line.split_once(':'));
        let processes =
            lines.map(|(name, line)| (name.trim().into(), line.trim().into())).collect();
        Ok(Self { directory, commit, processes })
    }
}

/// The files that git knows, or would, without those of `.slugignore`.
fn files() -> Result<BTreeSet<String>, Failure> {
    let list = |options: &[&str]| -> Result<BTreeSet<String>, Failure> {
        let list = git(&[&["ls-files", "-z", "--cached", "--others"], options].concat()).read()?;
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
    let directory = to.parent().map_or(Ok(()), fs::create_dir_all);
    let copied = directory.and_then(|()| fs::copy(from, to));
    copied.map(drop).map_err(system(from.display().to_string()))
}
