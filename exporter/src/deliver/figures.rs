//! Which of the exporter's own figures go where.
//!
//! To the destination of a project go those of its own pipeline. What concerns the whole process goes to the local page
//! and to the destination that the exporter's own command line names. The local page has no word of single projects: of
//! destinations it tells how many are in which state.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use super::{
    health::State,
    messages::FromWorker,
    self_telemetry::{Scope, SelfTelemetry},
    transport::HttpTransport,
};
use crate::engine::PipelineId;

/// The exporter's own figures, for everybody who may have some of them.
#[derive(Debug)]
pub struct Figures {
    local: SelfTelemetry,
    destinations: Mutex<BTreeMap<PipelineId, Destination>>,
}

#[derive(Debug)]
struct Destination {
    telemetry: Arc<SelfTelemetry>,
    scope: Scope,
    state: State,
}

impl Figures {
    /// Figures for the local page.
    pub fn new() -> Result<Self, ExporterBuildError> {
        let local = SelfTelemetry::new::<HttpTransport>(Scope::Process, Vec::new(), None)?;
        Ok(Self { local, destinations: Mutex::default() })
    }

    /// A pipeline at `tier` begins its work; its destination's figures are `telemetry`, and its `state` as the last
    /// process knew it.
    pub fn enter(
        &self,
        pipeline: PipelineId,
        telemetry: SelfTelemetry,
        (scope, tier, state): (Scope, u8, State),
    ) {
        telemetry.begin_in(state);
        let destination = Destination { telemetry: Arc::new(telemetry), scope, state };
        let replaced = self.destinations().insert(pipeline, destination);
        // Its end may take a moment: not while the others wait.
        drop(replaced);
        self.each(|telemetry| telemetry.count_launch(tier));
        self.count_states();
    }

    /// Nothing is agreed to at the start.
    pub fn note_nothing_agreed(&self) {
        self.each(|telemetry| telemetry.count_launch(0));
    }

    /// Pipelines have ended: none of their figures may be sent any more, and pushes under way are broken off.
    pub fn leave(&self, pipelines: impl IntoIterator<Item = PipelineId>) {
        let left: Vec<Destination> = {
            let mut destinations = self.destinations();
            pipelines.into_iter().filter_map(|pipeline| destinations.remove(&pipeline)).collect()
        };
        for destination in &left {
            destination.telemetry.end();
        }
        // Each may take a moment to go.
        drop(left);
        self.count_states();
    }

    /// Takes in what the worker of a pipeline reports.
    pub fn observe(&self, pipeline: PipelineId, event: &FromWorker) {
        let telemetry = {
            let mut destinations = self.destinations();
            let Some(destination) = destinations.get_mut(&pipeline) else { return };
            if let FromWorker::Health(record) = event {
                destination.state = record.state;
            }
            Arc::clone(&destination.telemetry)
        };
        telemetry.observe(event);
        match event {
            FromWorker::Health(_) => self.count_states(),
            FromWorker::Dropped { .. } | FromWorker::Rejected { .. } => self.local.observe(event),
            FromWorker::Acked { .. } | FromWorker::Failed => {}
        }
    }

    /// Counts lines of the spool by their kind.
    pub fn count_entries(&self, kind: &'static str, count: u64) {
        self.each(|telemetry| telemetry.count_entries(kind, count));
    }

    /// Notes how many bytes of the spool are still unread, and how long ago the first entry in them ended.
    pub fn set_lag(&self, bytes: u64, age: Duration) {
        self.each(|telemetry| telemetry.set_lag(bytes, age));
    }

    /// Notes how long ago a checkpoint was last written.
    pub fn set_checkpoint_age(&self, age: Duration) {
        self.each(|telemetry| telemetry.set_checkpoint_age(age));
    }

    /// The figures of this moment, for the local page.
    pub fn collect(&self) -> ExportMetricsServiceRequest {
        self.local.collect()
    }

    /// Nothing is sent any more, whatever workers still report.
    pub fn end(&self) {
        self.destinations().values().for_each(|destination| destination.telemetry.end());
    }

    /// The local page's, and those of destinations that may know of the whole process.
    fn each(&self, tell: impl Fn(&SelfTelemetry)) {
        tell(&self.local);
        let destinations = self.destinations();
        let process = destinations.values().filter(|destination| destination.scope == Scope::Process);
        process.for_each(|destination| tell(&destination.telemetry));
    }

    fn count_states(&self) {
        let destinations = self.destinations();
        let in_state = |state| destinations.values().filter(|each| each.state == state).count() as u64;
        self.local.set_states(in_state);
    }

    fn destinations(&self) -> MutexGuard<'_, BTreeMap<PipelineId, Destination>> {
        self.destinations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
