//! What `status` says, as data.

use std::{io, path::PathBuf};

use ccxray_shared::{UnixMillis, spool::layout, state_dir::StateDir};
use serde::Serialize;

use crate::{
    checkpoint::{Loaded, SavedPipeline, State, Store, StoreError},
    deliver::{HealthRecord, health},
    measure::{Key, Metric},
    pipeline::{Pipeline, withheld::Absence},
    run::lock,
    source::Source,
};

/// Everything that `status` says.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where the state lies.
    pub state_dir: PathBuf,
    /// The process id of the running exporter, if one runs.
    pub pid: Option<String>,
    /// When the exporter last said that it was alive; absent if it never ran.
    pub last_alive: Option<UnixMillis>,
    /// The spool.
    pub spool: Spool,
    /// The destinations.
    pub destinations: Vec<DestinationReport>,
}

/// The spool.
#[derive(Debug, Serialize)]
pub struct Spool {
    /// Files.
    pub segments: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes that the exporter has not read.
    pub unread_bytes: u64,
}

/// One destination.
#[derive(Debug, Serialize)]
pub struct DestinationReport {
    /// Where to, without secrets.
    pub endpoint: String,
    /// With which consent.
    pub tier: u8,
    /// How it is doing.
    pub health: HealthRecord,
    /// The time of the last snapshot.
    pub last_cut: UnixMillis,
    /// How many series it has.
    pub series: usize,
    /// How full the budgets are.
    pub budgets: Vec<Budget>,
    /// What is withheld.
    pub withheld: Vec<Absence>,
}

/// One budget.
#[derive(Debug, Serialize)]
pub struct Budget {
    /// Of which metric.
    pub metric: Metric,
    /// Of which attribute.
    pub attribute: Key,
    /// Values that have a place.
    pub used: usize,
    /// Places.
    pub budget: usize,
}

/// The status cannot be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] StoreError),
    /// The spool cannot be read.
    #[error("failed to read the spool in `{dir}`")]
    Spool {
        /// Where.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Report {
    /// The status of the exporter that keeps its state in `state_dir`. Changes nothing there.
    pub fn of(state_dir: &StateDir) -> Result<Self, StatusError> {
        let state = match Store::new(&state_dir.exporter()).peek()? {
            Loaded::Fresh | Loaded::Damaged(_) => None,
            Loaded::Current(state) | Loaded::Previous(state, _) => Some(*state),
        };
        let spool = spool(state_dir, state.as_ref())
            .map_err(|source| StatusError::Spool { dir: state_dir.spool(), source })?;
        let saved = state.as_ref().map(|state| state.pipelines.clone()).unwrap_or_default();
        Ok(Self {
            state_dir: state_dir.path().to_owned(),
            pid: lock::holder(&state_dir.exporter()),
            last_alive: state.map(|state| state.last_alive),
            spool,
            destinations: saved.into_iter().filter_map(destination).collect(),
        })
    }

    /// Whether somebody should look at it.
    pub fn needs_attention(&self) -> bool {
        self.destinations.iter().any(|destination| match destination.health.state {
            health::State::Active | health::State::Disabled => false,
            health::State::Degraded | health::State::CircuitOpen | health::State::HalfOpen => true,
        })
    }
}

fn spool(state_dir: &StateDir, state: Option<&State>) -> io::Result<Spool> {
    let segments = layout::list(&state_dir.spool())?;
    let positions = state.map(|state| state.streams.clone()).unwrap_or_default();
    let mut source = Source::resume(&state_dir.spool(), positions);
    source.refresh()?;
    Ok(Spool {
        segments: segments.len(),
        bytes: segments.iter().map(|segment| segment.len).sum(),
        unread_bytes: source.lag_bytes(),
    })
}

fn destination(saved: SavedPipeline) -> Option<DestinationReport> {
    let SavedPipeline { state, health } = saved;
    let endpoint = state.identity.key.destination.clone()?;
    let (tier, series, last_cut) = (state.identity.key.tier, state.rows.len(), state.last_cut);
    let pipeline = Pipeline::from_state(state);
    let budgets = pipeline.admissions().usage();
    Some(DestinationReport {
        endpoint,
        tier,
        health: health.unwrap_or_default(),
        last_cut,
        series,
        budgets: budgets
            .map(|(metric, attribute, used, budget)| Budget { metric, attribute, used, budget })
            .collect(),
        withheld: pipeline.withheld().iter().cloned().collect(),
    })
}
