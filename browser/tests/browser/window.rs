//! A browser window: Chromium without a screen, driven through its own driver.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::common::print::PrintParameters;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::runtime::{self, Runtime};

use testbed::{Killed, PATIENCE, directory};

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

/// Starts chromedriver on a free port; `None` if it ends without saying which.
fn start_driver() -> Option<(Killed, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_or_else(|error| panic!("chromedriver: {error}"), Killed);
    let mut lines = BufReader::new(driver.0.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        line.split_once("successfully on port ").map(|(_, port)| port.to_owned())
    })?;
    thread::spawn(move || lines.for_each(drop)); // else it would wait for us to read
    Some((driver, port.trim_end_matches('.').parse().unwrap()))
}

/// What the reader prefers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Theme {
    Light,
    Dark,
}

pub struct Window {
    /// `None` once it is closed.
    session: Option<WebDriver>,
    runtime: Runtime,
    _driver: Killed,
}

impl Window {
    /// Opens one, with an empty profile.
    pub fn open() -> Self {
        // It takes a free port of IPv4, and ends where that of IPv6 is in use.
        let started = (0..5).find_map(|_| start_driver());
        let (driver, port) = started.expect("chromedriver starts, and says its port");

        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(browser().expect("a browser").to_str().unwrap()).unwrap();
        let profile = format!("--user-data-dir={}", directory().display());
        for argument in [
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
        ] {
            wanted.add_arg(argument).unwrap();
        }
        for log in ["browser", "performance"] {
            wanted.set_logging_prefs(log.to_owned(), LoggingPrefsLogLevel::All).unwrap();
        }
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let session = runtime.block_on(async {
            WebDriver::builder(url, wanted).request_timeout(PATIENCE).connect().await
        });
        let window = Self { session: Some(session.unwrap()), runtime, _driver: driver };
        window.go("about:blank"); // instead of the browser's own first page
        window.requests();
        window
    }

    fn session(&self) -> &WebDriver {
        self.session.as_ref().expect("it is open until it is dropped")
    }

    /// A command of the browser's own protocol.
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.runtime.block_on(self.session().cdp().send_raw(name, parameters)).unwrap()
    }

    /// Makes it so wide, for a reader who prefers this theme.
    pub fn set(&self, width: u16, theme: Theme) {
        self.resize(width, 900);
        self.emulate("", theme);
    }

    pub fn resize(&self, width: u16, height: u16) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Loads nothing from addresses of these patterns, until it is told others.
    pub fn block(&self, patterns: &[&str]) {
        self.command("Network.enable", &json!({}));
        self.command("Network.setBlockedURLs", &json!({ "urls": patterns }));
    }

    /// Shows the page as on this medium: `print`, or nothing for a screen.
    pub fn emulate(&self, medium: &str, theme: Theme) {
        let theme = format!("{theme:?}").to_lowercase();
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.command(
            "Emulation.setEmulatedMedia",
            &json!({ "media": medium, "features": features }),
        );
    }

    /// Runs this script before those of each page to come.
    pub fn before_each_page(&self, script: &str) {
        self.command("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Sets all that this page shows in this font; in the page's own where it has no name.
    pub fn take_font(&self, name: &str) {
        let rule = match name {
            "" => String::new(),
            name => format!("* {{ font-family: '{name}' !important }}"),
        };
        // The content security policy would refuse a `style` element.
        self.run(&format!(
            "const sheet = new CSSStyleSheet();
            sheet.replaceSync(\"{rule}\");
            document.adoptedStyleSheets = [sheet]"
        ));
    }

    /// Opens an address, and waits until its page is loaded.
    pub fn go(&self, url: &str) {
        self.runtime.block_on(self.session().goto(url)).unwrap();
    }

    /// What a function of this body returns.
    pub fn run(&self, body: &str) -> Value {
        let returned = self.runtime.block_on(self.session().execute(body, vec![]));
        returned.unwrap_or_else(|error| panic!("{body}: {error}")).json().clone()
    }

    /// What comes of a promise that this expression is.
    pub fn wait_for_promise(&self, expression: &str) -> Value {
        let body =
            format!("const done = arguments[0]; ({expression}).then(done, e => done(String(e)))");
        let session = self.session();
        self.runtime.block_on(async {
            session.set_script_timeout(PATIENCE).await.unwrap();
            session.execute_async(body, vec![]).await.unwrap().json().clone()
        })
    }

    /// Waits until this expression is true.
    pub fn wait_until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(&format!("return Boolean({expression})")) != json!(true) {
            assert!(Instant::now() < deadline, "it never is: {expression}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The text of the first element of this kind, as it is seen.
    pub fn text(&self, selector: &str) -> String {
        self.runtime.block_on(async {
            self.session().find(By::Css(selector)).await.unwrap().text().await.unwrap()
        })
    }

    /// Presses a key, wherever the focus is.
    pub fn press(&self, key: Key) {
        let keys = self.session().action_chain().send_keys(key);
        self.runtime.block_on(keys.perform()).unwrap();
    }

    /// Clicks on the first element of this kind.
    pub fn click(&self, selector: &str) {
        self.runtime.block_on(async {
            self.session().find(By::Css(selector)).await.unwrap().click().await.unwrap();
        });
    }

    /// Covers the page with another tab while `meanwhile` runs.
    pub fn behind_another_tab(&self, meanwhile: impl FnOnce()) {
        self.runtime.block_on(async {
            let (session, ours) = (self.session(), self.session().window().await.unwrap());
            let other = session.new_tab().await.unwrap();
            session.switch_to_window(other).await.unwrap();
            meanwhile();
            session.close_window().await.unwrap();
            session.switch_to_window(ours).await.unwrap();
        });
    }

    /// How many pages it takes on paper.
    pub fn pages_on_paper(&self) -> usize {
        let printed = self.runtime.block_on(self.session().print_page(PrintParameters::default()));
        let pdf = printed.unwrap();
        let marks = pdf.windows(b"/Type /Page".len() + 1);
        marks.filter(|mark| mark.starts_with(b"/Type /Page") && !mark.ends_with(b"s")).count()
    }

    /// What the browser had to complain of since the last time: scripts, the content security policy,
    /// requests that failed.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.runtime.block_on(self.session().get_log("browser")).unwrap();
        log.into_iter().map(|entry| format!("{}: {}", entry.level, entry.message)).collect()
    }

    /// The address of every request since the last time.
    pub fn requests(&self) -> Vec<String> {
        let log = self.runtime.block_on(self.session().get_log("performance")).unwrap();
        let events = log.iter().map(|entry| serde_json::from_str::<Value>(&entry.message).unwrap());
        let sent = events.map(|mut event| event["message"].take());
        sent.filter(|event| event["method"] == "Network.requestWillBeSent")
            .map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The browser ends with its session: only then may the driver be killed.
        let closed = self.session.take().map(|session| self.runtime.block_on(session.quit()));
        if let Some(Err(error)) = closed {
            eprintln!("the browser did not close: {error}");
        }
    }
}
