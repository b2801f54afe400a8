//! Settings and `check` alone, for a program that is no web server, as on a worker dyno.
//!
//! ```sh
//! cargo run --package stagedoor --example worker -- check
//! ```

use std::io::{self, Write};
use std::process::ExitCode;

use secrecy::{ExposeSecret, SecretString};
use stagedoor::{Problem, Program, Reader, build};

struct Settings {
    /// `BATCH`: how many jobs are taken at once, 1 to 100.
    batch: usize,
    /// `QUEUE_URL`: where the jobs are. A secret, since it has a password in it.
    queue_url: Option<SecretString>,
}

impl Settings {
    fn read(reader: &mut Reader) -> Self {
        Self {
            batch: reader.read("BATCH", "10", "a number from 1 to 100", |text| {
                text.parse().ok().filter(|batch| (1..=100).contains(batch))
            }),
            queue_url: reader.secret("QUEUE_URL"),
        }
    }
}

fn main() -> ExitCode {
    Program::new(build!(), Settings::read).check("queue", find_queue).run(work)
}

fn find_queue(settings: &Settings) -> Result<String, Problem> {
    match &settings.queue_url {
        Some(url) if url.expose_secret().starts_with("queue://") => Ok("is there".to_owned()),
        Some(_) => {
            Err(Problem::new("QUEUE_URL is no address of a queue.", "heroku addons:open queue"))
        }
        None => Err(Problem::new("There is no queue.", "heroku addons:create queue")),
    }
}

fn work(settings: Settings) -> io::Result<()> {
    let Settings { batch, queue_url } = settings;
    let queue = if queue_url.is_some() { "its queue" } else { "nowhere" };
    writeln!(io::stdout(), "takes {batch} jobs at once, from {queue}")
}
