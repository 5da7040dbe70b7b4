//! The totals that are pushed: those of the local page, as the last checkpoint has them.

use std::{path::PathBuf, time::Duration};

use ccxray_shared::{UnixMillis, state_dir::StateDir};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use crate::{
    checkpoint::{Loaded, SavedPipeline, State, Store, StoreError},
    pipeline::{Pipeline, Window, identity::PipelineKey, state::PipelineState},
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
    /// Somebody has said no, and their part cannot be taken out of a sum.
    #[error("{entries} exchanges in these totals are stamped with tier 0: they may not be sent anywhere")]
    OptedOut {
        /// How many.
        entries: u64,
    },
}

/// Reads the totals of the exporter that keeps its state in `state_dir`, whether it runs or not. Changes nothing there.
pub fn read(state_dir: &StateDir) -> Result<Totals, TotalsError> {
    let State { last_alive, window_start, pipelines, .. } = checkpoint(state_dir)?;
    let state = local(pipelines, state_dir)?;
    if state.opted_out > 0 {
        return Err(TotalsError::OptedOut { entries: state.opted_out });
    }
    let instance = instance_of(&state);
    // A checkpoint is written after a drain: there is nothing left that would belong to a window.
    let window = Window { start: window_start, length: Duration::ZERO };
    let request = Pipeline::from_state(state).peek(window, last_alive);
    Ok(Totals { request, at: last_alive, instance })
}

/// Reads the totals' id alone, under which some may have been pushed before.
pub fn instance(state_dir: &StateDir) -> Result<String, TotalsError> {
    Ok(instance_of(&local(checkpoint(state_dir)?.pipelines, state_dir)?))
}

fn checkpoint(state_dir: &StateDir) -> Result<State, TotalsError> {
    match Store::new(&state_dir.exporter()).peek()? {
        Loaded::Current(state) | Loaded::Previous(state, _) => Ok(*state),
        Loaded::Damaged(error) => Err(error.into()),
        Loaded::Fresh => Err(TotalsError::None { dir: state_dir.path().to_owned() }),
    }
}

fn local(pipelines: Vec<SavedPipeline>, state_dir: &StateDir) -> Result<PipelineState, TotalsError> {
    let local = pipelines.into_iter().find(|saved| saved.state.identity.key == PipelineKey::local());
    let local = local.map(|saved| saved.state).filter(|state| !state.rows.is_empty());
    local.ok_or_else(|| TotalsError::None { dir: state_dir.path().to_owned() })
}

fn instance_of(state: &PipelineState) -> String {
    state.identity.resource().remove("service.instance.id").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ccxray_shared::{Entry, private};

    use super::*;
    use crate::{
        classify::{Classified, price_table::PriceTable},
        pipeline::identity::{Identity, InstanceId},
        source::tests::entry,
    };

    fn saved(entries: &[Entry<'_>]) -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state_dir = StateDir::resolve(Some(dir.path().to_owned())).unwrap();
        private::ensure_dir(&state_dir.exporter()).unwrap();
        let identity = Identity { key: PipelineKey::local(), instance: InstanceId::from_bits(1) };
        let mut pipeline = Pipeline::new(identity, UnixMillis(0));
        for entry in entries {
            pipeline.record(&Classified::of(entry, &PriceTable::embedded()), false);
        }
        pipeline.drain(Window::around(UnixMillis(0), Duration::from_mins(1)));
        let pipelines = vec![SavedPipeline::local(pipeline.to_state(), UnixMillis(0))];
        let state =
            State { last_alive: UnixMillis(5), window_start: UnixMillis(0), pipelines, ..State::default() };
        Store::new(&state_dir.exporter()).save(&state).unwrap();
        (dir, state_dir)
    }

    #[test]
    fn totals_that_hold_somebodys_no_are_not_pushed() {
        let (_dir, state_dir) = saved(&[entry(1000)]);
        assert_eq!(read(&state_dir).unwrap().at, UnixMillis(5));
        let stamped = Entry { tier_cap: Some(0), ..entry(1000) };
        let (_dir, state_dir) = saved(&[entry(1000), stamped]);
        assert!(matches!(read(&state_dir), Err(TotalsError::OptedOut { entries: 1 })));
        let id = "00000000-0000-4000-8000-000000000001";
        assert_eq!(instance(&state_dir).unwrap(), id, "what was pushed before can still be removed");
    }
}
