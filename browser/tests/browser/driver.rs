//! Chromium's own driver: one for all tests. Each window is a session of it, by `WebDriver`, and a browser by itself.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};
use testbed::{Killed, PATIENCE, directory};
use ureq::Agent;
use ureq::http::Request;

use super::window::Window;

/// Why no window can be opened here, if none can.
pub fn missing() -> Option<&'static str> {
    if found(&["chromedriver"]).is_none() {
        Some("there is no chromedriver: on Debian, apt-get install chromium chromium-driver")
    } else if browser().is_none() {
        Some("there is no Chromium, and no Chrome")
    } else {
        None
    }
}

fn browser() -> Option<PathBuf> {
    let on_macos = Path::new("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    found(&["chromium", "chromium-browser", "google-chrome"])
        .or_else(|| on_macos.exists().then(|| on_macos.to_owned()))
}

/// The first of these programs that is on the path.
fn found(programs: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path)
        .flat_map(|folder| programs.iter().map(move |program| folder.join(program)));
    places.find(|place| place.exists())
}

/// A running driver.
pub struct Driver {
    /// Goes with this.
    _process: Killed,
    port: u16,
}

impl Driver {
    /// Starts it on a free port.
    pub fn start() -> Self {
        // It takes a free port of IPv4, and ends where that of IPv6 is in use.
        (0..5).find_map(|_| Self::try_to_start()).expect("chromedriver starts, and says its port")
    }

    /// `None` if it ends without saying which port it has.
    fn try_to_start() -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_or_else(|error| panic!("chromedriver: {error}"), Killed);
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once("successfully on port ").map(|(_, port)| port.to_owned())
        })?;
        thread::spawn(move || lines.for_each(drop)); // else it would wait for us to read
        Some(Self { _process: process, port: port.trim_end_matches('.').parse().unwrap() })
    }

    /// Opens a window, with an empty profile.
    pub fn open(&self) -> Window {
        let profile = format!("--user-data-dir={}", directory().display());
        let arguments = [
            &profile,
            "--headless",
            "--no-sandbox", // which root can't have
            "--disable-dev-shm-usage",
            "--disable-gpu",
            // Nothing but the pages: no updates, no look-ups.
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": browser().expect("a browser"), "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "script": PATIENCE.as_millis() },
        });
        let config = Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().into();
        let mut session = Session { agent, url: format!("http://127.0.0.1:{}/session", self.port) };
        let begun = session.post("", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        session.url = format!("{}/{}", session.url, begun["sessionId"].as_str().unwrap());
        Window::of(session)
    }
}

/// A session: a browser that is told what to do. It ends with this.
pub struct Session {
    agent: Agent,
    url: String,
}

impl Session {
    pub fn get(&self, path: &str) -> Value {
        self.told("GET", path, String::new()).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn delete(&self, path: &str) -> Value {
        self.told("DELETE", path, String::new()).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn post(&self, path: &str, parameters: &Value) -> Value {
        let told = self.told("POST", path, parameters.to_string());
        told.unwrap_or_else(|error| panic!("{path}, {parameters}: {error}"))
    }

    /// What the driver answers to a command; else what it says is wrong.
    fn told(&self, method: &str, path: &str, body: String) -> Result<Value, String> {
        let url = format!("{}/{path}", self.url);
        let request = Request::builder().method(method).uri(url.trim_end_matches('/'));
        let answer =
            self.agent.run(request.body(body).unwrap()).map_err(|error| error.to_string())?;
        let is_done = answer.status().is_success();
        let answer = answer.into_body().read_to_string().map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(|_| answer)?;
        let value = answer["value"].take();
        if is_done { Ok(value) } else { Err(value["message"].to_string()) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The browser ends with its session: the driver, if it were killed, would leave it behind.
        if let Err(error) = self.told("DELETE", "", String::new()) {
            eprintln!("the browser did not close: {error}");
        }
    }
}
