//! A whole program: its command line, its settings, its checks, its log, and its server.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::web::ServiceConfig;

use crate::duties::Duties;
use crate::errors::{ErrorPage, WriteHtml};
use crate::log;
use crate::release::{Build, Release};
use crate::server;
use crate::settings::reader::Reader;
use crate::settings::report::{Problem, Report};
use crate::settings::variables::Variables;
use crate::settings::{Settings, load};

/// A program that is released on Heroku: with the commands `check`, `--help` and `--version`, and one that does
/// its work.
///
/// `check` belongs into the `release:` line of the `Procfile`. Heroku runs it before each release goes live, with
/// the variables of the app that the release goes to.
pub struct Program<S> {
    build: Build,
    read: fn(&mut Reader) -> S,
    checks: Vec<(&'static str, Check<S>)>,
}

/// What is found, in a few words, or what is wrong.
type Check<S> = fn(&S) -> Result<String, Problem>;

impl<S> Program<S> {
    /// A program whose settings are read by `read`.
    #[must_use]
    pub fn new(build: Build, read: fn(&mut Reader) -> S) -> Self {
        Self { build, read, checks: Vec::new() }
    }

    /// Adds a check to those that run before a release, once the settings are right: whether the database
    /// answers, say. It tells in a few words what it found, or the problem. Give it a time limit of its own: a
    /// release that waits is a promotion that waits.
    #[must_use]
    pub fn check(mut self, name: &'static str, check: fn(&S) -> Result<String, Problem>) -> Self {
        self.checks.push((name, check));
        self
    }

    /// Runs a web server: `site` makes all that it shows, once, at start.
    ///
    /// Starts the log. A panic becomes a line of it.
    pub fn serve(self, site: fn(&S, &Release) -> Site) -> ExitCode
    where
        S: AsRef<Settings>,
    {
        let build = self.build;
        self.command("serve", "Serve the site", move |settings, report| {
            let platform: &Settings = settings.as_ref();
            let _flush = log::start(&platform.log, platform.log_format, build.name);
            for notice in report.notices() {
                tracing::warn!("{notice}");
            }
            server::run(&build, platform, &|release| site(&settings, release))
        })
    }

    /// Runs something else than a web server, as a worker dyno does. The log is its own affair.
    pub fn run<E: Display>(self, work: impl FnOnce(S) -> Result<(), E>) -> ExitCode {
        self.command("run", "Do the work", |settings, report| {
            for notice in report.notices() {
                print(io::stderr(), format!("{notice}\n"), ExitCode::SUCCESS);
            }
            work(settings)
        })
    }

    /// Does what the command line says; `work` is the default.
    fn command<E: Display>(
        self,
        name: &str,
        about: &str,
        work: impl FnOnce(S, Report) -> Result<(), E>,
    ) -> ExitCode {
        let program = self.build.name;
        let usage = format!(
            "Usage: {program} [COMMAND]\n\n\
             Commands:\n  \
               {name:<9}  {about} (the default)\n  \
               check      Print every setting, and whether a release with them may go live:\n             \
                          exit 0 if it may, 1 if not. Heroku runs it before each release.\n\n\
             Options:\n  \
               --help     Show this\n  \
               --version  Show the version and the commit of this build\n\n\
             Settings are environment variables, or lines of .env.\n"
        );
        let arguments: Vec<_> = env::args_os().skip(1).collect();
        let arguments: Vec<_> = arguments.iter().map(|one| one.to_str().unwrap_or("?")).collect();
        match arguments[..] {
            [] => self.start(work),
            [argument] if argument == name => self.start(work),
            ["check"] => {
                let report = self.report();
                let code = if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
                print(io::stdout(), report, code)
            }
            ["--help" | "-h"] => print(io::stdout(), usage, ExitCode::SUCCESS),
            ["--version" | "-V"] => print(io::stdout(), self.version(), ExitCode::SUCCESS),
            _ => {
                let error =
                    format!("{program} does not know `{}`.\n\n{usage}", arguments.join(" "));
                print(io::stderr(), error, ExitCode::from(2))
            }
        }
    }

    fn start<E: Display>(self, work: impl FnOnce(S, Report) -> Result<(), E>) -> ExitCode {
        let program = self.build.name;
        let (settings, report) = match self.load() {
            Ok(loaded) => loaded,
            Err(report) => return print(io::stderr(), report.refusal(), ExitCode::FAILURE),
        };
        match work(settings, report) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => print(io::stderr(), format!("{program}: {error}\n"), ExitCode::FAILURE),
        }
    }

    fn load(&self) -> Result<(S, Report), Report> {
        load(&self.build, &Variables::of_this_process(), self.read)
    }

    /// The settings, and what the checks find. They need settings that are right.
    fn report(&self) -> Report {
        let (settings, mut report) = match self.load() {
            Ok(loaded) => loaded,
            Err(report) => return report,
        };
        for (name, check) in &self.checks {
            let outcome = catch_unwind(AssertUnwindSafe(|| check(&settings)));
            let outcome = outcome.unwrap_or_else(|_| {
                Err(Problem::new("The check panicked.", "See the lines above this report."))
            });
            report.add_check(name, outcome);
        }
        report
    }

    fn version(&self) -> String {
        let Build { name, version, .. } = self.build;
        let commit = self.build.baked_commit().map(|commit| format!(" ({commit})"));
        format!("{name} {version}{}\n", commit.unwrap_or_default())
    }
}

/// Adds the app's routes, once in each worker.
pub type SiteRoutes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// What a web server shows: the app's routes, and how its errors look.
pub struct Site {
    pub(crate) name: String,
    pub(crate) routes: SiteRoutes,
    write_html: Option<WriteHtml>,
    public: Vec<&'static str>,
}

impl Site {
    /// A site by this name, with these routes. They are added in each worker, so what handlers share is made
    /// before, and cloned in.
    #[must_use]
    pub fn new(name: &str, routes: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        Self {
            name: name.to_owned(),
            routes: Arc::new(routes),
            write_html: None,
            public: Vec::new(),
        }
    }

    /// Gives errors a page of the app's own: see [`Duties::error_page`].
    #[must_use]
    pub fn error_page(
        mut self,
        write_html: impl Fn(&ErrorPage) -> String + Send + Sync + 'static,
    ) -> Self {
        self.write_html = Some(Arc::new(write_html));
        self
    }

    /// Lets a preview show this without its password: see [`Duties::public`].
    #[must_use]
    pub fn public(mut self, path: &'static str) -> Self {
        self.public.push(path);
        self
    }

    pub(crate) fn duties(&self, settings: &Settings, release: Release) -> Duties {
        let mut duties = Duties::new(settings, release);
        for path in &self.public {
            duties = duties.public(path);
        }
        match self.write_html.clone() {
            Some(write_html) => duties.error_page(move |error| write_html(error)),
            None => duties,
        }
    }
}

/// Prints to someone who may have stopped reading, as `head` does. That changes no exit code.
fn print(mut to: impl Write, text: impl Display, code: ExitCode) -> ExitCode {
    let _ = write!(to, "{text}");
    code
}
