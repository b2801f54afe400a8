//! Heroku's Platform API: its host, its token, its errors. What it is asked stands in `heroku.rs`.

use std::env;
use std::thread;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::http::{Http, is_loopback, never_left};
use crate::screen::{one_line, without_login};
use crate::typed::heroku;

/// The version of the API that these requests are written for.
const VERSION: &str = "application/vnd.heroku+json; version=3";

/// The API is behind Heroku's own router, which gives up after 30 s (H12). A little more, to hear it say so.
const PATIENCE: Duration = Duration::from_secs(35);

/// How often something is asked that changes nothing, where the answer did not come.
const TRIES: usize = 3;

/// Between them.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest list of releases or config vars is far shorter.
const LONGEST_ANSWER: u64 = 4 * 1024 * 1024;

/// The Platform API, for one account.
pub struct Api {
    http: Http,
    base: String,
    token: SecretString,
    /// From `HEROKU_API_KEY`, and not from a login of the heroku command.
    is_from_environment: bool,
}

/// A change that was asked for, and that we have no good answer to.
#[derive(Debug)]
pub enum Unmade {
    /// It was not made: that much is known.
    Refused(Failure),
    /// It may have been made.
    Unanswered(Failure),
}

/// How Heroku says what is wrong.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    message: String,
}

impl Api {
    /// Host and token are those of the heroku command.
    pub fn open() -> Result<Self, Failure> {
        let base = base(env::var("HEROKU_HOST").ok().as_deref())?;
        // The heroku command takes it from there, too: it need not be installed, as in a CI job.
        let key = env::var("HEROKU_API_KEY").ok().filter(|key| !key.trim().is_empty());
        let is_from_environment = key.is_some();
        let token = key.map_or_else(token_of_the_login, Ok)?;
        let token = token.trim().to_owned().into();
        Ok(Self { http: Http::new(PATIENCE, 0), base, token, is_from_environment })
    }

    /// Asks, and asks again where no answer comes: nothing is changed by it.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.list(path, "")
    }

    /// The same, of a list: which part of it, in which order, as the API's `Range` has it.
    pub fn list<T: DeserializeOwned>(&self, path: &str, range: &str) -> Result<T, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.ask(path, range) {
                Err(failure) if tries < TRIES && may_pass(&failure) => thread::sleep(PAUSE),
                answered => return answered,
            }
        }
    }

    fn ask<T: DeserializeOwned>(&self, path: &str, range: &str) -> Result<T, Failure> {
        let mut request = self.http.get(&(self.base.clone() + path)).header("Accept", VERSION);
        if !range.is_empty() {
            request = request.header("Range", range);
        }
        let answer = request.header("Authorization", self.authorization()).call();
        self.read(path, answer.map_err(|error| self.unreachable(&error))?)
    }

    /// Asks for a change, once.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Unmade> {
        let body = serde_json::to_vec(body).expect("names and texts are JSON");
        let request = self.http.post(&(self.base.clone() + path)).header("Accept", VERSION);
        let request = request.header("Content-Type", "application/json");
        let sent = request.header("Authorization", self.authorization()).send(&body[..]);
        let answer = sent.map_err(|error| {
            let failure = self.unreachable(&error);
            if never_left(&error) { Unmade::Refused(failure) } else { Unmade::Unanswered(failure) }
        })?;
        let status = answer.status().as_u16();
        self.read(path, answer).map_err(|failure| match status {
            // It understood, and says no.
            400..500 => Unmade::Refused(failure),
            _ => Unmade::Unanswered(failure),
        })
    }

    fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        mut answer: ureq::http::Response<ureq::Body>,
    ) -> Result<T, Failure> {
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string();
        match status {
            200..300 => {
                let body = body.map_err(|error| self.unreachable(&error))?;
                // Without the answer's own words: config vars may be among them.
                serde_json::from_str(&body).map_err(|error| Failure::Unexpected {
                    from: format!("{}{path}", without_login(&self.base)),
                    why: format!("line {}, column {}", error.line(), error.column()),
                })
            }
            401 if self.is_from_environment => Err(Failure::WrongKey),
            401 => Err(Failure::NotLoggedIn),
            429 => Err(Failure::TooManyRequests),
            status => {
                let problem: Option<Problem> =
                    body.ok().and_then(|body| serde_json::from_str(&body).ok());
                let message = one_line(&problem.unwrap_or_default().message);
                Err(Failure::Answered { status, message })
            }
        }
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.token.expose_secret())
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::Unreachable(without_login(&self.base), one_line(&error.to_string()))
    }
}

/// What the heroku command has from its last login.
fn token_of_the_login() -> Result<String, Failure> {
    heroku(&["auth:token"]).read(None).map_err(|failure| match failure {
        Failure::Command { why, .. } if why.contains("not logged in") => Failure::NotLoggedIn,
        failure => failure,
    })
}

/// Where the API is: a value that begins with `http` is all of its address, as the heroku command has it.
fn base(host: Option<&str>) -> Result<String, Failure> {
    let base = match host.map(str::trim).filter(|host| !host.is_empty()) {
        None => "https://api.heroku.com".to_owned(),
        Some(host) if host.starts_with("http") => host.trim_end_matches('/').to_owned(),
        Some(host) => format!("https://api.{host}"),
    };
    if base.starts_with("https://") || is_loopback(&base) {
        Ok(base)
    } else {
        Err(Failure::OpenHost(without_login(&base)))
    }
}

/// Whether the same question may be answered a moment later.
fn may_pass(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Unreachable(..)
            | Failure::TooManyRequests
            | Failure::Answered { status: 500.., .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_as_the_heroku_command_finds_it() {
        assert_eq!(base(None).unwrap(), "https://api.heroku.com");
        assert_eq!(base(Some("")).unwrap(), "https://api.heroku.com");
        assert_eq!(base(Some("herokudev.com")).unwrap(), "https://api.herokudev.com");
        assert_eq!(base(Some("http://127.0.0.1:5000/")).unwrap(), "http://127.0.0.1:5000");
    }

    #[test]
    fn a_token_never_travels_in_the_clear() {
        for host in ["http://api.heroku.com", "http://localhost.example.com"] {
            assert!(matches!(base(Some(host)), Err(Failure::OpenHost(_))), "{host}");
        }
    }
}
