//! Totals at one moment as an OTLP request: what is pushed, previewed, and shown on the local page.

pub mod points;

use std::collections::BTreeMap;

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{Metric as OtlpMetric, ResourceMetrics, ScopeMetrics, metric::Data},
    resource::v1::Resource,
};

use crate::measure::{Catalogue, Kind, Metric, Series, totals::Row};

/// One point-to-be: a series, its row, and the time of the zero point that goes before it, if one does.
pub type Point<'t> = (&'t Series, &'t Row, Option<UnixMillis>);

/// Who says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The resource.
    pub resource: BTreeMap<String, String>,
    /// What of it is repeated on every point; a point's own attribute of the same name wins.
    pub promoted: Vec<(String, String)>,
}

/// The request that says how things stood at `time`.
///
/// `points` come in the order of their series. Gauges are values of the window that ends at `time`.
pub fn request<'t>(
    sender: &Sender,
    points: impl IntoIterator<Item = Point<'t>>,
    gauges: &BTreeMap<Series, f64>,
    time: UnixMillis,
) -> ExportMetricsServiceRequest {
    let mut metrics: BTreeMap<Metric, OtlpMetric> = BTreeMap::new();
    for (series, row, zero) in points {
        let metric = metrics.entry(series.metric).or_insert_with(|| empty(series.metric));
        points::push(metric, series, row, zero, time);
    }
    for (series, &value) in gauges {
        let metric = metrics.entry(series.metric).or_insert_with(|| empty(series.metric));
        points::push_gauge(metric, series, value, time);
    }
    if !sender.promoted.is_empty() {
        let promoted = attributes(sender.promoted.iter().map(|(key, value)| (key, value)));
        for metric in metrics.values_mut() {
            points::add_attributes(metric, &promoted);
        }
    }
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes: attributes(&sender.resource), ..Resource::default() }),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(InstrumentationScope {
                    name: "ccxray".to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    ..InstrumentationScope::default()
                }),
                metrics: metrics.into_values().collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn attributes<'p>(pairs: impl IntoIterator<Item = (&'p String, &'p String)>) -> Vec<KeyValue> {
    let pairs = pairs.into_iter();
    pairs.map(|(key, value)| pair(key, any_value::Value::StringValue(value.clone()))).collect()
}

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// The metric as the catalogue describes it, without points.
fn empty(metric: Metric) -> OtlpMetric {
    let def = Catalogue::embedded().get(metric);
    OtlpMetric {
        name: metric.name().to_owned(),
        description: def.description.clone(),
        unit: def.unit.clone(),
        metadata: Vec::new(),
        data: Some(match def.kind {
            Kind::Counter | Kind::PicoUsdCounter => Data::Sum(points::empty_sum()),
            Kind::Histogram => Data::Histogram(points::empty_histogram()),
            Kind::Gauge => Data::Gauge(opentelemetry_proto::tonic::metrics::v1::Gauge::default()),
        }),
    }
}

#[cfg(test)]
mod tests;
