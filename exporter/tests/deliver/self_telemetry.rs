//! The exporter's own figures, on their way through opentelemetry-otlp and our transport.

use std::{env, process::Command, time::Duration};

use ccxray_exporter::{
    deliver::{
        CutId, FromWorker, HealthRecord, SelfTelemetry,
        health::State,
        messages::RejectReason,
        payload::Compression,
        self_telemetry::{Push, Scope},
        transport::HttpTransport,
    },
    local::prometheus,
};
use opentelemetry::KeyValue;
use tokio::runtime::Handle;

use crate::{
    collector::{Act, Collector, ok},
    rig::{CANARY, destination},
};

fn telemetry(collector: &Collector) -> SelfTelemetry {
    let destination = destination(&format!("http://{}", collector.address), &[]);
    let push = Push {
        transport: HttpTransport::new(&destination).unwrap(),
        compression: Compression::Gzip,
        interval: Duration::from_millis(20),
        runtime: Handle::current(),
    };
    SelfTelemetry::new(Scope::Process, vec![KeyValue::new("service.name", "ccxray")], Some(push)).unwrap()
}

fn health(state: State) -> FromWorker {
    FromWorker::Health(HealthRecord { state, ..HealthRecord::default() })
}

#[tokio::test]
async fn figures_are_pushed_while_the_destination_is_active_and_not_otherwise() {
    let collector = Collector::start(|_, _| ok()).await;
    let telemetry = telemetry(&collector);
    // Three intervals: there is no event to wait for when nothing happens.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(collector.connections(), 0);

    telemetry.observe(&health(State::Active));
    // The first may have been collected just before the state was noted.
    let received = collector.received_at_least(2).await;
    assert_eq!(received[1].metrics, ["ccxray.exporter.build_info", "ccxray.otel.state"]);

    telemetry.observe(&health(State::CircuitOpen));
    let count = collector.received().len();
    tokio::time::sleep(Duration::from_millis(60)).await;
    // One may have been on the wire when the gate was shut.
    assert!(collector.received().len() <= count + 1);
}

#[tokio::test]
async fn dropping_it_breaks_off_the_push_under_way_and_sends_no_last_one() {
    let collector = Collector::start(|_, _| Act::Hang).await;
    let telemetry = telemetry(&collector);
    telemetry.open();
    collector.received_at_least(1).await;
    let start = std::time::Instant::now();
    drop(telemetry);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    tokio::time::timeout(Duration::from_secs(10), collector.hung_up()).await.expect("hung up");
    assert_eq!(collector.received().len(), 1);
}

#[tokio::test]
async fn once_it_has_ended_no_news_of_the_worker_opens_it_again() {
    let collector = Collector::start(|_, _| ok()).await;
    let telemetry = telemetry(&collector);
    telemetry.observe(&health(State::Active));
    collector.received_at_least(1).await;
    telemetry.end();
    let count = collector.received().len();
    telemetry.observe(&health(State::Active));
    // Three intervals: there is no event to wait for when nothing happens.
    tokio::time::sleep(Duration::from_millis(60)).await;
    // One may have been on the wire when the gate was locked.
    assert!(collector.received().len() <= count + 1);
}

#[tokio::test]
async fn what_the_last_process_knew_opens_nothing_but_an_acknowledgement_does() {
    let collector = Collector::start(|_, _| ok()).await;
    let telemetry = telemetry(&collector);
    telemetry.begin_in(State::Active);
    // Three intervals: there is no event to wait for when nothing happens.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(collector.connections(), 0);
    telemetry.observe(&FromWorker::Acked { cut: CutId(1), rejected: 0 });
    collector.received_at_least(1).await;
}

/// opentelemetry-otlp reads these variables by itself, so the test runs once more in a process that has them.
#[test]
fn nothing_from_the_environment_reaches_the_wire() {
    const MARK: &str = "CCXRAY_TEST_IN_CHILD";
    if env::var_os(MARK).is_none() {
        let name = "self_telemetry::nothing_from_the_environment_reaches_the_wire";
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", name])
            .env(MARK, "1")
            .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization={CANARY}"))
            .env("OTEL_EXPORTER_OTLP_METRICS_HEADERS", format!("x-key={CANARY}"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
            .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
            .env("OTEL_RESOURCE_ATTRIBUTES", format!("host.name={CANARY}"))
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let collector = Collector::start(|_, _| ok()).await;
        let telemetry = telemetry(&collector);
        telemetry.open();
        let head = collector.received_at_least(1).await.remove(0).head;
        assert!(!head.contains(CANARY) && !head.contains("x-key"), "{head}");
        assert!(head.contains("user-agent: ccxray-exporter/"), "{head}");
        let request = telemetry.collect();
        assert!(!format!("{request:?}").contains(CANARY));
    });
}

#[tokio::test]
async fn the_local_page_has_the_same_figures_without_any_destination() {
    let telemetry = SelfTelemetry::new::<HttpTransport>(Scope::Process, Vec::new(), None).unwrap();
    telemetry.count_entries("entry", 12);
    telemetry.set_lag(345, Duration::from_millis(7_900));
    telemetry.set_checkpoint_age(Duration::from_secs(2));
    telemetry.count_launch(1);
    telemetry.observe(&health(State::Degraded));
    telemetry.observe(&FromWorker::Dropped { snapshots: 2 });
    telemetry.observe(&FromWorker::Rejected { reason: RejectReason::BadData, points: 3 });
    let text = prometheus::render(&telemetry.collect());
    for line in [
        concat!(
            "ccxray_exporter_build_info{revision=\"",
            env!("CCXRAY_REVISION"),
            "\",version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1\n"
        ),
        "ccxray_exporter_entries_total{kind=\"entry\"} 12\n",
        "ccxray_exporter_lag_bytes 345\n",
        "ccxray_exporter_lag_seconds 7\n",
        "ccxray_exporter_checkpoint_age_seconds 2\n",
        "ccxray_otel_tier_distribution_total{tier=\"1\"} 1\n",
        "ccxray_otel_state{state=\"active\"} 0\n",
        "ccxray_otel_state{state=\"degraded\"} 1\n",
        "ccxray_otel_exports_dropped_total{signal=\"metrics\"} 2\n",
        "ccxray_otel_exports_rejected_total{reason=\"bad_data\"} 3\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn a_destination_of_a_project_learns_nothing_of_the_whole_process() {
    let telemetry = SelfTelemetry::new::<HttpTransport>(Scope::Destination, Vec::new(), None).unwrap();
    telemetry.count_entries("entry", 12);
    telemetry.set_lag(345, Duration::from_secs(7));
    telemetry.set_checkpoint_age(Duration::from_secs(2));
    telemetry.count_launch(1);
    telemetry.observe(&health(State::Active));
    telemetry.observe(&FromWorker::Dropped { snapshots: 2 });
    let text = prometheus::render(&telemetry.collect());
    assert!(text.contains("ccxray_otel_state{state=\"active\"} 1\n"), "{text}");
    assert!(text.contains("ccxray_otel_exports_dropped_total{signal=\"metrics\"} 2\n"), "{text}");
    let others = ["entries_total", "lag_", "checkpoint_age", "build_info", "tier_distribution"];
    assert!(!others.iter().any(|other| text.contains(other)), "{text}");
}
