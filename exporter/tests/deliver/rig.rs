//! A worker with quick numbers, its events and its log.

use std::{fs, net::SocketAddr, time::Duration};

use ccxray_exporter::deliver::{
    CutId, Destination, FailureLog, FromWorker, HealthRecord, Snapshot, WorkerHandle,
    health::{Policy, State},
    queue::Limits,
    transport::{HttpTransport, Transport},
    worker::{Tuning, spawn_with},
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data},
};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A secret that must not turn up anywhere.
pub(crate) const CANARY: &str = "canary-5d0e";

/// No test waits longer for an event.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const QUICK: Tuning = Tuning {
    policy: Policy {
        trip_after: 5,
        first_retry: Duration::from_millis(2),
        cooldown: Duration::from_millis(40),
        longest_cooldown: Duration::from_millis(400),
    },
    limits: Limits { snapshots: 16, bytes: 1 << 20 },
};

pub(crate) struct Rig {
    pub(crate) worker: WorkerHandle,
    events: UnboundedReceiver<FromWorker>,
    state_dir: TempDir,
    pub(crate) patience: Duration,
}

impl Rig {
    /// A worker towards the collector at `address`.
    pub(crate) fn towards(address: SocketAddr) -> Self {
        let destination = destination(&format!("http://{address}"), &[]);
        Self::with(HttpTransport::new(&destination).unwrap(), &destination, QUICK)
    }

    pub(crate) fn with(transport: impl Transport, destination: &Destination, tuning: Tuning) -> Self {
        let state_dir = tempfile::tempdir().unwrap();
        let log = FailureLog::open(state_dir.path()).unwrap();
        let (sender, events) = unbounded_channel();
        let send = move |event| sender.send(event).unwrap_or_default();
        let worker = spawn_with(transport, destination, HealthRecord::default(), send, log, tuning);
        Self { worker, events, state_dir, patience: PATIENCE }
    }

    /// Offers a snapshot with these metrics.
    pub(crate) fn offer(&self, cut: u64, metrics: &[&str]) {
        self.worker.offer(Snapshot { cut: CutId(cut), request: request(metrics) });
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> FromWorker {
        tokio::time::timeout(self.patience, self.events.recv())
            .await
            .expect("an event in time")
            .expect("a worker")
    }

    /// All events up to the ack of `cut`, which comes last.
    pub(crate) async fn until_acked(&mut self, cut: u64) -> Vec<FromWorker> {
        let mut events = Vec::new();
        for _ in 0..10_000 {
            let event = self.event().await;
            events.push(event);
            if matches!(event, FromWorker::Acked { cut: CutId(acked), .. } if acked == cut) {
                return events;
            }
        }
        panic!("no ack of {cut}: {events:?}");
    }

    /// Waits for `state`; returns its record.
    pub(crate) async fn until(&mut self, state: State) -> HealthRecord {
        for _ in 0..10_000 {
            if let FromWorker::Health(record) = self.event().await
                && record.state == state
            {
                return record;
            }
        }
        panic!("{state:?} is never reached");
    }

    /// What has not been asked for so far.
    pub(crate) fn pending_events(&mut self) -> Vec<FromWorker> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.state_dir.path().join("otel.log")).unwrap()
    }
}

/// A destination with half a second per attempt.
pub(crate) fn destination(endpoint: &str, variables: &[(&str, &str)]) -> Destination {
    let given = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_TIMEOUT", "500")];
    let env = |name: &str| {
        let found = variables.iter().chain(&given).find(|(key, _)| *key == name)?;
        Some(found.1.to_owned())
    };
    Destination::from_env(&env).unwrap().unwrap()
}

/// A request with one gauge of one point per name.
pub(crate) fn request(names: &[&str]) -> ExportMetricsServiceRequest {
    let metric = |name: &&str| Metric {
        name: (*name).to_owned(),
        data: Some(Data::Gauge(Gauge { data_points: vec![NumberDataPoint::default()] })),
        ..Metric::default()
    };
    let scope = ScopeMetrics { metrics: names.iter().map(metric).collect(), ..ScopeMetrics::default() };
    let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}
