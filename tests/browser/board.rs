//! The application in this process: with any message, and a page that fails.

use std::net::Ipv4Addr;
use std::sync::{Arc, mpsc};
use std::thread;

use actix_web::dev::{ServerHandle, Service, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, HttpServer, web};
use callboard::app::{Site, app};
use callboard::release::Release;

use crate::support::{self, Variable};

pub struct Board {
    pub url: String,
    server: ServerHandle,
}

impl Board {
    /// Serves this message until it is dropped.
    pub fn open(message: &str, variables: &[Variable]) -> Self {
        let (settings, _) = support::load(variables).unwrap();
        let build = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let site = Arc::new(Site::new(&settings, &Release::new(message, build, &settings)));
        let (sender, started) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let fails =
                    || async { Err::<HttpResponse, _>(ErrorInternalServerError("on purpose")) };
                let server = HttpServer::new(move || {
                    let app = app(&site).route("/fails", web::get().to(fails));
                    app.wrap_fn(|request, next| {
                        let answer = next.call(request);
                        async { answer.await.map(without_prompt) }
                    })
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
