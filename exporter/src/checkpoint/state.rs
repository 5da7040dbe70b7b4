//! What a checkpoint holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::{
    classify::{price_table::Origin, rules::FileFacts},
    deliver::{HealthRecord, History},
    ledger::Mark,
    measure::{Key, Metric},
    pipeline::state::PipelineState,
    source::StreamPosition,
};

/// Everything at one cut. The default is nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// When it was written.
    pub last_alive: UnixMillis,
    /// The start of the open window.
    pub window_start: UnixMillis,
    /// How far the spool had been read.
    pub streams: Vec<StreamPosition>,
    /// The pipelines, with exactly the entries before `streams`.
    pub pipelines: Vec<SavedPipeline>,
    /// The directories of projects from which entries came of late.
    #[serde(default)]
    pub directories: Vec<SeenDirectory>,
    /// The process that wrote it; absent in a checkpoint of an early build.
    #[serde(default)]
    pub writer: Option<Writer>,
    /// How far the export ledger had been written.
    #[serde(default)]
    pub ledger: Mark,
}

/// A project's directory, as entries name it. It never leaves the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDirectory {
    /// The directory.
    pub dir: String,
    /// When the last of its entries ended.
    pub last: UnixMillis,
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
    /// The start of its open window; that of the local page's pipeline in a checkpoint of an early build.
    #[serde(default)]
    pub window_start: Option<UnixMillis>,
    /// What was agreed to; the local pipeline needs no consent, and an early build noted none.
    #[serde(default)]
    pub agreed: Option<Agreed>,
    /// Whether an agent whose own telemetry was on has had exchanges in it.
    #[serde(default)]
    pub is_complement: bool,
}

/// What was agreed to for a pipeline, without anything secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    /// Where to, as it may be seen.
    pub endpoint: String,
    /// The user's attributes of the resource, as they may be seen.
    pub attributes: BTreeMap<String, String>,
    /// The files that say so; none if the environment alone does.
    pub files: BTreeSet<PathBuf>,
    /// When the person agreed to tier 2.
    pub acknowledged_at: Option<String>,
    /// The length of its windows in milliseconds.
    pub interval_ms: u64,
    /// Budgets in place of the catalogue's.
    pub budgets: Vec<(Metric, Key, usize)>,
    /// Attributes of the resource that are repeated on points.
    pub promoted: Vec<String>,
    /// Whether exchanges that no file covers count in it.
    pub is_server: bool,
    /// Whether it was there only for exchanges whose stamp lowers tier 2 to 1.
    #[serde(default)]
    pub is_standby: bool,
    /// What the person should know.
    pub notices: BTreeSet<String>,
}

impl SavedPipeline {
    /// The pipeline of the local page, whose open window began at `window_start`.
    pub fn local(state: PipelineState, window_start: UnixMillis) -> Self {
        let window_start = Some(window_start);
        let history = History::default();
        Self { state, health: None, history, window_start, agreed: None, is_complement: false }
    }
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
