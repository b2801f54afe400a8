//! The signals that ask the process to stop.

use std::io;

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM, from Heroku: finish what is under way.
    Gracefully,
    /// SIGINT, from Ctrl-C: now.
    AtOnce,
}

/// Signals that are listened for: they no longer end the process by themselves.
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
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
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them.
    pub async fn wait(mut self) -> Stop {
        use futures_util::future::{Either, select};
        use std::pin::pin;
        match select(pin!(self.terminate.recv()), pin!(self.interrupt.recv())).await {
            Either::Left(_) => Stop::Gracefully,
            Either::Right(_) => Stop::AtOnce,
        }
    }
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
    pub async fn wait(self) -> Stop {
        // Where it can't be waited for, Ctrl-C ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Stop::AtOnce
    }
}
