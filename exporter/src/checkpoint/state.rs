//! What a checkpoint holds.

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::{deliver::record::HealthRecord, pipeline::state::PipelineState, source::StreamPosition};

/// Everything at one cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// When it was written.
    pub last_alive: UnixMillis,
    /// The start of the open window.
    pub window_start: UnixMillis,
    /// How far the spool had been read.
    pub streams: Vec<StreamPosition>,
    /// The pipelines, with exactly the entries before `streams`.
    pub pipelines: Vec<SavedPipeline>,
}

/// A pipeline and the health of its destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPipeline {
    /// The pipeline.
    pub state: PipelineState,
    /// The destination's health; the local pipeline has none.
    pub health: Option<HealthRecord>,
}
