//! The middleware alone: around an app that has a server, a log and a panic hook of its own.
//!
//! ```sh
//! cargo run --package stagedoor --example middleware
//! ```

use std::error::Error;

use actix_web::middleware::NormalizePath;
use actix_web::{App, HttpResponse, HttpServer, web};
use stagedoor::{Duties, Release, RequestId, Settings, Variables, build, load};

fn main() -> Result<(), Box<dyn Error>> {
    actix_web::rt::System::new().block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    std::panic::set_hook(Box::new(|panic| println!("its own hook: {panic}")));

    let variables = Variables::of_this_process();
    let (settings, _) =
        load(&build!(), &variables, Settings::read).map_err(|report| report.refusal())?;
    let duties = Duties::new(&settings, Release::new(&build!(), &settings)?);

    let server = HttpServer::new(move || {
        duties.around(
            App::new()
                .wrap(NormalizePath::trim())
                .route("/", web::get().to(async || "Hello from an app of its own."))
                .route("/id", web::get().to(async |id: RequestId| id.to_string()))
                .route("/panics", web::get().to(async || -> HttpResponse { panic!("on purpose") })),
        )
    });
    let server = server.bind((settings.host, settings.port))?;
    for address in server.addrs() {
        println!("its own server is open at http://{address}");
    }
    server.run().await?;
    Ok(())
}
