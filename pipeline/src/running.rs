//! What an app answers at `/release`: what it says that it runs.

use serde::Serialize;
use serde_json::Value;

use crate::screen::one_line;

/// Where it is told.
pub const RELEASE: &str = "/release";

/// Where an app says whether it is well.
pub const HEALTH: &str = "/health";

/// A digest that fits in a column: two that begin alike do so by chance once in 2^64 times.
const SHORT_DIGEST: usize = "sha256:".len() + 16;

/// What runs there. Only `build` must be told: a copy of Callboard may have dropped any other field, given it
/// another form, or added some, and can be promoted all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Running {
    /// What the release says of itself.
    pub message: Option<String>,
    /// `APP_ENV`.
    pub environment: Option<String>,
    /// The version in `Cargo.toml`.
    pub version: Option<String>,
    /// `sha256:` and the digest of the running executable.
    pub build: String,
    /// The commit that was built.
    pub commit: Option<String>,
    /// The app on Heroku.
    pub app: Option<String>,
    /// The app's release, as `v42`.
    pub release: Option<String>,
    /// When that release was made, as Heroku writes it.
    pub released_at: Option<String>,
}

impl Running {
    /// Reads an answer; `None` where it names no build.
    pub fn read(answer: &str) -> Option<Self> {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let told = |name: &str| {
            let text = answer.get(name)?.as_str().map(one_line);
            text.filter(|text| !text.is_empty())
        };
        Some(Self {
            message: told("message"),
            environment: told("environment"),
            version: told("version"),
            build: told("build")?,
            commit: told("commit").filter(|commit| is_commit(commit)),
            app: told("app"),
            release: told("release"),
            released_at: told("released_at"),
        })
    }
}

/// What a rehearsal writes behind the commit where there are changes that are not committed.
const DIRTY: &str = "-dirty";

/// Whether there were changes that only the working tree had.
pub fn is_dirty(commit: &str) -> bool {
    commit.ends_with(DIRTY)
}

/// The commit, without the changes that were not committed.
pub fn committed(commit: &str) -> &str {
    commit.trim_end_matches(DIRTY)
}

/// Whether this is a commit's name, which may be given to git: not an option of its commands.
pub fn is_commit(text: &str) -> bool {
    let digits = committed(text);
    (7..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A digest that fits in a column.
pub fn short_build(build: &str) -> String {
    build.chars().take(SHORT_DIGEST).collect()
}

/// The same of a commit.
pub fn short_commit(commit: &str) -> String {
    let changes = if is_dirty(commit) { " and changes" } else { "" };
    committed(commit).chars().take(12).collect::<String>() + changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_a_copy_has_dropped_changed_or_added_keep_nobody_from_reading_the_build() {
        assert_eq!(Running::read(r#"{"build":"sha256:0"}"#).unwrap().build, "sha256:0");
        let more = r#"{"build":"sha256:0","commit":"c0ffee0","version":[1],"message":{"en":"Hi"},"curtain":{"up":true}}"#;
        let more = Running::read(more).unwrap();
        assert_eq!(
            (more.commit.as_deref(), more.version, more.message),
            (Some("c0ffee0"), None, None)
        );
    }

    #[test]
    fn without_a_build_it_is_no_release() {
        for answer in
            [r#"{"message":"Hello"}"#, r#"{"build":""}"#, r#"{"build":7}"#, "[]", "<html>"]
        {
            assert_eq!(Running::read(answer), None, "{answer}");
        }
    }

    #[test]
    fn what_is_no_commit_gets_to_no_command_of_gits() {
        let read =
            |commit| Running::read(&format!(r#"{{"build":"b","commit":"{commit}"}}"#)).unwrap();
        for commit in ["--output=/etc/passwd", "main", "unknown", "c0ffee", "c0ffee0..HEAD"] {
            assert_eq!(read(commit).commit, None, "{commit}");
        }
        assert_eq!(read("c0ffee0-dirty").commit.as_deref(), Some("c0ffee0-dirty"));
        assert_eq!(short_commit("c0ffee0-dirty"), "c0ffee0 and changes");
    }
}
