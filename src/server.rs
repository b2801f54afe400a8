//! The server: binds, says where, serves, and drains when Heroku asks it to stop.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpServer;
use thiserror::Error;

use crate::app::{Site, app};
use crate::digest;
use crate::index::MESSAGE;
use crate::release::Release;
use crate::settings::Settings;

/// The router drops an idle connection after 90 s. A server that does so first, as actix would after
/// 5 s, closes connections on which a request is just coming: H13 and H18 in the app's log.
const KEEP_ALIVE: Duration = Duration::from_secs(95);

/// Heroku kills a dyno 30 s after SIGTERM. Requests have 25 s to be finished, the process 5 s to end.
const DRAIN_SECONDS: u64 = 25;

/// Why the service could not start, and what to do about it.
#[derive(Debug, Error)]
pub enum StartError {
    /// Another process listens there.
    #[error("port {port} is taken. Stop what listens there, or choose another port: PORT={next}")]
    PortTaken {
        /// The port.
        port: u16,
        /// Another, to try.
        next: u16,
    },
    /// This machine has no such address.
    #[error("this machine has no address {0}. Unset HOST, or choose one it has: HOST=127.0.0.1")]
    NoSuchAddress(IpAddr),
    /// The operating system keeps the port for others.
    #[error("port {0} is not allowed to this user. Choose one from 1024 on: PORT=8080")]
    NotAllowed(u16),
    /// Anything else.
    #[error("{what}: {error}")]
    Other {
        /// What was tried.
        what: String,
        /// What the operating system said.
        error: io::Error,
    },
}

/// Serves until SIGTERM, which lets the requests under way finish; a second one changes nothing.
/// SIGINT (Ctrl-C) does not wait.
///
/// # Errors
/// When the address can't be bound, or the executable, whose digest `/release` answers, not be read.
pub async fn serve(settings: &Settings) -> Result<(), StartError> {
    let build = digest::of_this_executable().map_err(|error| StartError::Other {
        what: "can't read this executable for its digest".to_owned(),
        error,
    })?;
    let release = Release::new(MESSAGE, build, settings);
    let site = Arc::new(Site::new(settings, &release));

    let bind = |host: IpAddr| {
        let site = Arc::clone(&site);
        HttpServer::new(move || app(&site))
            .workers(settings.workers)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(DRAIN_SECONDS)
            .bind((host, settings.port))
    };
    let server = match bind(settings.host) {
        Err(error) if is_without_ipv6(settings.host, &error) => bind(Ipv4Addr::UNSPECIFIED.into()),
        bound => bound,
    };
    let server = server.map_err(|error| StartError::of_bind(settings, error))?;

    let addresses = server.addrs();
    let mut running = server.run();
    // The first poll starts the workers and listens for signals. Whoever reads that it is open may rely
    // on both.
    let started = poll_fn(|context| Poll::Ready(Pin::new(&mut running).poll(context))).await;
    let stopped = match started {
        Poll::Ready(ended) => ended,
        Poll::Pending => {
            say_where_it_is_open(settings, &release, &addresses);
            running.await
        }
    };
    stopped
        .map_err(|error| StartError::Other { what: "the server broke off".to_owned(), error })?;
    tracing::info!("{} has stopped", settings.site_name);
    Ok(())
}

fn say_where_it_is_open(settings: &Settings, release: &Release, addresses: &[SocketAddr]) {
    for address in addresses {
        tracing::info!(
            environment = settings.environment.name(),
            release = release.release.as_deref().unwrap_or("none"),
            commit = release.commit,
            workers = settings.workers,
            "{} is open at {}",
            settings.site_name,
            to_open(*address),
        );
    }
}

/// Where the kernel has no IPv6, `::` can't be bound, and every interface is 0.0.0.0.
fn is_without_ipv6(host: IpAddr, error: &io::Error) -> bool {
    host == Ipv6Addr::UNSPECIFIED
        && !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

/// What to type into a browser on this machine.
fn to_open(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

impl StartError {
    fn of_bind(settings: &Settings, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::PortTaken {
                port: settings.port,
                next: settings.port.checked_add(1).unwrap_or(8080),
            },
            ErrorKind::AddrNotAvailable => Self::NoSuchAddress(settings.host),
            ErrorKind::PermissionDenied => Self::NotAllowed(settings.port),
            _ => Self::Other {
                what: format!("can't listen on {}:{}", settings.host, settings.port),
                error,
            },
        }
    }
}
