//! Rows as OTLP points.

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Histogram, HistogramDataPoint, Metric as OtlpMetric, NumberDataPoint, Sum,
        metric::Data, number_data_point,
    },
};

use super::pair;
use crate::measure::{
    Catalogue, Kind, Series,
    totals::{Row, Value},
};

const PICO_PER_USD: f64 = 1e12;

pub(super) fn empty_sum() -> Sum {
    Sum {
        data_points: Vec::new(),
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
        is_monotonic: true,
    }
}

pub(super) fn empty_histogram() -> Histogram {
    Histogram { data_points: Vec::new(), aggregation_temporality: AggregationTemporality::Cumulative.into() }
}

/// Adds the points of one series: the zero point first, if there is one.
pub(super) fn push(
    metric: &mut OtlpMetric,
    series: &Series,
    row: &Row,
    zero: Option<UnixMillis>,
    time: UnixMillis,
) {
    // A zero point that is sent again may lie before the start that a series had since.
    let start = zero.map_or(row.start, |at| at.min(row.start));
    let values = zero.map(|at| (row.value.zero(), at)).into_iter().chain([(row.value.clone(), time)]);
    for (value, time) in values {
        match (&mut metric.data, value) {
            (Some(Data::Sum(sum)), Value::Sum(total)) => {
                sum.data_points.push(number(series, number_value(series, total), start, time));
            }
            (Some(Data::Histogram(histogram)), Value::Histogram { buckets, sum }) => {
                histogram.data_points.push(distribution(series, buckets, sum, start, time));
            }
            _ => debug_assert!(false, "rows are checked against the catalogue when they are loaded"),
        }
    }
}

/// Adds a gauge's point.
pub(super) fn push_gauge(metric: &mut OtlpMetric, series: &Series, value: f64, time: UnixMillis) {
    let Some(Data::Gauge(gauge)) = &mut metric.data else { return };
    gauge.data_points.push(number(series, number_data_point::Value::AsDouble(value), UnixMillis(0), time));
}

/// Adds these attributes to every point that has none of their names.
pub(super) fn add_attributes(metric: &mut OtlpMetric, more: &[KeyValue]) {
    each_attributes(metric, |attributes| {
        for pair in more {
            if !attributes.iter().any(|own| own.key == pair.key) {
                attributes.push(pair.clone());
            }
        }
    });
}

/// Goes through the attributes of each point.
pub fn each_attributes(metric: &mut OtlpMetric, mut with: impl FnMut(&mut Vec<KeyValue>)) {
    match &mut metric.data {
        Some(Data::Sum(sum)) => sum.data_points.iter_mut().for_each(|point| with(&mut point.attributes)),
        Some(Data::Gauge(gauge)) => {
            gauge.data_points.iter_mut().for_each(|point| with(&mut point.attributes));
        }
        Some(Data::Histogram(histogram)) => {
            histogram.data_points.iter_mut().for_each(|point| with(&mut point.attributes));
        }
        Some(Data::ExponentialHistogram(_) | Data::Summary(_)) | None => {}
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "what OTLP offers for numbers")]
fn number_value(series: &Series, total: u64) -> number_data_point::Value {
    match Catalogue::embedded().get(series.metric).kind {
        Kind::PicoUsdCounter => number_data_point::Value::AsDouble(total as f64 / PICO_PER_USD),
        Kind::Counter | Kind::Histogram | Kind::Gauge => number_data_point::Value::AsInt(total as i64),
    }
}

fn number(
    series: &Series,
    value: number_data_point::Value,
    start: UnixMillis,
    time: UnixMillis,
) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(series),
        start_time_unix_nano: start.unix_nanos(),
        time_unix_nano: time.unix_nanos(),
        exemplars: Vec::new(),
        flags: 0,
        value: Some(value),
    }
}

#[expect(clippy::cast_precision_loss, reason = "OTLP's sums are doubles")]
fn distribution(
    series: &Series,
    buckets: Vec<u64>,
    sum: u64,
    start: UnixMillis,
    time: UnixMillis,
) -> HistogramDataPoint {
    let bounds = &Catalogue::embedded().get(series.metric).bounds;
    HistogramDataPoint {
        attributes: attributes(series),
        start_time_unix_nano: start.unix_nanos(),
        time_unix_nano: time.unix_nanos(),
        count: buckets.iter().sum(),
        sum: Some(sum as f64),
        bucket_counts: buckets,
        explicit_bounds: bounds.iter().map(|&bound| f64::from(bound)).collect(),
        ..HistogramDataPoint::default()
    }
}

fn attributes(series: &Series) -> Vec<KeyValue> {
    let attributes = series.attributes.iter().map(|(key, value)| {
        let value = if key.is_flag() {
            any_value::Value::BoolValue(true)
        } else {
            any_value::Value::StringValue(value.to_string())
        };
        pair(key.as_str(), value)
    });
    attributes.collect()
}
