//! What the engine needs of the world beside the spool and the checkpoint.

use std::sync::Arc;

use super::{PipelineId, exported::Exported};
use crate::{consent::Consents, deliver::Snapshot};

/// Where consent comes from and where snapshots go.
pub trait Outlet: Send {
    /// Everything that held since the last call, the oldest first; nothing if it is still the same.
    fn changes(&mut self) -> Vec<Arc<Consents>>;

    /// Has somebody look at a directory of an entry. What is then agreed to is among the next
    /// [`changes`](Self::changes).
    fn explore(&mut self, dir: &str);

    /// A pipeline begins, or goes on to another destination.
    fn open(&mut self, pipeline: &Exported);

    /// A pipeline has ended: nothing of it may be sent any more.
    fn close(&mut self, pipeline: PipelineId);

    /// A snapshot that a checkpoint holds.
    fn offer(&mut self, pipeline: PipelineId, snapshot: Snapshot);
}
