//! A browser window, and what can be done in it.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use testbed::PATIENCE;

use super::driver::Session;

/// What the reader prefers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Theme {
    Light,
    Dark,
}

/// A key, as `WebDriver` names those that write nothing.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    Tab = 0xe004,
    Enter = 0xe007,
    Shift = 0xe008,
}

pub struct Window<'driver>(Session<'driver>);

impl<'driver> Window<'driver> {
    /// The window of this session, which has shown nothing yet.
    pub fn of(session: Session<'driver>) -> Self {
        let window = Self(session);
        // Those of the browser's own first page, and of who had it before.
        window.requests();
        window.complaints();
        window
    }

    /// A command of the browser's own protocol.
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.0.command(name, parameters)
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
        self.0.post("url", &json!({ "url": url }));
    }

    /// What a function of this body returns.
    pub fn run(&self, body: &str) -> Value {
        self.0.post("execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// What comes of a promise that this expression is.
    pub fn wait_for_promise(&self, expression: &str) -> Value {
        let body =
            format!("const done = arguments[0]; ({expression}).then(done, e => done(String(e)))");
        self.0.post("execute/async", &json!({ "script": body, "args": [] }))
    }

    /// Waits until this expression is true.
    pub fn wait_until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(&format!("return Boolean({expression})")) != json!(true) {
            assert!(Instant::now() < deadline, "it never is: {expression}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The path of the first element of this kind.
    fn element(&self, selector: &str) -> String {
        let found = self.0.post("element", &json!({ "using": "css selector", "value": selector }));
        let (_, id) = found.as_object().unwrap().iter().next().expect("an element's id");
        format!("element/{}", id.as_str().unwrap())
    }

    /// The text of the first element of this kind, as it is seen.
    pub fn text(&self, selector: &str) -> String {
        let text = self.0.get(&format!("{}/text", self.element(selector)));
        text.as_str().unwrap().to_owned()
    }

    /// Presses a key, wherever the focus is.
    pub fn press(&self, key: Key) {
        let key = char::from_u32(key as u32);
        let strokes = ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key }));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.0.post("actions", &json!({ "actions": [keyboard] }));
    }

    /// Clicks on the first element of this kind.
    pub fn click(&self, selector: &str) {
        self.0.post(&format!("{}/click", self.element(selector)), &json!({}));
    }

    /// Covers the page with another tab while `meanwhile` runs.
    pub fn behind_another_tab(&self, meanwhile: impl FnOnce()) {
        let ours = self.0.get("window");
        let other = self.0.post("window/new", &json!({ "type": "tab" }));
        self.0.post("window", &json!({ "handle": other["handle"] }));
        meanwhile();
        self.0.delete("window");
        self.0.post("window", &json!({ "handle": ours }));
    }

    /// How many pages it takes on paper.
    pub fn pages_on_paper(&self) -> usize {
        let printed = self.0.post("print", &json!({}));
        let pdf = BASE64.decode(printed.as_str().unwrap()).unwrap();
        let marks = pdf.windows(b"/Type /Page".len() + 1);
        marks.filter(|mark| mark.starts_with(b"/Type /Page") && !mark.ends_with(b"s")).count()
    }

    /// What it has logged since the last time.
    fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.0.post("se/log", &json!({ "type": kind }));
        serde_json::from_value(log).unwrap()
    }

    /// What the browser had to complain of since the last time: scripts, the content security policy,
    /// requests that failed.
    pub fn complaints(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let told =
            |entry: &Value| format!("{}: {}", text(&entry["level"]), text(&entry["message"]));
        self.log("browser").iter().map(told).collect()
    }

    /// The address of every request since the last time.
    pub fn requests(&self) -> Vec<String> {
        let log = self.log("performance");
        let events = log.iter().map(|entry| entry["message"].as_str().unwrap());
        let events = events.map(|event| serde_json::from_str::<Value>(event).unwrap());
        let sent = events.map(|mut event| event["message"].take());
        sent.filter(|event| event["method"] == "Network.requestWillBeSent")
            .map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }
}
