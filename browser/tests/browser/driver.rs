//! Chromium's own driver, by `WebDriver`: one for all tests. Each session is a browser, which serves one test after
//! the other.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
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
    agent: Agent,
    /// Where its sessions are.
    url: String,
    /// The addresses of those that no test has. To start a browser takes longer than most tests.
    idle: Mutex<Vec<String>>,
    /// Goes last.
    _process: Killed,
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
        let url = format!("http://127.0.0.1:{}/session", port.trim_end_matches('.'));
        let config = Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().into();
        Some(Self { agent, url, idle: Mutex::default(), _process: process })
    }

    /// Opens a window that knows of none before it.
    pub fn open(&self) -> Window<'_> {
        let idle = self.idle.lock().unwrap().pop();
        let session = idle.map_or_else(|| self.begin(), |url| Session { driver: self, url });
        session.turn_to_a_new_tab();
        Window::of(session)
    }

    /// Starts a browser, with an empty profile.
    fn begin(&self) -> Session<'_> {
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
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let begun = self.told("POST", &self.url, &wanted.to_string());
        let begun = begun.unwrap_or_else(|error| panic!("a browser: {error}"));
        let url = format!("{}/{}", self.url, begun["sessionId"].as_str().unwrap());
        Session { driver: self, url }
    }

    /// What the driver answers to a command; else what it says is wrong.
    fn told(&self, method: &str, url: &str, body: &str) -> Result<Value, String> {
        let request = Request::builder().method(method).uri(url).body(body).unwrap();
        let answer = self.agent.run(request).map_err(|error| error.to_string())?;
        let is_done = answer.status().is_success();
        let answer = answer.into_body().read_to_string().map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(|_| answer)?;
        let value = answer["value"].take();
        if is_done { Ok(value) } else { Err(value["message"].to_string()) }
    }

    /// Ends a session, and its browser with it.
    fn end(&self, url: &str) {
        if let Err(error) = self.told("DELETE", url, "") {
            eprintln!("the browser did not close: {error}");
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Browsers end with their sessions: a driver that is killed leaves them behind.
        self.idle.lock().unwrap().iter().for_each(|url| self.end(url));
    }
}

/// A session: a browser that is told what to do.
pub struct Session<'driver> {
    driver: &'driver Driver,
    url: String,
}

impl Session<'_> {
    pub fn get(&self, path: &str) -> Value {
        self.told("GET", path, "")
    }

    pub fn delete(&self, path: &str) -> Value {
        self.told("DELETE", path, "")
    }

    pub fn post(&self, path: &str, parameters: &Value) -> Value {
        self.told("POST", path, &parameters.to_string())
    }

    /// A command of the browser's own protocol.
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    fn told(&self, method: &str, path: &str, body: &str) -> Value {
        let told = self.driver.told(method, &format!("{}/{path}", self.url), body);
        told.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    /// What was set for a tab goes with it.
    fn turn_to_a_new_tab(&self) {
        let new = self.post("window/new", &json!({ "type": "tab" }));
        self.delete("window");
        self.post("window", &json!({ "handle": new["handle"] }));
        self.command("Network.clearBrowserCache", &json!({}));
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.driver.end(&self.url); // who knows what it shows
        } else {
            self.driver.idle.lock().unwrap().push(std::mem::take(&mut self.url));
        }
    }
}
