//! What an app answers at `/release`.

use serde::{Deserialize, Serialize};

/// Where it is told.
pub const RELEASE: &str = "/release";

/// Where an app says whether it is well.
pub const HEALTH: &str = "/health";

/// What runs there. Only `build` must be told: a copy of Callboard may have dropped any other field, or added
/// some, and can be promoted all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "they are the fields of the JSON")]
pub struct Release {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_a_copy_has_dropped_or_added_keep_nobody_from_reading_the_build() {
        let read = serde_json::from_str::<Release>;
        assert_eq!(read(r#"{"build":"sha256:0"}"#).unwrap().build, "sha256:0");
        let more = read(r#"{"build":"sha256:0","commit":"c0ffee","curtain":{"up":true}}"#).unwrap();
        assert_eq!(more.commit.as_deref(), Some("c0ffee"));
    }

    #[test]
    fn without_a_build_it_is_no_release() {
        assert!(serde_json::from_str::<Release>(r#"{"message":"Hello"}"#).is_err());
    }
}
