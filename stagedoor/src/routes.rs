//! The routes of every app: which release runs, whether it is well, and what search engines may read.

use std::future::ready;

use actix_web::web::{self, ServiceConfig};

use crate::release::Release;
use crate::representation::{Caching, Representation};

/// Which release runs here.
pub const RELEASE: &str = "/release";

/// Asked by those who watch the process, who know no password and need not come over https.
pub const HEALTH: &str = "/health";

/// Asked by search engines, which know no password.
pub const ROBOTS: &str = "/robots.txt";

/// At every stage. Whoever may not read a page does not see its `noindex`, and may list its address all the same.
const ROBOTS_MAY_READ: &str = "User-agent: *\nAllow: /\n";

/// What they answer, made once at start.
#[derive(Clone)]
pub struct Routes {
    answers: [(&'static str, Representation); 3],
}

impl Routes {
    pub fn new(release: &Release) -> Self {
        // Indented, since people read it too.
        let release =
            serde_json::to_string_pretty(release).expect("text and options of text are JSON");
        let release = Representation::new("application/json", Caching::Never, release + "\n");
        let text = |caching, text| Representation::new("text/plain; charset=utf-8", caching, text);
        Self {
            answers: [
                (RELEASE, release),
                (HEALTH, text(Caching::Never, "ok\n")),
                (ROBOTS, text(Caching::Revalidate, ROBOTS_MAY_READ)),
            ],
        }
    }

    /// Adds them after the app's own routes, which come first.
    pub fn register(&self, app: &mut ServiceConfig) {
        for (path, answer) in &self.answers {
            let answer = answer.clone();
            app.route(path, web::get().to(move || ready(answer.clone())));
        }
    }
}
