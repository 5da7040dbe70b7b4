//! What must be true of every series from its first point to its last.

use std::collections::{BTreeMap, btree_map::Entry};

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

/// The last value of each counter and histogram that the truth covers, added up over the instances that
/// reported it.
pub fn totals_of(points: impl IntoIterator<Item = Point>) -> Totals {
    let mut last: BTreeMap<(String, Series), (u64, i128)> = BTreeMap::new();
    for point in points.into_iter().filter(|point| point.kind != Kind::Gauge) {
        let newest = last.entry((point.instance, point.series)).or_default();
        *newest = (*newest).max((point.time, point.value));
    }
    let mut totals = Totals::default();
    for ((_, series), (_, value)) in last {
        totals.add(series, value);
    }
    totals.only(COVERED)
}

/// Panics unless every series of every instance begins with a zero, keeps its start, never goes back in time,
/// never says two things about one moment, and never decreases.
pub(super) fn assert_sound(points: impl Iterator<Item = Point>) {
    let mut last: BTreeMap<(String, Series), Point> = BTreeMap::new();
    for point in points.filter(|point| point.kind != Kind::Gauge) {
        match last.entry((point.instance.clone(), point.series.clone())) {
            Entry::Vacant(first) => {
                assert_eq!(point.value, 0, "the first point of a series is a zero: {point:?}");
                first.insert(point);
            }
            Entry::Occupied(mut before) => {
                assert_follows(before.get(), &point);
                before.insert(point);
            }
        }
    }
}

fn assert_follows(before: &Point, point: &Point) {
    assert_eq!(before.start, point.start, "a series keeps its start: {before:?} then {point:?}");
    assert!(point.start <= point.time, "a point is not before its start: {point:?}");
    assert!(before.time <= point.time, "time does not go back: {before:?} then {point:?}");
    assert!(before.value <= point.value, "a count does not decrease: {before:?} then {point:?}");
    if before.time == point.time {
        assert_eq!(before.value, point.value, "one moment has one value: {before:?} then {point:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time: u64, value: i128) -> Point {
        let series = Series::new("ccxray.requests_total", [("class", "turn")]);
        Point { instance: "a".into(), series, kind: Kind::Counter, start: 1, time, value }
    }

    fn is_sound(points: impl IntoIterator<Item = Point> + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(|| assert_sound(points.into_iter())).is_ok()
    }

    #[test]
    fn a_series_that_repeats_itself_and_grows_is_sound() {
        assert!(is_sound([point(1, 0), point(2, 3), point(2, 3), point(3, 3), point(4, 5)]));
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
