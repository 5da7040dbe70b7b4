//! A request as OTLP/JSON.
//!
//! By the OTLP specification's rules: names in lowerCamelCase, 64-bit integers as strings, enums as numbers; fields
//! that hold their default are left out, as protobuf's JSON does. Written out here for what a request of ours can
//! hold, in the order of the protocol's fields: numbers and histograms under attributes of text, truth and numbers.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{InstrumentationScope, KeyValue, any_value::Value as Any},
    metrics::v1::{
        HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
        number_data_point::Value as Number,
    },
};
use serde::Serialize;

/// `request`, indented, with a newline at its end.
pub fn pretty(request: &ExportMetricsServiceRequest) -> String {
    // Strings, numbers and lists only: nothing in it can fail to be JSON.
    serde_json::to_string_pretty(&Request::of(request)).unwrap_or_default() + "\n"
}

/// A 64-bit integer.
#[derive(Serialize)]
struct Text(#[serde(serialize_with = "as_text")] i128);

fn as_text<S: serde::Serializer>(integer: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(integer)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'r> {
    resource_metrics: Vec<OfResource<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfResource<'r> {
    resource: Resource<'r>,
    scope_metrics: Vec<OfScope<'r>>,
}

#[derive(Serialize)]
struct Resource<'r> {
    attributes: Vec<Attribute<'r>>,
}

#[derive(Serialize)]
struct OfScope<'r> {
    scope: Scope<'r>,
    metrics: Vec<OfMetric<'r>>,
}

#[derive(Serialize)]
struct Scope<'r> {
    name: &'r str,
    version: &'r str,
}

#[derive(Serialize)]
struct Attribute<'r> {
    key: &'r str,
    value: Option<Value<'r>>,
}

#[derive(Serialize)]
enum Value<'r> {
    #[serde(rename = "stringValue")]
    String(&'r str),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue")]
    Int(Text),
    #[serde(rename = "doubleValue")]
    Double(f64),
}

#[derive(Serialize)]
struct OfMetric<'r> {
    name: &'r str,
    description: &'r str,
    unit: &'r str,
    #[serde(flatten)]
    points: Option<Points<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Points<'r> {
    Gauge { data_points: Vec<NumberPoint<'r>> },
    Sum { data_points: Vec<NumberPoint<'r>>, aggregation_temporality: i32, is_monotonic: bool },
    Histogram { data_points: Vec<HistogramPoint<'r>>, aggregation_temporality: i32 },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NumberPoint<'r> {
    attributes: Vec<Attribute<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time_unix_nano: Option<Text>,
    time_unix_nano: Text,
    #[serde(flatten)]
    value: Option<PointValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum PointValue {
    AsInt(Text),
    AsDouble(f64),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistogramPoint<'r> {
    attributes: Vec<Attribute<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time_unix_nano: Option<Text>,
    time_unix_nano: Text,
    count: Text,
    sum: Option<f64>,
    bucket_counts: Vec<Text>,
    explicit_bounds: &'r [f64],
}

impl<'r> Request<'r> {
    fn of(request: &'r ExportMetricsServiceRequest) -> Self {
        Self { resource_metrics: request.resource_metrics.iter().map(OfResource::of).collect() }
    }
}

impl<'r> OfResource<'r> {
    fn of(metrics: &'r ResourceMetrics) -> Self {
        let attributes = metrics.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
        Self {
            resource: Resource { attributes: all(attributes) },
            scope_metrics: metrics.scope_metrics.iter().map(OfScope::of).collect(),
        }
    }
}

impl<'r> OfScope<'r> {
    fn of(metrics: &'r ScopeMetrics) -> Self {
        let scope = metrics.scope.as_ref();
        let text = |field: fn(&InstrumentationScope) -> &String| scope.map_or("", |scope| field(scope));
        Self {
            scope: Scope { name: text(|scope| &scope.name), version: text(|scope| &scope.version) },
            metrics: metrics.metrics.iter().map(OfMetric::of).collect(),
        }
    }
}

impl<'r> OfMetric<'r> {
    fn of(metric: &'r Metric) -> Self {
        let Metric { name, description, unit, .. } = metric;
        Self { name, description, unit, points: metric.data.as_ref().and_then(Points::of) }
    }
}

impl<'r> Points<'r> {
    /// No metric of ours is an exponential histogram or a summary.
    fn of(data: &'r Data) -> Option<Self> {
        match data {
            Data::Gauge(gauge) => Some(Self::Gauge { data_points: numbers(&gauge.data_points) }),
            Data::Sum(sum) => Some(Self::Sum {
                data_points: numbers(&sum.data_points),
                aggregation_temporality: sum.aggregation_temporality,
                is_monotonic: sum.is_monotonic,
            }),
            Data::Histogram(histogram) => Some(Self::Histogram {
                data_points: histogram.data_points.iter().map(HistogramPoint::of).collect(),
                aggregation_temporality: histogram.aggregation_temporality,
            }),
            Data::ExponentialHistogram(_) | Data::Summary(_) => None,
        }
    }
}

fn numbers(points: &[NumberDataPoint]) -> Vec<NumberPoint<'_>> {
    points.iter().map(NumberPoint::of).collect()
}

impl<'r> NumberPoint<'r> {
    fn of(point: &'r NumberDataPoint) -> Self {
        Self {
            attributes: all(&point.attributes),
            start_time_unix_nano: unless_zero(point.start_time_unix_nano),
            time_unix_nano: Text(point.time_unix_nano.into()),
            value: point.value.map(|value| match value {
                Number::AsInt(int) => PointValue::AsInt(Text(int.into())),
                Number::AsDouble(double) => PointValue::AsDouble(double),
            }),
        }
    }
}

impl<'r> HistogramPoint<'r> {
    fn of(point: &'r HistogramDataPoint) -> Self {
        Self {
            attributes: all(&point.attributes),
            start_time_unix_nano: unless_zero(point.start_time_unix_nano),
            time_unix_nano: Text(point.time_unix_nano.into()),
            count: Text(point.count.into()),
            sum: point.sum,
            bucket_counts: point.bucket_counts.iter().map(|&count| Text(count.into())).collect(),
            explicit_bounds: &point.explicit_bounds,
        }
    }
}

fn unless_zero(time: u64) -> Option<Text> {
    (time > 0).then(|| Text(time.into()))
}

fn all(attributes: &[KeyValue]) -> Vec<Attribute<'_>> {
    attributes.iter().map(Attribute::of).collect()
}

impl<'r> Attribute<'r> {
    fn of(attribute: &'r KeyValue) -> Self {
        let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
        Self { key: &attribute.key, value: value.and_then(Value::of) }
    }
}

impl<'r> Value<'r> {
    /// No attribute of ours is a list, a map or bytes.
    fn of(value: &'r Any) -> Option<Self> {
        match value {
            Any::StringValue(text) => Some(Self::String(text)),
            Any::BoolValue(flag) => Some(Self::Bool(*flag)),
            Any::IntValue(int) => Some(Self::Int(Text((*int).into()))),
            Any::DoubleValue(double) => Some(Self::Double(*double)),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
