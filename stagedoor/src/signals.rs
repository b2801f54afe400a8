//! The signals that ask the process to stop.

use std::io;
#[cfg(unix)]
use std::pin::pin;

#[cfg(unix)]
use futures_util::future::{Either, select, select_all};

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM, from Heroku: finish what is under way.
    Gracefully,
    /// SIGINT, from Ctrl-C; SIGQUIT; SIGHUP, from a terminal that is closed: now.
    AtOnce,
}

/// Signals that are listened for: they no longer end the process by themselves, which would lose the last lines of
/// the log.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    at_once: [tokio::signal::unix::Signal; 3],
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            at_once: [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::quit())?,
                signal(SignalKind::hangup())?,
            ],
        })
    }

    /// Waits for the first of them.
    pub async fn wait(&mut self) -> Stop {
        let Self { terminate, at_once } = self;
        match select(pin!(terminate.recv()), pin!(any(at_once))).await {
            Either::Left(_) => Stop::Gracefully,
            Either::Right(_) => Stop::AtOnce,
        }
    }

    /// Waits for one that asks to stop now.
    pub async fn wait_for_at_once(&mut self) {
        any(&mut self.at_once).await;
    }
}

#[cfg(unix)]
async fn any(signals: &mut [tokio::signal::unix::Signal]) {
    select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}

#[cfg(not(unix))]
impl Signals {
    /// Nothing to set up.
    ///
    /// # Errors
    /// None.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C.
    pub async fn wait(&mut self) -> Stop {
        self.wait_for_at_once().await;
        Stop::AtOnce
    }

    /// Waits for Ctrl-C.
    pub async fn wait_for_at_once(&mut self) {
        // Where it can't be waited for, Ctrl-C ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
