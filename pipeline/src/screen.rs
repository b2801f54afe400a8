//! What people read, and what programs read: who gets what, and that no text of others can steer a terminal.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, IsTerminal, Write};

use console::{Term, style};

/// Where a command writes. With `--json` standard output is for the program alone.
pub struct Screen {
    is_for_programs: bool,
    /// Whoever read standard output has gone away, as `| head -1` does.
    is_gone: Cell<bool>,
    /// The line that changes in its place.
    progress: RefCell<String>,
}

impl Screen {
    /// For people; or, with `--json`, for programs.
    pub fn new(is_for_programs: bool) -> Self {
        Self { is_for_programs, is_gone: Cell::new(false), progress: RefCell::default() }
    }

    /// Says something to people. Who has gone away is told nothing more.
    pub fn say(&self, text: &str) {
        self.clear();
        let text = plain(text);
        if self.is_for_programs {
            let _ = writeln!(io::stderr(), "{text}");
        } else if writeln!(io::stdout(), "{text}").is_err() {
            self.is_gone.set(true);
        }
    }

    /// How it ended: it must reach somebody, so on standard error where the other has gone away.
    pub fn conclude(&self, text: &str) {
        self.say(text);
        if self.is_gone.get() {
            let _ = writeln!(io::stderr(), "{}", plain(text));
        }
    }

    /// Says what is wrong.
    pub fn warn(&self, text: &str) {
        self.clear();
        let _ = writeln!(io::stderr(), "{}", plain(text));
    }

    /// What could be typed instead, or runs now.
    pub fn show(&self, command: &str) {
        self.clear();
        let shown = style(format!("$ {}", plain(command))).for_stderr().dim();
        let _ = writeln!(io::stderr(), "{shown}");
    }

    /// The answer to a program.
    pub fn answer(&self, json: &str) {
        if self.is_for_programs {
            let _ = writeln!(io::stdout(), "{json}");
        }
    }

    /// One line that changes in its place. Where there is no terminal: a line whenever it changes.
    pub fn progress(&self, text: &str) {
        self.count(text, "");
    }

    /// The same, with a count behind it, which is for terminals alone: a log would be full of it.
    pub fn count(&self, text: &str, count: &str) {
        let count = if Term::stderr().is_term() { count } else { "" };
        let text = plain(text) + &plain(count);
        if *self.progress.borrow() == text {
            return;
        }
        let terminal = Term::stderr();
        if terminal.is_term() {
            let width = usize::from(terminal.size().1).saturating_sub(1);
            let _ = terminal.clear_line();
            let _ = terminal.write_str(&text.chars().take(width).collect::<String>());
        } else {
            let _ = writeln!(io::stderr(), "{text}");
        }
        *self.progress.borrow_mut() = text;
    }

    fn clear(&self) {
        let terminal = Term::stderr();
        if !self.progress.take().is_empty() && terminal.is_term() {
            let _ = terminal.clear_line();
        }
    }

    /// Asks, and waits for a yes. `None` where there is nobody to ask.
    pub fn agrees(&self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        self.clear();
        // Not on standard output, which may be read by a program.
        let _ = write!(io::stderr(), "{} [y/N] ", plain(question));
        let mut line = String::new();
        let _ = io::stdin().lock().read_line(&mut line);
        Some(matches!(line.trim(), "y" | "Y" | "yes"))
    }
}

/// Text without what would steer a terminal, or turn the order of its letters: escape sequences do not work,
/// and are seen.
pub fn plain(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// The same, on one line: a commit's subject or a page's message must not look like words of ours.
pub fn one_line(text: &str) -> String {
    plain(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// An address without the login before its host: a password may be in it.
pub fn without_login(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(
            plain("a\u{1b}[2Jb\rc\u{9b}31md\u{202e}e\n"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}31md\u{fffd}e\n"
        );
        assert_eq!(one_line("Tonight\nProduction runs\t it"), "Tonight Production runs it");
        assert_eq!(plain("Tonight: Bézier, 幕が上がる"), "Tonight: Bézier, 幕が上がる");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (address, shown) in [
            (
                "https://heroku:swordfish@git.heroku.com/My_App.git",
                "https://git.heroku.com/My_App.git",
            ),
            ("https://heroku:sword@fish@git.heroku.com", "https://git.heroku.com"),
            ("https://git.heroku.com/a@b.git", "https://git.heroku.com/a@b.git"),
            ("git@heroku.com:My_App.git", "git@heroku.com:My_App.git"),
            ("/srv/git/My App", "/srv/git/My App"),
        ] {
            assert_eq!(without_login(address), shown);
        }
    }
}
