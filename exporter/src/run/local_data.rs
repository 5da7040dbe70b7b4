//! The local page's view of the engine.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use tokio::{sync::oneshot, time::timeout};

use super::fleet::Fleet;
use crate::{
    deliver::Figures,
    engine::{Command, Commands, Sending, Vitals},
    local::LocalData,
};

/// How long the page waits for the engine, which may be reading a backlog.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the engine.
#[derive(Debug)]
pub(super) struct EngineData {
    commands: Commands,
    vitals: Arc<Vitals>,
    figures: Arc<Figures>,
    fleet: Arc<Fleet>,
}

impl EngineData {
    pub(super) fn new(
        commands: Commands,
        vitals: Arc<Vitals>,
        figures: Arc<Figures>,
        fleet: Arc<Fleet>,
    ) -> Self {
        Self { commands, vitals, figures, fleet }
    }
}

impl LocalData for EngineData {
    async fn collect(&self) -> Option<ExportMetricsServiceRequest> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Collect(reply));
        let mut request = timeout(PATIENCE, answer).await.ok()?.ok()?;
        append(&mut request, self.figures.collect());
        Some(request)
    }

    fn ready(&self) -> Result<(), String> {
        self.vitals.problem().map_or(Ok(()), Err)
    }

    fn is_caught_up(&self) -> bool {
        self.vitals.lag_bytes() == 0
    }

    fn health(&self) -> String {
        let read = match self.vitals.lag_bytes() {
            0 => "all that was recorded has been read".to_owned(),
            lag => format!("{lag} bytes of the spool not read yet"),
        };
        let sending: BTreeSet<Sending> = self.vitals.sending().into_iter().collect();
        let mut parts: Vec<String> =
            sending.iter().map(|each| format!("{}; state {}", each.summary, each.state.as_str())).collect();
        if parts.is_empty() {
            parts.push(self.fleet.consents().summary());
        }
        parts.push(read);
        parts.join("; ")
    }
}

/// Adds the exporter's own figures to the first resource: on this page both have the same one.
fn append(request: &mut ExportMetricsServiceRequest, own: ExportMetricsServiceRequest) {
    if let Some(resource) = request.resource_metrics.first_mut() {
        resource.scope_metrics.extend(own.resource_metrics.into_iter().flat_map(|own| own.scope_metrics));
    }
}
