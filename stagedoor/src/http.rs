//! How a worker serves its connections, and what is noted of one on which no request was understood.
//!
//! As actix-web's `HttpServer` serves them, but for two things that it can't be told: to read no more than is
//! answered, and to refuse a request before its body is sent.

use std::future::Future;
use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::{DispatchError, ParseError};
use actix_service::{Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::http::StatusCode;
use actix_web::rt::net::TcpStream;
use futures_util::FutureExt;

use crate::client;
use crate::connections::Connections;
use crate::duties::Duties;
use crate::log;
use crate::program::SiteRoutes;
use crate::stream::{Remains, Stream};

/// The router drops an idle connection after 90 s. A server that does so first, as actix would after
/// 5 s, closes connections on which a request is just coming: H13 and H18 in the app's log.
const KEEP_ALIVE: Duration = Duration::from_secs(95);

/// How long the first head of a connection may take. The router has read all of it before it opens one.
const FIRST_HEAD: Duration = Duration::from_secs(5);

/// How long a client that sends a body which nobody wants may read its answer, before the connection is closed.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// Serves connections by an app with its duties. Each worker makes one; `stop` ends what is idle, when it comes.
pub fn service<Stop, Stopping>(
    duties: &Duties,
    routes: &SiteRoutes,
    connections: &Connections,
    stop: Stop,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
+ use<Stop, Stopping>
where
    Stop: Fn() -> Stopping + 'static,
    Stopping: Future<Output = ()> + 'static,
{
    let (routes, connections) = (Arc::clone(routes), connections.clone());
    let app = duties.around(App::new().configure(|app| routes(app)));
    let app = app.map_err(|error| error.as_response_error().error_response());
    let http = HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(FIRST_HEAD)
        .client_disconnect_timeout(LAST_ANSWER)
        .graceful_shutdown_signal(stop)
        .expect(duties.expect())
        .on_connect_ext(move |stream: &Stream, data| {
            client::note_peer(stream.peer(), data);
            data.insert(connections.open());
        })
        .h1(map_config(app, |()| AppConfig::default()));
    apply_fn_factory(http, |socket: TcpStream, http: &_| {
        let remains = Rc::<Remains>::default();
        let stream = Stream::new(socket, &remains);
        let peer = stream.peer();
        // `then`, since an `async` block that awaits it would hold its future twice.
        Service::call(http, (stream, peer)).then(async move |ended| {
            let client = || peer.map(|peer| client::text(peer.ip()));
            if let Some((status, reason)) = refusal(&ended, &remains) {
                log::log_no_request(status, &reason, client().as_deref());
            }
            if matches!(&ended, Err(DispatchError::Io(error)) if error.kind() == ErrorKind::TimedOut)
            {
                log::log_unread_answer(client().as_deref());
            }
            remains.close().await;
            ended
        })
    })
}

/// What actix answered to bytes that it could not take for a request, and why: such a request reaches no app.
fn refusal(ended: &Result<(), DispatchError>, remains: &Remains) -> Option<(StatusCode, String)> {
    let (status, reason) = match ended {
        Err(DispatchError::Parse(error @ ParseError::TooLarge)) => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, error.to_string())
        }
        Err(DispatchError::Parse(error)) => (StatusCode::BAD_REQUEST, error.to_string()),
        _ if remains.was_too_slow() => {
            (StatusCode::REQUEST_TIMEOUT, "its head did not come in time".to_owned())
        }
        _ => return None,
    };
    Some((status, reason))
}
