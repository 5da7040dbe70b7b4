//! A small request for the tests of this folder.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
        metric::Data, number_data_point::Value,
    },
    resource::v1::Resource,
};

const OPUS: [(&str, &str); 2] = [("provider", "anthropic"), ("model", "claude-opus-4-5")];

/// One exchange's worth of everything that the renderers treat differently.
pub(super) fn request() -> ExportMetricsServiceRequest {
    let odd = [("provider", "anthropic"), ("model", "odd \"name\" \\ with\nline")];
    let mut request = of(vec![
        counter(
            "ccxray.tokens.input_total",
            "{token}",
            "Input \\ plain\nor not",
            vec![point(&OPUS, Value::AsInt(1234)), point(&odd, Value::AsInt(5))],
        ),
        counter("ccxray.cost.usd_total", "{USD}", "List price", vec![point(&OPUS, Value::AsDouble(0.125))]),
        gauge(
            "ccxray.cache.hit_ratio",
            "1",
            "Share of input read from the cache",
            point(&OPUS, Value::AsDouble(0.75)),
        ),
        gauge(
            "ccxray.otel.state",
            "",
            "Health of the destination",
            point(&[("state", "active")], Value::AsInt(1)),
        ),
        counter("ccxray.requests_total", "{request}", "Exchanges", vec![requests()]),
        latency(),
    ]);
    let attributes = attributes(&[("service.name", "ccxray"), ("service.version", "0.1.0")]);
    request.resource_metrics[0].resource = Some(Resource { attributes, ..Resource::default() });
    request
}

fn requests() -> NumberDataPoint {
    let mut point = point(&[("provider", "anthropic"), ("status", "2xx")], Value::AsInt(12));
    let value = Some(AnyValue { value: Some(any_value::Value::BoolValue(true)) });
    point.attributes.push(KeyValue { key: "ccxray.cli_otel_active".into(), value, ..KeyValue::default() });
    point
}

fn latency() -> Metric {
    let point = HistogramDataPoint {
        attributes: attributes(&OPUS),
        count: 6,
        sum: Some(910.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![50.0, 100.0],
        ..HistogramDataPoint::default()
    };
    Metric {
        name: "ccxray.latency_ms".into(),
        unit: "{ms}".into(),
        description: "Request head read to last byte passed on".into(),
        data: Some(Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: 2 })),
        ..Metric::default()
    }
}

pub(super) fn of(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope = ScopeMetrics { metrics, ..ScopeMetrics::default() };
    let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

pub(super) fn counter(name: &str, unit: &str, help: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    let sum = Sum { data_points, aggregation_temporality: 2, is_monotonic: true };
    Metric {
        name: name.into(),
        unit: unit.into(),
        description: help.into(),
        data: Some(Data::Sum(sum)),
        ..Metric::default()
    }
}

fn gauge(name: &str, unit: &str, help: &str, point: NumberDataPoint) -> Metric {
    Metric {
        name: name.into(),
        unit: unit.into(),
        description: help.into(),
        data: Some(Data::Gauge(Gauge { data_points: vec![point] })),
        ..Metric::default()
    }
}

pub(super) fn point(pairs: &[(&str, &str)], value: Value) -> NumberDataPoint {
    NumberDataPoint { attributes: attributes(pairs), value: Some(value), ..NumberDataPoint::default() }
}

fn attributes(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    let attribute = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).into(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue((*value).into())) }),
        ..KeyValue::default()
    };
    pairs.iter().map(attribute).collect()
}
