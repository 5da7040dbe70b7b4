//! How this process is doing, now and as well as it knows: ordinary SDK instruments, unlike the figures that come from
//! the spool.
//!
//! They are always there for the local page, and pushed only if there is a destination for them. The push is
//! opentelemetry-otlp's, but it reaches the network through our own transport: that exporter reads headers and
//! addresses from the environment, and none of them get past it.

use std::{sync::Arc, time::Duration};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Meter, MeterProvider},
};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, RetryPolicy, WithExportConfig, WithHttpConfig,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider, Temporality, data::ResourceMetrics, reader::MetricReader},
};
use tokio::runtime::Handle;

use super::{
    door::{Door, Gate},
    health::State,
    messages::FromWorker,
    payload::Compression,
    self_metrics::{
        BUILD_INFO, CHECKPOINT_AGE, DROPPED, ENTRIES, LAG_BYTES, LAG_SECONDS, REJECTED, STATE, SelfMetric,
        TIER_DISTRIBUTION,
    },
    transport::Transport,
};
use crate::measure::shared_reader::SharedReader;

/// Where the figures are pushed, and how often.
#[derive(Debug)]
pub struct Push<T> {
    /// The way there.
    pub transport: T,
    /// How bodies are encoded; the same as the transport's destination says.
    pub compression: Compression,
    /// Time between two pushes.
    pub interval: Duration,
    /// The runtime that the transport's sockets live on.
    pub runtime: Handle,
}

/// What the figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One destination, for that destination.
    Destination,
    /// The whole process as well.
    Process,
}

/// The exporter's own figures.
///
/// Nothing is pushed before [`open`](Self::open), nor after [`close`](Self::close) until it is opened again, nor ever
/// after [`end`](Self::end); dropping it ends it.
#[derive(Debug)]
pub struct SelfTelemetry {
    provider: SdkMeterProvider,
    reader: SharedReader,
    gate: Gate,
    state: Gauge<u64>,
    dropped: Counter<u64>,
    rejected: Counter<u64>,
    process: Option<OfProcess>,
}

/// The instruments of what concerns the whole process.
#[derive(Debug)]
struct OfProcess {
    tiers: Counter<u64>,
    entries: Counter<u64>,
    lag_bytes: Gauge<u64>,
    lag_seconds: Gauge<u64>,
    checkpoint_age: Gauge<u64>,
}

impl SelfTelemetry {
    /// Figures under a resource that holds `attributes` and nothing else.
    pub fn new<T: Transport>(
        scope: Scope,
        attributes: Vec<KeyValue>,
        push: Option<Push<T>>,
    ) -> Result<Self, ExporterBuildError> {
        let (reader, gate) = (SharedReader::new(Temporality::Cumulative), Gate::default());
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let mut builder = SdkMeterProvider::builder().with_resource(resource).with_reader(reader.clone());
        if let Some(push) = push {
            builder = builder.with_reader(periodic_reader(push, gate.clone())?);
        }
        Ok(Self::with_instruments(scope, builder.build(), reader, gate))
    }

    /// Takes in what a worker reports. Pushes only go where the last attempt of the worker went well.
    pub fn observe(&self, event: &FromWorker) {
        match event {
            FromWorker::Health(record) => self.enter(record.state),
            FromWorker::Dropped { snapshots } => {
                self.dropped.add(*snapshots, &[KeyValue::new("signal", "metrics")]);
            }
            FromWorker::Rejected { reason, points } => {
                self.rejected.add(*points, &[KeyValue::new("reason", reason.as_str())]);
            }
            FromWorker::Acked { .. } => self.open(),
            FromWorker::Failed => {}
        }
    }

    /// Counts lines of the spool by their kind.
    pub fn count_entries(&self, kind: &'static str, count: u64) {
        if let Some(process) = &self.process {
            process.entries.add(count, &[KeyValue::new("kind", kind)]);
        }
    }

    /// Counts a pipeline that begins its work with this tier in effect.
    pub fn count_launch(&self, tier: u8) {
        if let Some(process) = &self.process {
            process.tiers.add(1, &[KeyValue::new("tier", tier.to_string())]);
        }
    }

    /// Notes how many bytes of the spool are still unread, and how long ago the first entry in them ended.
    pub fn set_lag(&self, bytes: u64, age: Duration) {
        if let Some(process) = &self.process {
            process.lag_bytes.record(bytes, &[]);
            process.lag_seconds.record(age.as_secs(), &[]);
        }
    }

    /// Notes how long ago a checkpoint was last written.
    pub fn set_checkpoint_age(&self, age: Duration) {
        if let Some(process) = &self.process {
            process.checkpoint_age.record(age.as_secs(), &[]);
        }
    }

    /// Notes how many destinations are in each state.
    pub fn set_states(&self, count: impl Fn(State) -> u64) {
        for each in State::ALL {
            self.state.record(count(each), &[KeyValue::new("state", each.as_str())]);
        }
    }

    /// The figures of this moment, for the local page.
    pub fn collect(&self) -> ExportMetricsServiceRequest {
        let mut metrics = ResourceMetrics::default();
        match self.reader.collect(&mut metrics) {
            Ok(()) => ExportMetricsServiceRequest::from(&metrics),
            Err(_) => ExportMetricsServiceRequest::default(),
        }
    }

    /// Notes the destination's state, and lets pushes through in `active` only: the breaker is the worker's.
    pub fn enter(&self, state: State) {
        self.begin_in(state);
        if state == State::Active { self.open() } else { self.close() }
    }

    /// Notes the destination's state as the last process left it. Whether anything gets there is for the worker to
    /// find out: nothing is pushed yet.
    pub fn begin_in(&self, state: State) {
        self.set_states(|each| u64::from(each == state));
    }

    /// Lets pushes through.
    pub fn open(&self) {
        self.gate.open();
    }

    /// Lets none through and breaks off one that is under way.
    pub fn close(&self) {
        self.gate.close();
    }

    /// Lets none through any more, whatever the worker still reports: the user has stopped the exporter.
    pub fn end(&self) {
        self.gate.lock_up();
    }

    fn with_instruments(scope: Scope, provider: SdkMeterProvider, reader: SharedReader, gate: Gate) -> Self {
        let meter = provider.meter("ccxray-exporter");
        let process = (scope == Scope::Process).then(|| OfProcess::new(&meter));
        Self {
            reader,
            gate,
            state: gauge(&meter, STATE),
            dropped: counter(&meter, DROPPED),
            rejected: counter(&meter, REJECTED),
            process,
            provider,
        }
    }
}

impl OfProcess {
    fn new(meter: &Meter) -> Self {
        let build = [("version", env!("CARGO_PKG_VERSION")), ("revision", env!("CCXRAY_REVISION"))];
        gauge(meter, BUILD_INFO).record(1, &build.map(|(key, value)| KeyValue::new(key, value)));
        Self {
            tiers: counter(meter, TIER_DISTRIBUTION),
            entries: counter(meter, ENTRIES),
            lag_bytes: gauge(meter, LAG_BYTES),
            lag_seconds: gauge(meter, LAG_SECONDS),
            checkpoint_age: gauge(meter, CHECKPOINT_AGE),
        }
    }
}

impl Drop for SelfTelemetry {
    /// The provider's own shutdown would push once more.
    fn drop(&mut self) {
        self.gate.lock_up();
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!(%error, "the exporter's own telemetry ended with an error");
        }
    }
}

fn gauge(meter: &Meter, metric: SelfMetric) -> Gauge<u64> {
    meter.u64_gauge(metric.name).with_unit(metric.unit).with_description(metric.description).build()
}

fn counter(meter: &Meter, metric: SelfMetric) -> Counter<u64> {
    meter.u64_counter(metric.name).with_unit(metric.unit).with_description(metric.description).build()
}

fn periodic_reader<T: Transport>(
    push: Push<T>,
    gate: Gate,
) -> Result<PeriodicReader<MetricExporter>, ExporterBuildError> {
    let interval = push.interval;
    let door = Door {
        transport: Arc::new(push.transport),
        compression: push.compression,
        runtime: push.runtime,
        gate,
    };
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(door)
        // Never dialled: the door knows the way. Given so that the environment's is not read.
        .with_endpoint("http://localhost/")
        .with_protocol(Protocol::HttpBinary)
        .with_retry_policy(RetryPolicy::disabled())
        .build()?;
    Ok(PeriodicReader::builder(exporter).with_interval(interval).build())
}
