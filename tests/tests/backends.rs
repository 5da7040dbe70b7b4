//! The receivers that others wrote give back what they were pushed, so that the interop tests can trust them.

use ccxray_tests::{
    backends::{Rotel, VictoriaMetrics},
    client::{Ask, Client},
    daemons::State,
    eventually::eventually_equal,
    truth::{Series, Totals},
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric, number_data_point,
    },
    resource::v1::Resource,
};
use prost::Message;

const SECOND: u64 = 1_000_000_000;

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.into())) };
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}

fn counter(name: &str, value: number_data_point::Value, time: u64) -> Metric {
    let point = NumberDataPoint {
        attributes: vec![attribute("provider", "anthropic")],
        start_time_unix_nano: time - SECOND,
        time_unix_nano: time,
        value: Some(value),
        ..NumberDataPoint::default()
    };
    let sum = Sum {
        data_points: vec![point],
        aggregation_temporality: AggregationTemporality::Cumulative as i32,
        is_monotonic: true,
    };
    Metric { name: name.into(), data: Some(metric::Data::Sum(sum)), ..Metric::default() }
}

fn histogram(name: &str, time: u64) -> Metric {
    let point = HistogramDataPoint {
        attributes: vec![attribute("provider", "anthropic")],
        start_time_unix_nano: time - SECOND,
        time_unix_nano: time,
        count: 3,
        sum: Some(500.0),
        bucket_counts: vec![1, 2],
        explicit_bounds: vec![100.0],
        ..HistogramDataPoint::default()
    };
    let aggregation_temporality = AggregationTemporality::Cumulative as i32;
    let data = metric::Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality });
    Metric { name: name.into(), data: Some(data), ..Metric::default() }
}

fn push(time: u64) -> Ask {
    let metrics = vec![
        counter("ccxray.tokens.input_total", number_data_point::Value::AsInt(7), time),
        counter("ccxray.cost.usd_total", number_data_point::Value::AsDouble(0.045_995_25), time),
        histogram("ccxray.latency_ms", time),
    ];
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource {
                attributes: vec![attribute("service.name", "ccxray"), attribute("service.instance.id", "i")],
                ..Resource::default()
            }),
            scope_metrics: vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    };
    let body = request.encode_to_vec().into();
    Ask { method: "POST", body, ..Ask::get("/v1/metrics") }.header("content-type", "application/x-protobuf")
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    since.as_secs() * SECOND
}

fn pushed() -> Totals {
    let series = |metric: &str| Series::new(metric, [("provider", "anthropic")]);
    [
        (series("ccxray.tokens.input_total"), 7),
        (series("ccxray.cost.usd_total"), 45_995_250_000),
        (series("ccxray.latency_ms"), 3),
    ]
    .into_iter()
    .collect()
}

#[tokio::test]
async fn victoria_metrics_gives_back_what_was_pushed() {
    let state = State::new();
    let victoria = VictoriaMetrics::start(&state).await;
    let answered = Client::new(&victoria.otlp()).ask(&push(now())).await;
    assert_eq!(answered.status, 200);
    eventually_equal("the samples to be readable", &pushed(), async || victoria.totals().await).await;
}

#[tokio::test]
async fn rotel_prints_what_was_pushed() {
    let state = State::new();
    let rotel = Rotel::start(&state).await;
    let answered = Client::new(&rotel.otlp()).ask(&push(now())).await;
    assert_eq!(answered.status, 200);
    eventually_equal("rotel to print the points", &pushed(), async || rotel.totals()).await;
}
