//! What the forwarding side counts and the recorder writes into the spool's `stats` lines.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// The forwarding side's own figures.
#[derive(Debug, Default)]
pub struct ProxyGauges {
    connections: AtomicU64,
    refused: AtomicU64,
}

/// One open client connection; counted until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<ProxyGauges>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

impl ProxyGauges {
    /// Counts a client connection for as long as it is open.
    pub fn connection_opened(self: &Arc<Self>) -> OpenConnection {
        self.connections.fetch_add(1, Relaxed);
        OpenConnection(self.clone())
    }

    /// Counts a request that was refused at our own door.
    pub fn request_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Client connections open now.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// Requests refused at our own door since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}
