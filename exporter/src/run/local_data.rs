//! The local page's view of the engine.

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    engine::{Command, Commands, Vitals},
    local::LocalData,
};

/// How long the page waits for the engine, which may be reading a backlog.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the engine.
#[derive(Debug)]
pub(super) struct EngineData {
    commands: Commands,
    vitals: Arc<Vitals>,
    consent: String,
}

impl EngineData {
    pub(super) fn new(commands: Commands, vitals: Arc<Vitals>, consent: String) -> Self {
        Self { commands, vitals, consent }
    }
}

impl LocalData for EngineData {
    async fn collect(&self) -> Option<ExportMetricsServiceRequest> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Collect(reply));
        timeout(PATIENCE, answer).await.ok()?.ok()
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
        let destination =
            self.vitals.health().map_or(String::new(), |health| format!("; state {}", health.state.as_str()));
        format!("{}{destination}; {read}", self.consent)
    }
}
