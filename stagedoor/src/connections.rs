//! How many connections are open, so that a stop waits for them, and only for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The open connections of all workers.
#[derive(Clone, Default)]
pub struct Connections(Arc<AtomicUsize>);

/// One of them. It counts for as long as this is kept.
pub struct Connection(Connections);

impl Connections {
    /// Counts one more.
    pub fn open(&self) -> Connection {
        self.0.fetch_add(1, Ordering::Relaxed);
        Connection(self.clone())
    }

    /// Whether none is open.
    pub fn are_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
