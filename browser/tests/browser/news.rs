//! An open page learns of a new release: of a real one, behind the same address.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Program, Service, Variable, directory};
use thirtyfour::Key;

use super::pages::RELEASE;
use super::window::{Theme, Window};
use crate::browser::program;
use crate::index::MESSAGE;

/// Lets a page's time go by a hundred times as fast, and notes how long it meant to wait, in seconds.
const FAST: &str = "
    window.waits = [];
    const inRealTime = window.setTimeout;
    window.setTimeout = (run, ms) => { waits.push(ms / 1000); return inRealTime(run, ms / 100); };";

const STAGING: [Variable; 2] = [("APP_ENV", "staging"), ("FORCE_HTTPS", "false")];

fn release(version: &'static str) -> Vec<Variable<'static>> {
    [&RELEASE[..], &STAGING, &[("HEROKU_RELEASE_VERSION", version)]].concat()
}

/// A window with the page of such a service, in which time flies.
fn window_on(service: &Service) -> Window {
    let window = Window::open();
    window.set(1440, Theme::Light);
    window.before_each_page(FAST);
    window.go(&service.url());
    window
}

/// Ends a service, and starts another in its place.
fn swap(service: Service, program: &Program, variables: &[Variable]) -> Service {
    let port = service.port.to_string();
    assert_eq!(service.stop().0.code(), Some(0));
    program.start(&[&[("PORT", port.as_str())], variables].concat())
}

/// Another build: an executable with other bytes, which are never read.
fn another_build() -> Program {
    let copy = directory().join("callboard");
    fs::copy(program().executable, &copy).unwrap();
    fs::OpenOptions::new().append(true).open(&copy).unwrap().write_all(b"another").unwrap();
    Program::at(copy)
}

const IS_TOLD: &str = "!document.querySelector('[role=status] p').hidden";

pub fn a_new_release_is_noticed_and_shown_on_demand() {
    let service = program().start(&release("v42"));
    let window = window_on(&service);
    window.wait_until("waits.length > 3"); // it asked, and nothing is new
    assert_eq!(window.run(&format!("return {IS_TOLD}")), false);
    window.run("window.isTheSamePage = true");

    let _service = swap(service, &program(), &release("v43"));
    window.wait_until(IS_TOLD);
    let told = window.text("[role=status]");
    assert!(told.contains(&format!("v43 is live: {MESSAGE}")), "{told}");
    assert_eq!(
        window.run("return window.isTheSamePage"),
        true,
        "no reload behind the reader's back"
    );

    window.press(Key::Tab);
    window.press(Key::Enter); // Show it
    window.wait_until("document.querySelector('dd')?.innerText === 'v43'");
    window.wait_until("waits.length > 3");
    assert_eq!(window.run(&format!("return {IS_TOLD}")), false);
}

pub fn another_build_is_noticed_where_releases_have_no_number() {
    let service = program().start(&STAGING);
    let window = window_on(&service);
    let service = swap(service, &another_build(), &STAGING);
    window.wait_until(IS_TOLD);
    assert!(window.text("[role=status]").contains("Another build is live"));

    // What is shown came back: there is nothing to tell.
    let _service = swap(service, &program(), &STAGING);
    window.wait_until(&format!("!({IS_TOLD})"));
}

pub fn a_page_asks_every_20_seconds_and_less_often_where_nothing_answers() {
    let service = program().start(&release("v42"));
    let window = window_on(&service);
    window.wait_until("waits.length > 3");
    let waits = window.run("return waits");
    assert!(waits.as_array().unwrap().iter().all(|wait| *wait == 20), "{waits}");

    let variables = release("v42");
    let port = service.port.to_string();
    service.stop();
    window.wait_until("waits.at(-1) === 600 && waits.at(-2) === 600");
    let waits: Vec<Value> = serde_json::from_value(window.run("return waits")).unwrap();
    let first = waits.iter().position(|wait| *wait != 20).unwrap();
    assert_eq!(waits[first..first + 6], [40, 80, 160, 320, 600, 600].map(|wait| json!(wait)));

    let again = [&variables[..], &[("PORT", port.as_str())]].concat();
    let _service = program().start(&again);
    window.wait_until("waits.at(-1) === 20");
}

pub fn a_hidden_page_asks_nothing() {
    let service = program().start(&release("v42"));
    let window = window_on(&service);
    window.run(
        "window.hidings = [];
        document.addEventListener('visibilitychange', () => hidings.push(document.hidden));
        const { fetch } = window;
        window.asked = [];
        window.fetch = url => { asked.push(document.hidden); return fetch(url); };",
    );
    window.wait_until("asked.length > 1");
    window.behind_another_tab(|| thread::sleep(Duration::from_millis(1_500))); // 150 s for the page
    assert_eq!(window.run("return hidings"), json!([true, false]));
    let asked = window.run("return asked.length").as_u64().unwrap();
    window.wait_until(&format!("asked.length > {asked}"));
    assert_eq!(window.run("return asked.includes(true)"), false);
}

pub fn a_preview_opens_with_its_password_and_asks_for_news() {
    let variables = [&release("v42")[..], &[("PREVIEW_PASSWORD", "swordfish")]].concat();
    let service = program().start(&variables);
    let window = window_on(&service);
    window.go(&service.url().replace("://", "://any:swordfish@"));
    assert_eq!(window.text("h1").replace('\n', " "), MESSAGE);
    window.wait_until("waits.length > 3");
    let waits = window.run("return waits");
    assert!(waits.as_array().unwrap().iter().all(|wait| *wait == 20), "none was refused: {waits}");
}
