//! The yardstick: an actix-web handler that sends the same page, and no more. No middleware, no header but
//! the content type, no log.

use std::io::{self, Read};

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer, rt};

/// Serves what it reads from standard input, until it is killed.
pub fn serve(port: u16) {
    let mut page = Vec::new();
    io::stdin().read_to_end(&mut page).expect("the page");
    let page = Bytes::from(page);
    let app = move || {
        let page = page.clone();
        let handler = move || {
            let page = page.clone();
            async { HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page) }
        };
        App::new().route("/", web::get().to(handler))
    };
    let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", port)).expect("a free port");
    rt::System::new().block_on(server.run()).expect("a server");
}
