//! The points of a push, in integers.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{AggregationTemporality, Metric, NumberDataPoint, metric, number_data_point},
};

use crate::truth::{COVERED, SUM, Series, pico};

/// What sort of point it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a counter: cumulative, and never less than before.
    Counter,
    /// Of a histogram: its value is the count.
    Histogram,
    /// Of a gauge.
    Gauge,
}

/// One point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The resource's `service.instance.id`.
    pub instance: String,
    /// The metric and its attributes.
    pub series: Series,
    /// What sort.
    pub kind: Kind,
    /// Since when it counts, in Unix nanoseconds.
    pub start: u64,
    /// When it was so, in Unix nanoseconds.
    pub time: u64,
    /// The value in the series' integer unit: a count, or pico-USD for money.
    pub value: i128,
}

impl Point {
    /// All points of a push. Panics on what this product never sends, such as delta counters.
    pub(super) fn all_of(metrics: &ExportMetricsServiceRequest) -> Vec<Self> {
        let mut points = Vec::new();
        for resource in &metrics.resource_metrics {
            let attributes = resource.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
            let of = |name| attributes.iter().find(|kv| kv.key == name).map(text).unwrap_or_default();
            let instance = of("service.instance.id");
            for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
                points.extend(points_of(metric, &instance));
            }
        }
        points
    }
}

fn points_of(metric: &Metric, instance: &str) -> Vec<Point> {
    let point = |kind, attributes: &[KeyValue], start, time, value| Point {
        instance: instance.to_owned(),
        series: Series::new(&metric.name, attributes.iter().map(|kv| (kv.key.clone(), text(kv)))),
        kind,
        start,
        time,
        value,
    };
    let number = |kind, p: &NumberDataPoint| {
        point(kind, &p.attributes, p.start_time_unix_nano, p.time_unix_nano, integer(&metric.name, p))
    };
    match metric.data.as_ref().expect("a metric has data") {
        metric::Data::Sum(sum) => {
            assert!(sum.is_monotonic, "{} only goes up", metric.name);
            assert_cumulative(&metric.name, sum.aggregation_temporality);
            sum.data_points.iter().map(|p| number(Kind::Counter, p)).collect()
        }
        metric::Data::Gauge(gauge) => gauge.data_points.iter().map(|p| number(Kind::Gauge, p)).collect(),
        metric::Data::Histogram(histogram) => {
            assert_cumulative(&metric.name, histogram.aggregation_temporality);
            let points = histogram.data_points.iter();
            points
                .flat_map(|p| {
                    assert_eq!(
                        p.bucket_counts.iter().sum::<u64>(),
                        p.count,
                        "the buckets of {}",
                        metric.name
                    );
                    let times = (p.start_time_unix_nano, p.time_unix_nano);
                    let count = point(Kind::Histogram, &p.attributes, times.0, times.1, i128::from(p.count));
                    [Some(count.clone()), sum_of(&metric.name, count, p.sum)].into_iter().flatten()
                })
                .collect()
        }
        other => panic!("{} came as {other:?}", metric.name),
    }
}

/// The sum of a histogram of whole numbers, if the truth knows it.
fn sum_of(metric: &str, count: Point, sum: Option<f64>) -> Option<Point> {
    let name = format!("{metric}{SUM}");
    COVERED.contains(&name.as_str()).then_some(())?;
    #[expect(clippy::cast_possible_truncation, reason = "the sum of whole numbers, far below 2^53")]
    let value = sum.expect("a histogram has a sum") as i128;
    Some(Point { series: count.series.renamed(&name), value, ..count })
}

fn assert_cumulative(metric: &str, temporality: i32) {
    assert_eq!(temporality, AggregationTemporality::Cumulative as i32, "the temporality of {metric}");
}

fn integer(metric: &str, point: &NumberDataPoint) -> i128 {
    match point.value.expect("a point has a value") {
        number_data_point::Value::AsInt(value) => i128::from(value),
        number_data_point::Value::AsDouble(value) if metric.contains("usd") => pico(value),
        #[expect(clippy::cast_possible_truncation, reason = "other doubles are gauges, compared by nobody")]
        number_data_point::Value::AsDouble(value) => value as i128,
    }
}

fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|AnyValue { value }| value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::BoolValue(is)) => is.to_string(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => panic!("attribute {} is {other:?}", attribute.key),
    }
}
