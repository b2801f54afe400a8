//! The application in this process: with any message, and a page that fails.

use std::net::Ipv4Addr;
use std::sync::mpsc;
use std::thread;

use actix_service::ServiceFactoryExt;
use actix_web::dev::{ServerHandle, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{App, HttpResponse, HttpServer, web};
use stagedoor::{Duties, Release, build, load};
use testbed::Variable;

use crate::index::{self, Index};
use crate::look::{self, Look};
use crate::settings::Settings;

pub struct Board {
    pub url: String,
    server: ServerHandle,
}

impl Board {
    /// Serves this message until it is dropped.
    pub fn open(message: &str, variables: &[Variable]) -> Self {
        let variables = variables.iter().copied().collect();
        let (settings, _) = load(&build!(), &variables, Settings::read).unwrap();
        let release = Release {
            message: Some(message.to_owned()),
            build: format!("sha256:{}", "0123456789abcdef".repeat(4)),
            ..Release::new(&build!(), &settings.platform).unwrap()
        };
        let look = Look::new(&settings, message);
        let index = web::Data::new(Index::new(&settings, &release, &look));
        let pages = look.clone();
        let duties = Duties::new(&settings.platform, release)
            .public(look::FOLDER)
            .error_page(move |error| pages.error_page(error));
        let (sender, started) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let fails = async || Err::<HttpResponse, _>(ErrorInternalServerError("on purpose"));
                let server = HttpServer::new(move || {
                    let app = App::new()
                        .app_data(index.clone())
                        .route("/", web::get().to(index::view))
                        .route("/fails", web::get().to(fails))
                        .configure(|app| look.routes(app));
                    duties.around(app).map(without_prompt)
                });
                let server =
                    server.workers(1).disable_signals().bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let port = server.addrs()[0].port();
                let server = server.run();
                sender.send((port, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (port, server) = started.recv().unwrap();
        Self { url: format!("http://127.0.0.1:{port}"), server }
    }
}

/// A browser shows the page of a 401 when its prompt is cancelled. Without a screen it can't be: so none
/// comes.
fn without_prompt(mut answer: ServiceResponse) -> ServiceResponse {
    answer.headers_mut().remove(WWW_AUTHENTICATE);
    answer
}

impl Drop for Board {
    fn drop(&mut self) {
        drop(self.server.stop(false)); // asks at once; what it returns would only wait for the end
    }
}
