//! The engine's lines to the world: the consents that change, and the fleet.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::fleet::Fleet;
use crate::{
    consent::{Consents, Watcher},
    deliver::Snapshot,
    engine::{Exported, Outlet, PipelineId},
};

/// What the engine holds.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) fleet: Arc<Fleet>,
    pub(super) watcher: Watcher,
    pub(super) changes: Receiver<Arc<Consents>>,
}

impl Outlet for Lines {
    fn changes(&mut self) -> Vec<Arc<Consents>> {
        self.changes.try_iter().collect()
    }

    fn explore(&mut self, dir: &str) {
        self.watcher.explore(dir);
    }

    fn open(&mut self, pipeline: &Exported) {
        if let Err(error) = self.fleet.open(pipeline) {
            let endpoint = &pipeline.grant().destination.endpoint;
            tracing::error!(
                "nothing is sent to {endpoint}: {}",
                ccxray_shared::daemon::log::with_causes(&error)
            );
        }
    }

    fn close(&mut self, pipeline: PipelineId) {
        self.fleet.close(pipeline);
    }

    fn offer(&mut self, pipeline: PipelineId, snapshot: Snapshot) {
        self.fleet.offer(pipeline, snapshot);
    }
}
