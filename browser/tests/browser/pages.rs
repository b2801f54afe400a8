//! What every page looks like: at each stage, and for each error.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testbed::{Service, Variable};

use super::board::Board;
use super::driver::Driver;
use super::window::{Key, Theme, Window};
use crate::browser::program;
use crate::index::MESSAGE;
use crate::poster;

/// A phone, a tablet, a laptop.
const WIDTHS: [u16; 3] = [320, 768, 1440];
const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

/// What a release on Heroku knows of itself.
pub const RELEASE: [Variable; 4] = [
    ("HOST", "127.0.0.1"),
    ("HEROKU_RELEASE_VERSION", "v42"),
    ("HEROKU_RELEASE_CREATED_AT", "2026-11-23T01:02:03Z"),
    ("HEROKU_BUILD_COMMIT", "0123456789abcdef0123456789abcdef01234567"),
];

/// A page, and how a visitor comes to it.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    Stage(&'static str),
    Error(u16),
}

pub const PAGES: [Page; 8] = [
    Page::Stage("development"),
    Page::Stage("review"),
    Page::Stage("staging"),
    Page::Stage("production"),
    Page::Error(401),
    Page::Error(404),
    Page::Error(405),
    Page::Error(500),
];

impl Page {
    pub fn name(self) -> String {
        match self {
            Self::Stage(stage) => format!("the_page_of_{stage}"),
            Self::Error(status) => format!("the_error_page_of_{status}"),
        }
    }

    /// Starts a site that has it.
    fn site(self) -> Site {
        match self {
            Self::Stage(stage) => Site::start(&[("APP_ENV", stage)]),
            Self::Error(401) => {
                let preview = [("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "swordfish")];
                Site::InProcess(Board::open(MESSAGE, &preview))
            }
            // No page of the real binary fails.
            Self::Error(500) => Site::InProcess(Board::open(MESSAGE, &[])),
            Self::Error(_) => Site::start(&[("APP_ENV", "production")]),
        }
    }

    fn show(self, window: &Window, site: &Site) {
        let url = site.url();
        match self {
            Self::Stage(_) | Self::Error(401) => window.go(&format!("{url}/")),
            Self::Error(404) => window.go(&format!("{url}/nowhere")),
            Self::Error(405) => {
                let form = format!("<form method=post action={url}/><button>Post</button></form>");
                window.go(&format!("data:text/html,{form}"));
                window.click("button");
                window.wait_until("document.querySelector('h1')");
            }
            Self::Error(_) => window.go(&format!("{url}/fails")),
        }
        window.wait_until("document.readyState === 'complete'");
    }

    fn title(self) -> &'static str {
        match self {
            Self::Stage(_) => MESSAGE,
            Self::Error(401) => "Password needed",
            Self::Error(404) => "Not found",
            Self::Error(405) => "Method not allowed",
            Self::Error(_) => "Something went wrong",
        }
    }
}

enum Site {
    Binary(Service),
    InProcess(Board),
}

impl Site {
    fn start(variables: &[Variable]) -> Self {
        let more = [("FORCE_HTTPS", "false")];
        Self::Binary(program().start(&[&RELEASE[..], &more, variables].concat()))
    }

    fn url(&self) -> String {
        match self {
            Self::Binary(service) => service.url(),
            Self::InProcess(board) => board.url.clone(),
        }
    }
}

/// Loads the page in each theme.
fn in_each_theme(driver: &Driver, page: Page, look: impl Fn(&Window, &Site, Theme)) {
    let (site, window) = (page.site(), driver.open());
    for theme in THEMES {
        window.set(WIDTHS[0], theme);
        page.show(&window, &site);
        look(&window, &site, theme);
    }
}

pub fn fits_and_is_quiet(driver: &Driver, page: Page) {
    in_each_theme(driver, page, |window, site, theme| {
        for width in WIDTHS {
            let at = format!("{page:?}, {theme:?}, {width} px");
            window.set(width, theme);
            assert_eq!(window.text("h1").replace('\n', " "), page.title(), "{at}");
            assert_nothing_overflows(window, &at);
            let (paper, ink) = (lightness(window, "backgroundColor"), lightness(window, "color"));
            assert_eq!(paper > ink, theme == Theme::Light, "{at}: paper {paper}, ink {ink}");
        }
        let at = format!("{page:?}, {theme:?}");
        for url in window.requests() {
            assert!(url.starts_with(&site.url()) || url.starts_with("data:"), "{at}: {url}");
        }
        let complaints = window.complaints();
        let expected = usize::from(matches!(page, Page::Error(_))); // of the page's own status
        assert_eq!(complaints.len(), expected, "{at}: {complaints:?}");
        let Page::Error(status) = page else { return };
        let status = format!("the server responded with a status of {status} ");
        assert!(complaints[0].contains(&status), "{at}: {complaints:?}");
    });
}

/// Nothing is wider than the window, and no text is wider than what it is in.
fn assert_nothing_overflows(window: &Window, at: &str) {
    let wide = window.run(
        "return [...document.querySelectorAll('html, body, body *')].filter(element => {
            const { left, right } = element.getBoundingClientRect();
            const isOut = left < -0.5 || right > document.documentElement.clientWidth + 0.5;
            const isCut = element.matches('.digest'); // on purpose
            return isOut || !isCut && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
        }).map(element => element.outerHTML)",
    );
    assert_eq!(wide, json!([]), "{at}");
}

/// Where a page has no face of its own to show, or its reader wants none: what Debian's packages of fonts hold, those
/// that its Chromium comes with. Without a name, what the system takes by itself.
const FONTS: [&str; 7] = [
    "",
    "DejaVu Sans",
    "DejaVu Serif",
    "DejaVu Sans Mono",
    "Liberation Sans",
    "Liberation Serif",
    "Liberation Mono",
];

pub fn no_word_is_broken_on_a_phone_in_any_font(driver: &Driver) {
    let window = driver.open();
    window.set(320, Theme::Light);
    for page in PAGES {
        let site = page.site();
        page.show(&window, &site);
        for font in FONTS {
            window.take_font(font);
            assert_eq!(broken_words(&window), json!([]), "{page:?} in {font:?}");
        }
    }
}

/// Each word that does not stand on one line.
fn broken_words(window: &Window) -> Value {
    window.run(
        "const broken = [];
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            for (const { 0: word, index } of texts.currentNode.data.matchAll(/\\S+/g)) {
                const range = document.createRange();
                range.setStart(texts.currentNode, index);
                range.setEnd(texts.currentNode, index + word.length);
                const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom)));
                if (lines.size > 1) broken.push(word);
            }
        }
        return broken",
    )
}

/// From 0, black, to 765, white.
fn lightness(window: &Window, property: &str) -> u64 {
    let colour = window.run(&format!("return getComputedStyle(document.body).{property}"));
    let parts = colour.as_str().unwrap().split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse::<u64>().ok()).take(3).sum()
}

/// Every rule that axe has, of every level, experimental ones too.
pub fn breaks_no_rule(driver: &Driver, page: Page, axe: &Path) {
    let axe = fs::read_to_string(axe).unwrap_or_else(|error| panic!("AXE: {error}"));
    in_each_theme(driver, page, |window, _, theme| {
        window.run(
            "const notice = document.querySelector('[role=status] p');
            if (notice) {
                notice.hidden = false;
                notice.querySelector('b').textContent = 'v43';
                notice.querySelector('bdi').textContent = 'The curtain rises at eight.';
            }",
        );
        window.run(&format!("{axe}; window.axe = axe;"));
        for width in WIDTHS {
            let at = format!("{page:?}, {theme:?}, {width} px");
            window.set(width, theme);
            let found = window.wait_for_promise(
                "axe.run({ runOnly: axe.getRules().map(rule => rule.ruleId), resultTypes: ['violations', 'incomplete', 'passes'] })",
            );
            let of = |kind: &str| {
                let rules = found[kind].as_array().unwrap_or_else(|| panic!("{at}: {found}"));
                rules
                    .iter()
                    .map(|rule| (rule["id"].as_str().unwrap().to_owned(), rule["nodes"].clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(of("violations"), [], "{at}");
            assert_eq!(of("incomplete"), [], "{at}: what axe could not decide");
            // AAA: 7:1, and for large text 4.5:1.
            let has_contrast =
                of("passes").iter().any(|(rule, _)| rule == "color-contrast-enhanced");
            assert!(has_contrast, "{at}");
        }
    });
}

pub fn each_stage_has_its_own_word_shape_colour_and_band(driver: &Driver) {
    let window = driver.open();
    window.set(1440, Theme::Light);
    let mut seen: Vec<Value> = Vec::new();
    for page in &PAGES[..4] {
        let site = page.site();
        page.show(&window, &site);
        let marks = window.wait_for_promise(
            "fetch(document.querySelector('.stage img').src).then(icon => icon.text()).then(icon => ({
                word: document.querySelector('.stage').innerText,
                shape: icon.replace(/(fill|stroke)=\"#[^\"]*\"/, ''),
                colour: getComputedStyle(document.body).getPropertyValue('--stage'),
                band: getComputedStyle(document.querySelector('.band')).backgroundImage,
            }))",
        );
        let ends = "return getComputedStyle(document.querySelector('.band')).backgroundRepeat";
        assert_eq!(window.run(ends), "round", "{page:?}: whole tiles, up to both edges");
        for mark in ["word", "shape", "colour", "band"] {
            assert!(marks[mark].as_str().is_some_and(|mark| !mark.is_empty()), "{page:?}: {marks}");
            for other in &seen {
                assert_ne!(marks[mark], other[mark], "{mark}");
            }
        }
        let is_shown = window.run("return document.querySelector('.stage img').naturalWidth > 0");
        assert_eq!(is_shown, true, "{page:?}");
        seen.push(marks);
    }
}

pub fn a_message_of_any_length_and_script_fits(driver: &Driver) {
    let long = "The company is called for half past six at the stage door, with costumes, wigs and shoes. \
        The half will be called at seven twenty-five, and nobody leaves the building after that without \
        a word to the stage manager. Understudies wait in the green room until they are told that all \
        is well tonight, thank you.";
    let capitals = long.to_uppercase();
    let chinese = "今晚的演出八点开始。请在后台门口集合。".repeat(15);
    let messages = [
        "Hey!",
        "Doors at 7",
        "The curtain rises at eight.",
        &long[..80],
        &long[..140],
        &long[..220],
        &long[..300],
        &capitals[..300],
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "https://example.com/an/address/that/is/far/too/long/for/any/poster/of/any/size",
        "مرحبا بالعالم! هذه لوحة الإعلانات.",
        "שלום עולם",
        &chinese[..300], // a hundred characters
        "🎭 Curtain at eight 🎭",
    ];
    let window = driver.open();
    for message in messages {
        let board = Board::open(message, &[("APP_ENV", "staging"), ("FORCE_HTTPS", "false")]);
        window.go(&board.url);
        for width in [320, 768, 1440, 3840] {
            let at = format!("{message:?}, {width} px");
            window.set(width, Theme::Light);
            assert_eq!(window.run("return document.querySelector('h1').textContent"), message);
            assert_nothing_overflows(&window, &at);
            for word in broken_words(&window).as_array().unwrap() {
                let letters = word.as_str().unwrap().chars().count();
                assert!(letters > 16, "{at}: {word} is broken, and is no address");
            }
            let lines = lines(&window);
            let size = window
                .run("return parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)");
            // Where there is no room for three lines of legible type, there are more.
            if width >= 1440 {
                assert!((1..=3).contains(&lines), "{at}: {lines} lines");
            }
            assert!(size.as_f64().is_some_and(|size| size >= 16.0), "{at}: {size} px");
            let is_rtl = "return getComputedStyle(document.querySelector('h1')).direction";
            let starts_right = message.starts_with(|c: char| ('\u{590}'..'\u{700}').contains(&c));
            assert_eq!(window.run(is_rtl), if starts_right { "rtl" } else { "ltr" }, "{at}");
        }
    }
    assert_eq!(poster::line_width("", 3), 100, "a size, even of nothing");
}

pub fn without_scripts_the_page_is_complete(driver: &Driver) {
    let (site, window) = (PAGES[3].site(), driver.open());
    window.command("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    PAGES[3].show(&window, &site);
    let text = window.text("body");
    for shown in ["Production", "v42", "2026-11-23 01:02:03 UTC", "0123456789abcdef", "/release"] {
        assert!(text.contains(shown), "no {shown} in {text}");
    }
    assert!(!text.contains("Show it"), "{text}");
}

pub fn the_keyboard_is_enough(driver: &Driver) {
    let (site, window) = (PAGES[3].site(), driver.open());
    let focused = "const focus = document.activeElement;
        return [focus.innerText, getComputedStyle(focus).outlineStyle]";
    PAGES[3].show(&window, &site);
    window.press(Key::Tab);
    assert_eq!(window.run(focused), json!(["/release", "solid"]));
    window.press(Key::Enter);
    window.wait_until("location.pathname === '/release'");

    window.go(&format!("{}/nowhere", site.url()));
    window.press(Key::Tab);
    assert_eq!(window.run(focused), json!(["Back to the board", "solid"]));
    window.press(Key::Enter);
    window.wait_until("location.pathname === '/'");

    let site = Page::Error(401).site();
    window.go(&format!("{}/a?b=c", site.url()));
    window.run("window.isTheOldPage = true");
    window.press(Key::Tab);
    assert_eq!(window.run(focused), json!(["Try again", "solid"]));
    window.press(Key::Enter);
    window.wait_until("!window.isTheOldPage && document.querySelector('h1')");
    let address = window.run("return location.href");
    assert_eq!(address, format!("{}/a?b=c", site.url()), "it is asked for again");
}

pub fn on_a_phone_the_message_is_the_largest_thing_and_takes_three_or_four_lines(driver: &Driver) {
    let (site, window) = (PAGES[0].site(), driver.open());
    for width in [320, 390] {
        window.set(width, Theme::Light);
        PAGES[0].show(&window, &site);
        let sizes = window.run(
            "const size = element => parseFloat(getComputedStyle(element).fontSize);
            const others = [...document.querySelectorAll('body :not(h1, main)')].map(size);
            return [size(document.querySelector('h1')), Math.max(...others)]",
        );
        let [message, other] = [&sizes[0], &sizes[1]].map(|size| size.as_f64().unwrap());
        assert!(message > 1.5 * other, "{width} px: {message} px, and another of {other} px");
        let lines = lines(&window);
        assert!((3..=4).contains(&lines), "{width} px: {lines} lines");
    }
}

/// How many lines the message takes.
fn lines(window: &Window) -> u64 {
    let lines = window.run(
        "const range = document.createRange();
        range.selectNodeContents(document.querySelector('h1'));
        return new Set([...range.getClientRects()].map(rect => Math.round(rect.bottom / 4))).size",
    );
    lines.as_u64().unwrap()
}

pub fn an_eye_sees_sixteen_digits_and_a_click_marks_all_of_them(driver: &Driver) {
    let (site, window) = (PAGES[3].site(), driver.open());
    for width in WIDTHS {
        window.set(width, Theme::Light);
        PAGES[3].show(&window, &site);
        let release = window.wait_for_promise("fetch('/release').then(answer => answer.json())");
        for (digest, of, prefix) in [(".digest", "commit", 0), (".sha256", "build", 7)] {
            // The first digit that is not to be seen would stand where the mark of what is left out does.
            let seen = window.run(&format!(
                "const code = document.querySelector('{digest}');
                const box = code.getBoundingClientRect();
                const style = getComputedStyle(code);
                const mark = document.createElement('canvas').getContext('2d');
                mark.font = style.font;
                const digit = mark.measureText('0').width;
                const room = box.width - mark.measureText('…').width;
                return [
                    style.overflow, style.textOverflow, Math.floor(room / digit),
                    Math.round(parseFloat(style.textIndent) / digit),
                ]",
            ));
            assert_eq!(seen, json!(["clip", "ellipsis", 16, -prefix]), "{of}, {width} px");
            window.click(digest);
            assert_eq!(window.run("return String(getSelection())"), release[of], "{width} px");
        }
    }
}

pub fn the_time_is_that_of_the_readers_zone_with_the_exact_one_at_hand(driver: &Driver) {
    let (site, window) = (PAGES[3].site(), driver.open());
    for (zone, locale, shown) in [
        ("Asia/Tokyo", "en-GB", "23 Nov 2026, 10:02 GMT+9"),
        ("America/Los_Angeles", "en-US", "Nov 22, 2026, 5:02 PM PST"),
        ("Europe/Berlin", "de-DE", "23. Nov. 2026, 02:02 MEZ"),
    ] {
        window.command("Emulation.setTimezoneOverride", &json!({ "timezoneId": zone }));
        window.command("Emulation.setLocaleOverride", &json!({ "locale": locale }));
        PAGES[3].show(&window, &site);
        assert_eq!(window.text("time").replace('\u{202f}', " "), shown);
        let rest = window.run(
            "const { dateTime, title, lang } = document.querySelector('time');
            return [dateTime, title, lang]",
        );
        assert_eq!(rest, json!(["2026-11-23T01:02:03Z", "2026-11-23T01:02:03Z", locale]));
    }
}

pub fn nothing_moves_when_the_face_arrives(driver: &Driver) {
    const SIZES: [(u16, u16); 4] = [(320, 640), (768, 1024), (1440, 900), (2560, 1440)];
    let window = driver.open();
    let places = |without: &[&str], url: &str| -> Vec<Vec<f64>> {
        window.block(without);
        window.go(url);
        let face = window
            .wait_for_promise("document.fonts.ready.then(() => [...document.fonts][0].status)");
        assert_eq!(face, if without.is_empty() { "loaded" } else { "error" });
        let at_size = |(width, height)| {
            window.resize(width, height);
            // Of each box, and of the text in it.
            let places = window.run(
                "return ['h1', 'header', '.site', '.stage', 'footer'].flatMap(name => {
                    const box = document.querySelector(name);
                    const text = document.createRange();
                    text.selectNodeContents(box);
                    return [box, text].flatMap(it => {
                        const { top, bottom } = it.getBoundingClientRect();
                        return [top, bottom];
                    });
                })",
            );
            serde_json::from_value(places).unwrap()
        };
        SIZES.map(at_size).into()
    };
    for message in
        [MESSAGE, "The curtain rises at eight.", "Wigs and shoes for half past six, please."]
    {
        let board = Board::open(message, &[("APP_ENV", "staging"), ("FORCE_HTTPS", "false")]);
        let before = places(&["*.woff2"], &board.url);
        let after = places(&[], &board.url);
        for ((size, before), after) in SIZES.iter().zip(&before).zip(&after) {
            let moved =
                before.iter().zip(after).any(|(before, after)| (before - after).abs() > 1.0);
            assert!(!moved, "{message:?}, {size:?}: {before:?} to {after:?}");
        }
    }
}

pub fn on_paper_it_is_black_on_white_and_one_page(driver: &Driver) {
    let (site, window) = (PAGES[2].site(), driver.open());
    PAGES[2].show(&window, &site);
    window.run("document.querySelector('[role=status] p').hidden = false");
    window.emulate("print", Theme::Dark);
    let white = 3 * 255;
    assert_eq!((lightness(&window, "backgroundColor"), lightness(&window, "color")), (white, 0));
    let type_size =
        window.run("return parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)");
    assert!(
        type_size.as_f64().is_some_and(|px| px > 32.0),
        "the message is large there, too: {type_size} px"
    );
    let notice = "return document.querySelector('[role=status]').getClientRects().length";
    assert_eq!(window.run(notice), 0, "the notice is for the screen");
    assert_eq!(window.pages_on_paper(), 1);
}

pub fn what_is_injected_does_not_run(driver: &Driver) {
    let (site, window) = (PAGES[3].site(), driver.open());
    PAGES[3].show(&window, &site);
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.run(
        "const script = document.createElement('script');
        script.textContent = 'window.hasRun = true';
        document.body.append(script);
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/pixel';
        image.setAttribute('onerror', 'window.hasRun = true');
        image.setAttribute('style', 'width: 9px');
        document.body.append(image);
        new FontFace('Elsewhere', 'url(http://127.0.0.1:9/font)').load().catch(() => {});",
    );
    window.wait_until("document.images[1].complete");
    assert_eq!(window.run("return window.hasRun ?? null"), Value::Null);
    let complaints = window.complaints().join("\n");
    for directive in ["script-src 'self'", "img-src 'self'", "style-src 'self'", "font-src 'self'"]
    {
        assert!(complaints.contains(directive), "{directive}: {complaints}");
    }
}
