//! The end of the daemon.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    deliver::{CutId, WorkerHandle},
    engine::{Command, Commands},
};

/// How long a stop may take in all.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Everything that has to come to an end.
pub(super) struct Stop {
    pub(super) commands: Commands,
    pub(super) engine: JoinHandle<()>,
    pub(super) worker: Option<Arc<WorkerHandle>>,
    pub(super) acks: watch::Receiver<CutId>,
    pub(super) last_offer: watch::Receiver<CutId>,
}

impl Stop {
    /// Ends within [`STOP_TIMEOUT`]. Without `flush` nothing is sent any more, and what is under way is broken off,
    /// before anything else happens.
    pub(super) async fn carry_out(mut self, flush: bool) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        let abort = |worker: &Option<Arc<WorkerHandle>>| {
            if let Some(worker) = worker {
                worker.abort();
            }
        };
        if !flush {
            abort(&self.worker);
        }
        self.commands.send(Command::Stop { flush });
        let engine = self.engine;
        let ended = tokio::task::spawn_blocking(move || engine.join());
        match tokio::time::timeout_at(deadline.into(), ended).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the engine ended by a panic; the last checkpoint stays"),
            Err(_) => tracing::warn!("the engine did not end in time; the last checkpoint stays"),
        }
        if flush && self.worker.is_some() {
            let last = *self.last_offer.borrow_and_update();
            let acked = self.acks.wait_for(|&acked| acked >= last);
            if !matches!(tokio::time::timeout_at(deadline.into(), acked).await, Ok(Ok(_))) {
                tracing::warn!(
                    "the last snapshot was not acknowledged in time; its totals are in the checkpoint"
                );
            }
            abort(&self.worker);
        }
    }
}
