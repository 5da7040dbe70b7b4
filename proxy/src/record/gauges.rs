//! What the proxy counts about itself beside the exchanges.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counted by the listener, read by the recorder.
#[derive(Debug, Default)]
pub struct ProxyGauges {
    connections: AtomicU64,
    refused: AtomicU64,
}

impl ProxyGauges {
    /// Client connections open.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// Requests refused at our own door, since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}
