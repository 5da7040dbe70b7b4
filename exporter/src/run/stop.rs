//! The end of the daemon.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::fleet::Fleet;
use crate::engine::{Command, Commands};

/// How long a stop may take in all.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Everything that has to come to an end.
pub(super) struct Stop {
    pub(super) commands: Commands,
    pub(super) engine: JoinHandle<()>,
    pub(super) fleet: Arc<Fleet>,
}

impl Stop {
    /// Ends within [`STOP_TIMEOUT`]. Without `flush` nothing is sent any more, and what is under way is broken off,
    /// before anything else happens.
    pub(super) async fn carry_out(self, flush: bool) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        if !flush {
            self.fleet.abort();
        }
        self.commands.send(Command::Stop { flush });
        let engine = self.engine;
        let ended = tokio::task::spawn_blocking(move || engine.join());
        match tokio::time::timeout_at(deadline.into(), ended).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the engine ended by a panic; the last checkpoint stays"),
            Err(_) => tracing::warn!("the engine did not end in time; the last checkpoint stays"),
        }
        if flush {
            if tokio::time::timeout_at(deadline.into(), self.fleet.flushed()).await.is_err() {
                tracing::warn!(
                    "not every last snapshot was acknowledged in time; their totals are in the checkpoint"
                );
            }
            self.fleet.abort();
        }
    }
}
