//! Zero points that must not get lost with a snapshot.
//!
//! A snapshot holds a new series twice: at 0, one interval before, and at its first count, so that a backend which
//! computes increases sees that count. If the snapshot is dropped before it was ever sent, the next one that is still
//! to be sent must hold the zero instead, one interval before *its* own time: not at the old one, which the backend may
//! refuse as too old, and never after a count that was sent.

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::KeyValue,
    metrics::v1::{HistogramDataPoint, Metric, NumberDataPoint, metric::Data},
};

use super::messages::CutId;

/// Whether the snapshot `cut` holds zero points: those that are not at its own time.
pub fn any(request: &ExportMetricsServiceRequest, cut: CutId) -> bool {
    let nanos = nanos(cut);
    metrics(request).any(|metric| match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.iter().any(|point| is_zero(point, nanos)),
        Some(Data::Histogram(histogram)) => histogram.data_points.iter().any(|point| is_zero(point, nanos)),
        _ => false,
    })
}

/// Moves the zero points of the snapshot `from`, which will not be sent, into the later snapshot `into`.
pub fn carry(from: (&ExportMetricsServiceRequest, CutId), into: (&mut ExportMetricsServiceRequest, CutId)) {
    let ((from, from_cut), (into, into_cut)) = (from, into);
    let (from_cut, into_cut) = (nanos(from_cut), nanos(into_cut));
    let targets = into.resource_metrics.iter_mut().flat_map(|resource| &mut resource.scope_metrics);
    for target in targets.flat_map(|scope| &mut scope.metrics) {
        let Some(source) = metrics(from).find(|source| source.name == target.name) else { continue };
        match (&source.data, &mut target.data) {
            (Some(Data::Sum(source)), Some(Data::Sum(target))) => {
                carry_points(&source.data_points, from_cut, &mut target.data_points, into_cut);
            }
            (Some(Data::Histogram(source)), Some(Data::Histogram(target))) => {
                carry_points(&source.data_points, from_cut, &mut target.data_points, into_cut);
            }
            _ => {}
        }
    }
}

fn carry_points<P: Point>(from: &[P], from_cut: u64, into: &mut Vec<P>, into_cut: u64) {
    for zero in from.iter().filter(|point| is_zero(*point, from_cut)) {
        // A series that has been let go meanwhile needs no zero; one that began anew has its own.
        let first = into.iter().position(|point| point.attributes() == zero.attributes());
        let Some(first) = first.filter(|&first| !is_zero(&into[first], into_cut)) else { continue };
        let interval = from_cut.saturating_sub(zero.time());
        into.insert(first, zero.at(into_cut.saturating_sub(interval)));
    }
}

fn is_zero(point: &impl Point, cut: u64) -> bool {
    point.time() != cut
}

fn metrics(request: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics)
}

fn nanos(cut: CutId) -> u64 {
    UnixMillis(cut.0).unix_nanos()
}

/// What both kinds of point have.
trait Point: Clone {
    fn attributes(&self) -> &[KeyValue];
    fn time(&self) -> u64;
    fn at(&self, time: u64) -> Self;
}

macro_rules! point {
    ($type:ty) => {
        impl Point for $type {
            fn attributes(&self) -> &[KeyValue] {
                &self.attributes
            }
            fn time(&self) -> u64 {
                self.time_unix_nano
            }
            fn at(&self, time: u64) -> Self {
                Self { time_unix_nano: time, ..self.clone() }
            }
        }
    };
}

point!(NumberDataPoint);
point!(HistogramDataPoint);

#[cfg(test)]
pub(crate) mod tests {
    use opentelemetry_proto::tonic::metrics::v1::{
        ResourceMetrics, ScopeMetrics, Sum, number_data_point::Value,
    };

    use super::*;

    fn point(time_ms: u64, value: i64) -> NumberDataPoint {
        NumberDataPoint {
            time_unix_nano: time_ms * 1_000_000,
            value: Some(Value::AsInt(value)),
            ..NumberDataPoint::default()
        }
    }

    /// A request with one sum of one series, at these times in milliseconds and values.
    pub(crate) fn snapshot(points: &[(u64, i64)]) -> ExportMetricsServiceRequest {
        let data_points = points.iter().map(|&(time, value)| point(time, value)).collect();
        let metric = Metric {
            name: "a".into(),
            data: Some(Data::Sum(Sum { data_points, ..Sum::default() })),
            ..Metric::default()
        };
        let scope = ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() };
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                scope_metrics: vec![scope],
                ..ResourceMetrics::default()
            }],
        }
    }

    #[test]
    fn the_zero_goes_one_interval_before_the_later_snapshot() {
        let from = snapshot(&[(60, 0), (120, 5)]);
        let mut into = snapshot(&[(300, 9)]);
        assert!(any(&from, CutId(120)) && !any(&into, CutId(300)));
        carry((&from, CutId(120)), (&mut into, CutId(300)));
        assert_eq!(into, snapshot(&[(240, 0), (300, 9)]));
    }

    #[test]
    fn a_series_that_began_anew_keeps_its_own_zero_and_one_that_is_gone_gets_none() {
        let from = snapshot(&[(60, 0), (120, 5)]);
        let mut anew = snapshot(&[(250, 0), (300, 1)]);
        carry((&from, CutId(120)), (&mut anew, CutId(300)));
        assert_eq!(anew, snapshot(&[(250, 0), (300, 1)]));
        let mut gone = snapshot(&[]);
        carry((&from, CutId(120)), (&mut gone, CutId(300)));
        assert_eq!(gone, snapshot(&[]));
    }
}
