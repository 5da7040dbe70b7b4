//! What must be true of every series from its first point to its last.

use std::collections::BTreeMap;

use super::{Kind, Point};
use crate::truth::{COVERED, Series, Totals};

/// How the exporter itself is doing: ordinary telemetry in the exporter's own time, to which the promises about
/// the traffic's metrics do not apply.
fn is_self_telemetry(series: &Series) -> bool {
    ["ccxray.otel.", "ccxray.exporter."].iter().any(|prefix| series.metric().starts_with(prefix))
}

/// The points that the promises apply to.
pub(super) fn about_traffic(points: Vec<Point>) -> impl Iterator<Item = Point> {
    points.into_iter().filter(|point| !is_self_telemetry(&point.series))
}

/// The last value of each series that the truth covers, added up over the instances that reported it.
pub fn totals_of(points: impl IntoIterator<Item = Point>) -> Totals {
    let mut last: BTreeMap<(String, Series), (u64, i128)> = BTreeMap::new();
    for point in points {
        let newest = last.entry((point.instance, point.series)).or_default();
        *newest = (*newest).max((point.time, point.value));
    }
    let mut totals = Totals::default();
    for ((_, series), (_, value)) in last {
        totals.add(series, value);
    }
    totals.only(COVERED)
}

/// Panics unless every series of every instance begins with a zero, keeps its start, goes forward in time, never
/// says two things about one moment, and never decreases. What was said before may be said again: whoever sent it
/// may not have learnt that it had arrived.
pub(super) fn assert_sound(points: impl Iterator<Item = Point>) {
    let mut said: BTreeMap<(String, Series), Said> = BTreeMap::new();
    for point in points.filter(|point| point.kind != Kind::Gauge) {
        let series = said.entry((point.instance.clone(), point.series.clone())).or_default();
        series.take_in(&point);
    }
}

/// What one series has said.
#[derive(Debug, Default)]
struct Said {
    start: u64,
    values: BTreeMap<u64, i128>,
}

impl Said {
    fn take_in(&mut self, point: &Point) {
        assert!(point.start <= point.time, "a point is not before its start: {point:?}");
        match (self.values.get(&point.time), self.values.last_key_value()) {
            (Some(&value), _) => assert_eq!(value, point.value, "one moment has one value: {point:?}"),
            (None, Some((&time, &value))) => {
                assert!(time < point.time, "nothing new is said of the past: {time} then {point:?}");
                assert!(value <= point.value, "a count does not decrease: {value} then {point:?}");
            }
            (None, None) => {
                assert_eq!(point.value, 0, "the first point of a series is a zero: {point:?}");
                self.start = point.start;
            }
        }
        assert_eq!(self.start, point.start, "a series keeps its start: {point:?}");
        self.values.insert(point.time, point.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time: u64, value: i128) -> Point {
        let series = Series::new("ccxray.requests_total", [("class", "turn")]);
        Point { instance: "a".into(), series, kind: Kind::Counter, start: 1, time, value }
    }

    fn is_sound(points: impl IntoIterator<Item = Point>) -> bool {
        let points: Vec<_> = points.into_iter().collect();
        std::panic::catch_unwind(|| assert_sound(points.into_iter())).is_ok()
    }

    #[test]
    fn a_series_that_repeats_itself_and_grows_is_sound() {
        let again = [point(1, 0), point(2, 3)];
        assert!(is_sound(
            [point(1, 0), point(2, 3)].into_iter().chain(again).chain([point(3, 3), point(4, 5)])
        ));
    }

    #[test]
    fn unsound_series_are_seen() {
        assert!(!is_sound([point(1, 3)]), "no zero");
        assert!(!is_sound([point(1, 0), point(3, 3), point(2, 4)]), "time goes back");
        assert!(!is_sound([point(1, 0), point(3, 3), point(3, 4)]), "two values at one moment");
        assert!(!is_sound([point(1, 0), point(3, 3), point(4, 2)]), "a decrease");
        assert!(!is_sound([point(1, 0), Point { start: 0, ..point(3, 3) }]), "another start");
    }

    #[test]
    fn totals_are_the_newest_values_of_all_instances() {
        let other = Point { instance: "b".into(), ..point(9, 10) };
        let totals = totals_of([point(1, 0), point(5, 7), point(5, 7), other]);
        assert_eq!(totals.get("ccxray.requests_total{class=turn}"), 17);
    }
}
