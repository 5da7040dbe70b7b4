//! What a checkpoint holds.

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::{
    classify::{price_table::Origin, rules::FileFacts},
    deliver::{HealthRecord, History},
    pipeline::state::PipelineState,
    source::StreamPosition,
};

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
    /// The process that wrote it; absent in a checkpoint of an early build.
    #[serde(default)]
    pub writer: Option<Writer>,
}

/// A pipeline and the health of its destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPipeline {
    /// The pipeline.
    pub state: PipelineState,
    /// The destination's health; the local pipeline has none.
    pub health: Option<HealthRecord>,
    /// What the destination has been through.
    #[serde(default)]
    pub history: History,
}

/// What the process that wrote a checkpoint ran with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Its version.
    pub version: String,
    /// The length of its windows in milliseconds.
    pub interval_ms: u64,
    /// Where its prices were from.
    pub prices: Origin,
    /// What its rules said of themselves; empty in a checkpoint of an early build.
    #[serde(default)]
    pub rules: Vec<FileFacts>,
}
