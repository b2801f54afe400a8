//! An open page learns of a new release: of a real one, behind the same address.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Program, Service, Variable, directory};

use super::driver::Driver;
use super::pages::RELEASE;
use super::window::{Key, Theme, Window};
use crate::browser::program;
use crate::index::MESSAGE;

/// Lets a page's time go by so many times as fast, by its own clock too, and notes how long it meant to wait, in
/// seconds.
fn fast(times: u16) -> String {
    format!(
        "window.waits = [];
        let clock = Date.now();
        Date.now = () => clock;
        const inRealTime = window.setTimeout;
        window.setTimeout = (run, ms) => {{
            waits.push(ms / 1000);
            return inRealTime(() => {{ clock += ms; run(); }}, ms / {times});
        }};"
    )
}

const STAGING: [Variable; 2] = [("APP_ENV", "staging"), ("FORCE_HTTPS", "false")];

fn release(version: &'static str) -> Vec<Variable<'static>> {
    [&RELEASE[..], &STAGING, &[("HEROKU_RELEASE_VERSION", version)]].concat()
}

/// A window with the page of such a service, in which time flies.
fn window_on<'driver>(driver: &'driver Driver, service: &Service) -> Window<'driver> {
    window_in_time(driver, 100, service)
}

fn window_in_time<'driver>(
    driver: &'driver Driver,
    times: u16,
    service: &Service,
) -> Window<'driver> {
    let window = driver.open();
    window.set(1440, Theme::Light);
    window.before_each_page(&fast(times));
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

pub fn a_new_release_is_noticed_and_shown_on_demand(driver: &Driver) {
    let service = program().start(&release("v42"));
    let window = window_on(driver, &service);
    window.wait_until("waits.length > 3"); // it asked, and nothing is new
    assert_eq!(window.run(&format!("return {IS_TOLD}")), false);
    window.run("window.isTheSamePage = true");

    let _service = swap(service, &program(), &release("v43"));
    window.wait_until(IS_TOLD);
    let told = window.text("[role=status]");
    assert!(told.contains("v43 is live: the same build, released again"), "{told}");
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

pub fn another_build_is_noticed_where_releases_have_no_number(driver: &Driver) {
    let service = program().start(&STAGING);
    let window = window_on(driver, &service);
    let service = swap(service, &another_build(), &STAGING);
    window.wait_until(IS_TOLD);
    let build = window.wait_for_promise("fetch('/release').then(answer => answer.json())");
    let digits = &build["build"].as_str().unwrap()["sha256:".len()..][..16];
    let told = window.text("[role=status]");
    let news = format!("Another build is live: the same message, from build {digits}");
    assert!(told.contains(&news), "{told}");

    // What is shown came back: there is nothing to tell.
    let _service = swap(service, &program(), &STAGING);
    window.wait_until(&format!("!({IS_TOLD})"));
}

pub fn another_message_is_told_itself_and_once(driver: &Driver) {
    let service = program().start(&release("v42"));
    let window = window_on(driver, &service);
    window.run(
        "const release = { release: 'v43', build: 'sha256:0', message: 'The curtain rises at eight.' };
        window.fetch = async () => Response.json(release)",
    );
    window.wait_until(IS_TOLD);
    let told = window.text("[role=status]");
    assert!(told.contains("v43 is live: The curtain rises at eight."), "{told}");

    window.run(
        "window.changes = 0;
        const kinds = { subtree: true, childList: true, characterData: true, attributes: true };
        const count = list => { changes += list.length; };
        new MutationObserver(count).observe(document.querySelector('[role=status]'), kinds);
        window.before = waits.length",
    );
    window.wait_until("waits.length > before + 3");
    assert_eq!(window.run("return changes"), 0, "a screen reader reads it aloud once");
}

pub fn a_poll_that_meets_the_restart_delays_no_news(driver: &Driver) {
    let service = program().start(&release("v42"));
    let window = window_in_time(driver, 10, &service);
    let port = service.port.to_string();
    service.stop();
    window.wait_until("waits.includes(10)"); // one asked, and nothing answered
    let _service = program().start(&[&[("PORT", port.as_str())], &release("v43")[..]].concat());
    window.wait_until(IS_TOLD);
    let waits: Vec<f64> = serde_json::from_value(window.run("return waits")).unwrap();
    assert!(waits.iter().all(|wait| *wait <= 20.0), "{waits:?}");
}

pub fn a_page_asks_less_often_where_nothing_answers(driver: &Driver) {
    let service = program().start(&release("v42"));
    let window = window_in_time(driver, 1_000, &service);
    let port = service.port.to_string();
    service.stop();
    window.wait_until("waits.at(-1) === 600 && waits.at(-2) === 600");
    let waits: Vec<Value> = serde_json::from_value(window.run("return waits")).unwrap();
    let first = waits.iter().position(|wait| *wait != 20).unwrap();
    let expected = [&[10; 10][..], &[20, 40, 80, 160, 320, 600, 600]].concat();
    let expected: Vec<Value> = expected.into_iter().map(Value::from).collect();
    assert_eq!(waits[first..][..expected.len()], expected);

    let _service = program().start(&[&[("PORT", port.as_str())], &release("v42")[..]].concat());
    window.press(Key::Shift); // somebody is there
    window.wait_until("waits.at(-1) === 20");
}

pub fn a_page_at_which_nobody_is_asks_less_often_then_nothing_and_at_once_when_somebody_comes(
    driver: &Driver,
) {
    let service = program().start(&release("v42"));
    let window = window_in_time(driver, 1_000, &service);
    window.wait_until("waits.length >= 40");
    thread::sleep(Duration::from_millis(500)); // 500 s for the page
    let waits: Vec<Value> = serde_json::from_value(window.run("return waits")).unwrap();
    let ten_minutes_and_twenty_more = [[20; 30].as_slice(), &[120; 10]].concat();
    let expected: Vec<Value> = ten_minutes_and_twenty_more.into_iter().map(Value::from).collect();
    assert_eq!(waits, expected, "and no more");

    window.press(Key::Shift);
    window.wait_until("waits.length > 41");
    assert_eq!(window.run("return waits.slice(40, 42)"), json!([0, 20]));
}

pub fn a_hidden_page_asks_nothing(driver: &Driver) {
    let service = program().start(&release("v42"));
    let window = window_on(driver, &service);
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
    assert_eq!(window.run("return waits.filter(wait => wait !== 20)"), json!([1]), "at once");
    let asked = window.run("return asked.length").as_u64().unwrap();
    window.wait_until(&format!("asked.length > {asked}"));
    assert_eq!(window.run("return asked.includes(true)"), false);
}

pub fn a_preview_opens_with_its_password_and_asks_for_news(driver: &Driver) {
    let variables = [&release("v42")[..], &[("PREVIEW_PASSWORD", "swordfish")]].concat();
    let service = program().start(&variables);
    let window = window_on(driver, &service);
    window.go(&service.url().replace("://", "://any:swordfish@"));
    assert_eq!(window.text("h1").replace('\n', " "), MESSAGE);
    window.wait_until("waits.length > 3");
    let waits = window.run("return waits");
    assert!(waits.as_array().unwrap().iter().all(|wait| *wait == 20), "none was refused: {waits}");
}
