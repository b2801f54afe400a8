//! The pages in a real browser. Where there is none, these tests are ignored.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};

use browser::driver::{self, Driver};
use browser::pages::PAGES;
use browser::{news, pages};

// The app's own files: it is a program, and no library.
#[path = "../../src/index.rs"]
mod index;
#[path = "../../src/look.rs"]
mod look;
#[path = "../../src/poster.rs"]
mod poster;
#[path = "../../src/settings.rs"]
mod settings;
mod browser {
    pub mod board;
    pub mod driver;
    pub mod news;
    pub mod pages;
    pub mod window;

    use std::path::Path;

    use testbed::Program;

    /// The app, as cargo builds it with these tests.
    pub fn program() -> Program {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let sources = ["src", "templates", "assets", "stagedoor/src"].map(|name| root.join(name));
        Program::built("callboard", &sources, "cargo build --package callboard")
    }
}

/// Tests at once, and so browsers: many wait, and two of them keep a processor busy.
const AT_ONCE: usize = 3;

fn main() -> ExitCode {
    let missing = driver::missing();
    let axe = env::var_os("AXE").map(PathBuf::from);
    if let Some(missing) = missing {
        println!("Ignored: {missing}.");
    } else if axe.is_none() {
        println!("Ignored, those of axe: AXE must be the path of axe.js (npm install axe-core).");
    }
    // Started by the first who needs it.
    let driver = Arc::new(LazyLock::new(Driver::start));
    let test = |name: &str, run: Box<dyn FnOnce(&Driver) + Send>| {
        let driver = Arc::clone(&driver);
        let run = move || {
            run(&driver);
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(missing.is_some())
    };

    let mut trials = Vec::new();
    macro_rules! each {
        ($($file:ident::$name:ident),* $(,)?) => {
            [$((stringify!($name), $file::$name as fn(&Driver))),*]
        };
    }
    for (name, run) in each![
        pages::each_stage_has_its_own_word_shape_colour_and_band,
        pages::a_message_of_any_length_and_script_fits,
        pages::no_word_is_broken_on_a_phone_in_any_font,
        pages::on_a_phone_the_message_is_the_largest_thing_and_takes_three_or_four_lines,
        pages::nothing_moves_when_the_face_arrives,
        pages::an_eye_sees_sixteen_digits_and_a_click_marks_all_of_them,
        pages::the_time_is_that_of_the_readers_zone_with_the_exact_one_at_hand,
        pages::without_scripts_the_page_is_complete,
        pages::the_keyboard_is_enough,
        pages::on_paper_it_is_black_on_white_and_one_page,
        pages::what_is_injected_does_not_run,
        news::a_new_release_is_noticed_and_shown_on_demand,
        news::another_build_is_noticed_where_releases_have_no_number,
        news::another_message_is_told_itself_and_once,
        news::a_poll_that_meets_the_restart_delays_no_news,
        news::a_page_asks_less_often_where_nothing_answers,
        news::a_page_at_which_nobody_is_asks_less_often_then_nothing_and_at_once_when_somebody_comes,
        news::a_hidden_page_asks_nothing,
        news::a_preview_opens_with_its_password_and_asks_for_news,
    ] {
        trials.push(test(name, Box::new(run)));
    }
    for page in PAGES {
        let name = page.name();
        let fits = format!("{name}_fits_every_window_in_light_and_dark_and_nothing_complains");
        trials.push(test(&fits, Box::new(move |driver| pages::fits_and_is_quiet(driver, page))));
        let axe = axe.clone();
        let is_ignored = missing.is_some() || axe.is_none();
        let run =
            move |driver: &Driver| pages::breaks_no_rule(driver, page, &axe.expect("AXE is set"));
        let accessible = test(&format!("{name}_breaks_no_rule_of_axe"), Box::new(run));
        trials.push(accessible.with_ignored_flag(is_ignored));
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials).exit_code()
}
