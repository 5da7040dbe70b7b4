//! The totals that are pushed: those of the local page, as the last checkpoint has them.

use std::{path::PathBuf, time::Duration};

use ccxray_shared::{UnixMillis, state_dir::StateDir};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use crate::{
    checkpoint::{Loaded, State, Store, StoreError},
    pipeline::{Pipeline, Window, identity::PipelineKey},
};

/// Totals at one moment.
#[derive(Debug)]
pub struct Totals {
    /// All series.
    pub request: ExportMetricsServiceRequest,
    /// The moment.
    pub at: UnixMillis,
    /// The random id that these totals have as long as they go on.
    pub instance: String,
}

/// There are no totals.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TotalsError {
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] StoreError),
    /// No exporter has run there.
    #[error("no totals in `{dir}`; `ccxray-exporter run` counts what ccxray-proxy has recorded")]
    None {
        /// Where.
        dir: PathBuf,
    },
}

/// Reads the totals of the exporter that keeps its state in `state_dir`, whether it runs or not. Changes nothing there.
pub fn read(state_dir: &StateDir) -> Result<Totals, TotalsError> {
    let none = || TotalsError::None { dir: state_dir.path().to_owned() };
    let State { last_alive, window_start, pipelines, .. } = match Store::new(&state_dir.exporter()).peek()? {
        Loaded::Current(state) | Loaded::Previous(state, _) => *state,
        Loaded::Damaged(error) => return Err(error.into()),
        Loaded::Fresh => return Err(none()),
    };
    let local = pipelines.into_iter().find(|saved| saved.state.identity.key == PipelineKey::local());
    let state = local.map(|saved| saved.state).filter(|state| !state.rows.is_empty()).ok_or_else(none)?;
    let instance = state.identity.resource().remove("service.instance.id").unwrap_or_default();
    // A checkpoint is written after a drain: there is nothing left that would belong to a window.
    let window = Window { start: window_start, length: Duration::ZERO };
    let request = Pipeline::from_state(state).peek(window, last_alive);
    Ok(Totals { request, at: last_alive, instance })
}
