//! The server: binds, says where, serves, and drains when Heroku asks it to stop.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Server;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use thiserror::Error;
use tokio::time;

use crate::connections::Connections;
use crate::http;
use crate::listen::{check_files, listen};
use crate::panics;
use crate::program::Site;
use crate::release::{Build, Release};
use crate::settings::Settings;
use crate::signals::{Signals, Stop};

/// How long requests are still taken after SIGTERM: on connections that the router keeps open some may be
/// on their way. Each is answered, with `Connection: close`. The wait ends with the last connection.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// How long new connections are taken at least: the system may hold some that no worker has seen yet.
const NEW_CONNECTIONS: Duration = Duration::from_millis(100);

/// How often to look whether connections are left: short beside `LAST_REQUESTS`, and costs nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Heroku kills a dyno 30 s after SIGTERM. Of these, requests under way have 24 s more to be finished;
/// the log has 2 s to be written, and the process what is left.
const DRAIN_SECONDS: u64 = 24;

/// In all workers. A connection that was used takes up to 24 KiB, so that all of these fit into the 512 MB of a small
/// dyno. Who comes then waits until one is closed.
const MOST_CONNECTIONS: usize = 16_000;

/// Why the service did not start, or failed, and what to do about it.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another process listens there.
    #[error("port {port} is taken. Stop what listens there, or choose another: PORT={next}")]
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
    #[error("this user may not listen on port {0}. Choose one from 1024 on: PORT=8080")]
    NotAllowed(u16),
    /// The operating system refuses for another reason.
    #[error("can't listen on {0}: {1}. Choose another HOST or PORT")]
    Unusable(SocketAddr, io::Error),
    /// The executable, whose digest `/release` answers, can't be read.
    #[error("can't read this executable: {0}")]
    Executable(io::Error),
    /// Connections are files, and so is much that a worker needs.
    #[error(
        "this process may not open the {needed} files that it needs. Raise the limit: ulimit -n 1024"
    )]
    TooFewFiles {
        /// How many it needs, with a few connections.
        needed: usize,
    },
    /// A worker's thread could not be started, or its app panicked.
    #[error("a worker did not start: {0}. Where memory is short, fewer may do: WEB_CONCURRENCY=1")]
    NoWorker(String),
    /// The server failed, or could not listen for signals.
    #[error("the server failed: {0}")]
    Failed(io::Error),
}

/// Makes the site and serves it, until a signal asks to stop.
///
/// `site` is a `dyn`, so that all of the server is compiled with this crate, and not anew with each change of an
/// app.
pub fn run(
    build: &Build,
    settings: &Settings,
    site: &dyn Fn(&Release) -> Site,
) -> Result<(), ServeError> {
    check_files(settings.workers).map_err(|needed| ServeError::TooFewFiles { needed })?;
    let release = Release::new(build, settings).map_err(ServeError::Executable)?;
    let site = site(&release);
    // This thread only waits for signals: each worker has a runtime of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(ServeError::Failed)?;
    runtime.block_on(serve(settings, release, site))
}

/// Serves until SIGTERM, which lets the requests under way finish; a second one changes nothing. Ctrl-C
/// does not wait, not even for what SIGTERM waits for.
async fn serve(settings: &Settings, release: Release, site: Site) -> Result<(), ServeError> {
    let name = &site.name;
    let duties = site.duties(settings, release.clone());
    let connections = Connections::default();
    // Before a port is bound, and so before anyone can see that it runs.
    let mut signals = Signals::listen().map_err(ServeError::Failed)?;
    let listener = listen(settings.host, settings.port);
    let listener = listener.map_err(|error| ServeError::of_listen(settings, error))?;
    let address = listener.local_addr().map_err(ServeError::Failed)?;

    let server = Server::build();
    let shutdown = server.graceful_shutdown_signal();
    let (site_duties, routes) = (duties.clone(), site.routes);
    let open = connections.clone();
    let server = server
        .workers(settings.workers)
        .max_concurrent_connections(MOST_CONNECTIONS.div_ceil(settings.workers))
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals() // we wait for them ourselves
        .listen(name, listener, move || {
            let shutdown = shutdown.clone();
            http::service(&site_duties, &routes, &open, move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
        });
    let mut running = server.map_err(ServeError::Failed)?.run();
    let handle = running.handle();
    // The first poll starts the workers. It is ready only where one of them did not start.
    match panics::catch(None, || (&mut running).now_or_never()) {
        Ok(None) => {}
        Ok(Some(ended)) => {
            let why = ended.err().map(|error| error.to_string());
            return Err(ServeError::NoWorker(why.unwrap_or_default()));
        }
        Err(panic) => return Err(ServeError::NoWorker(panic.text.unwrap_or_default())),
    }
    log_address(name, settings, &release, address);
    let stopping = async {
        if signals.wait().await == Stop::AtOnce {
            return handle.stop(false).await;
        }
        let draining = async {
            duties.end_connections();
            let all_closed = async {
                time::sleep(NEW_CONNECTIONS).await;
                while !connections.are_closed() {
                    time::sleep(LOOK_AGAIN).await;
                }
            };
            let _ = time::timeout(LAST_REQUESTS, all_closed).await;
            handle.stop(true).await;
        };
        let at_once = pin!(signals.wait_for_at_once());
        if let Either::Right(_) = select(pin!(draining), at_once).await {
            tracing::warn!(
                "{name} does not wait for the last requests: it was told to stop at once"
            );
        }
    };
    // `running` goes first where it ends by itself. After a stop there is nothing left to wait for.
    if let Either::Left((ended, _)) = select(running, pin!(stopping)).await {
        ended.map_err(ServeError::Failed)?;
    }
    tracing::info!("{name} has stopped");
    Ok(())
}

fn log_address(name: &str, settings: &Settings, release: &Release, address: SocketAddr) {
    let open_at = match &settings.heroku.domain {
        Some(domain) => format!("https://{domain}"),
        None if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        None => format!("http://{address}"),
    };
    tracing::info!(
        environment = settings.environment.name(),
        release = release.release.as_deref().unwrap_or("none"),
        commit = release.commit.as_deref().unwrap_or("none"),
        workers = settings.workers,
        address = %address,
        "{name} is open at {open_at}",
    );
}

impl ServeError {
    fn of_listen(settings: &Settings, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::PortTaken {
                port: settings.port,
                next: settings.port.checked_add(1).unwrap_or(8080),
            },
            ErrorKind::AddrNotAvailable => Self::NoSuchAddress(settings.host),
            ErrorKind::PermissionDenied => Self::NotAllowed(settings.port),
            _ => Self::Unusable(SocketAddr::new(settings.host, settings.port), error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::load;
    use crate::settings::variables::Variables;

    #[test]
    fn a_worker_that_does_not_start_is_an_error() {
        let build = crate::build!();
        let variables = Variables::from_iter([("PORT", "0"), ("HOST", "127.0.0.1")]);
        let (settings, _) = load(&build, &variables, Settings::read).unwrap();
        let site = |_: &Release| Site::new("Panics", |_| panic!("on purpose"));
        let refused = run(&build, &settings, &site).unwrap_err();
        assert!(matches!(refused, ServeError::NoWorker(_)), "{refused}");
    }
}
