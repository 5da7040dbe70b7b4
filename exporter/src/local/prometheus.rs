//! An OTLP request as Prometheus text, format 0.0.4.
//!
//! The resource becomes `target_info`. Of several points of one series the latest counts. Exponential histograms and
//! summaries have no rendering here: no metric of ours is one.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        DataPointFlags, HistogramDataPoint, Metric, NumberDataPoint, metric::Data, number_data_point::Value,
    },
};

use super::prometheus_name::{self, Kind};

/// The `content-type` of what [`render`] returns.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Renders `request`, families and series in alphabetical order, without timestamps.
pub fn render(request: &ExportMetricsServiceRequest) -> String {
    render_stamped(request, "")
}

/// The same with `time` as the timestamp of every sample.
pub fn render_at(request: &ExportMetricsServiceRequest, time: UnixMillis) -> String {
    render_stamped(request, &format!(" {}", time.0))
}

fn render_stamped(request: &ExportMetricsServiceRequest, stamp: &str) -> String {
    let mut families = BTreeMap::new();
    for resource in &request.resource_metrics {
        let attributes = resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
        target_info(attributes, &mut families);
        for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            collect(metric, &mut families);
        }
    }
    families.iter().fold(String::new(), |mut text, (name, family)| {
        family.write(name, stamp, &mut text).unwrap_or_default();
        text
    })
}

/// Labels by name.
type Labels = BTreeMap<String, String>;
type Families = BTreeMap<String, Family>;

#[derive(Debug)]
struct Family {
    kind: Kind,
    help: String,
    series: BTreeMap<Labels, Point>,
}

#[derive(Debug)]
struct Point {
    time: u64,
    sample: Sample,
}

#[derive(Debug)]
enum Sample {
    Number(Number),
    /// Upper bounds with cumulative counts, then the count and the sum of all.
    Histogram {
        buckets: Vec<(f64, u64)>,
        count: u64,
        sum: f64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Int(i64),
    Double(f64),
}

fn target_info(attributes: &[KeyValue], families: &mut Families) {
    if attributes.is_empty() {
        return;
    }
    let family = families.entry("target_info".to_owned()).or_insert_with(|| Family {
        kind: Kind::Gauge,
        help: "Target metadata".to_owned(),
        series: BTreeMap::new(),
    });
    let sample = Sample::Number(Number::Int(1));
    family.series.insert(labels(attributes), Point { time: 0, sample });
}

fn collect(metric: &Metric, families: &mut Families) {
    let (kind, points) = match &metric.data {
        Some(Data::Gauge(gauge)) => (Kind::Gauge, numbers(&gauge.data_points)),
        Some(Data::Sum(sum)) if sum.is_monotonic => (Kind::Counter, numbers(&sum.data_points)),
        Some(Data::Sum(sum)) => (Kind::Gauge, numbers(&sum.data_points)),
        Some(Data::Histogram(histogram)) => (Kind::Histogram, histograms(&histogram.data_points)),
        Some(Data::ExponentialHistogram(_) | Data::Summary(_)) | None => return,
    };
    if points.is_empty() {
        return;
    }
    let name = prometheus_name::metric(&metric.name, &metric.unit, kind);
    let family = families.entry(name).or_insert_with(|| Family {
        kind,
        help: metric.description.clone(),
        series: BTreeMap::new(),
    });
    for (labels, point) in points {
        family.admit(labels, point);
    }
}

fn numbers(points: &[NumberDataPoint]) -> Vec<(Labels, Point)> {
    let recorded = points.iter().filter(|point| is_recorded(point.flags));
    let numbers = recorded.filter_map(|point| {
        let number = match point.value? {
            Value::AsInt(int) => Number::Int(int),
            Value::AsDouble(double) => Number::Double(double),
        };
        let sample = Sample::Number(number);
        Some((labels(&point.attributes), Point { time: point.time_unix_nano, sample }))
    });
    numbers.collect()
}

fn histograms(points: &[HistogramDataPoint]) -> Vec<(Labels, Point)> {
    let recorded = points.iter().filter(|point| is_recorded(point.flags));
    let histograms = recorded.map(|point| {
        let cumulative = point.bucket_counts.iter().scan(0, |below, count| {
            *below += count;
            Some(*below)
        });
        let buckets = point.explicit_bounds.iter().copied().zip(cumulative).collect();
        let sample = Sample::Histogram { buckets, count: point.count, sum: point.sum.unwrap_or_default() };
        (labels(&point.attributes), Point { time: point.time_unix_nano, sample })
    });
    histograms.collect()
}

fn is_recorded(flags: u32) -> bool {
    flags & DataPointFlags::NoRecordedValueMask as u32 == 0
}

/// Attributes whose names become the same label share it, as they do in Prometheus.
fn labels(attributes: &[KeyValue]) -> Labels {
    let mut labels = Labels::new();
    for attribute in attributes {
        let value = attribute.value.as_ref().map(value).unwrap_or_default();
        labels
            .entry(prometheus_name::label(&attribute.key))
            .and_modify(|shared| {
                shared.push(';');
                shared.push_str(&value);
            })
            .or_insert(value);
    }
    labels
}

/// Arrays, maps and bytes are not attributes of ours.
pub(super) fn value(value: &AnyValue) -> String {
    match &value.value {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::BoolValue(flag)) => flag.to_string(),
        Some(any_value::Value::IntValue(int)) => int.to_string(),
        Some(any_value::Value::DoubleValue(double)) => double.to_string(),
        Some(_) | None => String::new(),
    }
}

impl Family {
    fn admit(&mut self, labels: Labels, point: Point) {
        match self.series.get(&labels) {
            Some(known) if known.time > point.time => {}
            Some(_) | None => {
                self.series.insert(labels, point);
            }
        }
    }

    fn write(&self, name: &str, stamp: &str, text: &mut String) -> fmt::Result {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        if !self.help.is_empty() {
            writeln!(text, "# HELP {name} {}", escape_help(&self.help))?;
        }
        writeln!(text, "# TYPE {name} {kind}")?;
        self.series.iter().try_for_each(|(labels, point)| point.sample.write(name, labels, stamp, text))
    }
}

impl Sample {
    fn write(&self, name: &str, labels: &Labels, stamp: &str, text: &mut String) -> fmt::Result {
        match self {
            Self::Number(number) => writeln!(text, "{name}{} {number}{stamp}", Braced(labels, None)),
            Self::Histogram { buckets, count, sum } => {
                for (bound, below) in buckets {
                    let le = Number::Double(*bound).to_string();
                    writeln!(text, "{name}_bucket{} {below}{stamp}", Braced(labels, Some(&le)))?;
                }
                writeln!(text, "{name}_bucket{} {count}{stamp}", Braced(labels, Some("+Inf")))?;
                writeln!(text, "{name}_sum{} {}{stamp}", Braced(labels, None), Number::Double(*sum))?;
                writeln!(text, "{name}_count{} {count}{stamp}", Braced(labels, None))
            }
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => int.fmt(f),
            Self::Double(double) if double.is_nan() => f.write_str("NaN"),
            Self::Double(double) if double.is_infinite() => {
                f.write_str(if *double > 0.0 { "+Inf" } else { "-Inf" })
            }
            Self::Double(double) => double.fmt(f),
        }
    }
}

/// Labels in braces, with the bound of a bucket.
struct Braced<'l>(&'l Labels, Option<&'l str>);

impl fmt::Display for Braced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(labels, le) = self;
        let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut separator = '{';
        for (name, value) in labels.chain(le.map(|le| ("le", le))) {
            write!(f, "{separator}{name}=\"{}\"", escape_label(value))?;
            separator = ',';
        }
        if separator == ',' { f.write_char('}') } else { Ok(()) }
    }
}

fn escape_label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn escape_help(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
