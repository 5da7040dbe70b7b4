//! Every series of a pipeline with its sum since its start.

use std::{collections::BTreeMap, time::Duration};

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Kind, Series, meter::Delta};

/// The zero point of a series: a backend that computes increases needs to see a series at 0 before it sees its
/// first count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zero {
    /// It has not been put into any snapshot.
    Owed,
    /// It is in a snapshot that may have been sent; until that is known it keeps its time, so that sending it
    /// again says the same thing again.
    Offered {
        /// The point's time.
        at: UnixMillis,
        /// The snapshot, as its cut's time.
        cut: UnixMillis,
    },
    /// A destination has acknowledged it.
    Settled,
}

/// What has been summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Of a counter.
    Sum(u64),
    /// Of a histogram.
    Histogram {
        /// Per bucket.
        buckets: Vec<u64>,
        /// Of all values.
        sum: u64,
    },
}

impl Value {
    /// The same kind of value with nothing in it.
    #[must_use]
    pub fn zero(&self) -> Self {
        match self {
            Self::Sum(_) => Self::Sum(0),
            Self::Histogram { buckets, .. } => Self::Histogram { buckets: vec![0; buckets.len()], sum: 0 },
        }
    }

    fn add(&mut self, delta: Delta) {
        match (self, delta) {
            (Self::Sum(total), Delta::Sum(more)) => *total = total.saturating_add(more),
            (Self::Histogram { buckets, sum }, Delta::Histogram { buckets: more, sum: more_sum }) => {
                for (bucket, more) in buckets.iter_mut().zip(more) {
                    *bucket = bucket.saturating_add(more);
                }
                *sum = sum.saturating_add(more_sum);
            }
            (Self::Sum(_), Delta::Histogram { .. }) | (Self::Histogram { .. }, Delta::Sum(_)) => {
                debug_assert!(false, "a metric has one kind");
            }
        }
    }
}

impl From<Delta> for Value {
    fn from(delta: Delta) -> Self {
        match delta {
            Delta::Sum(sum) => Self::Sum(sum),
            Delta::Histogram { buckets, sum } => Self::Histogram { buckets, sum },
        }
    }
}

/// One series' sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The start of the window in which it was first recorded.
    pub start: UnixMillis,
    /// The end of the window in which it was last recorded.
    pub last: UnixMillis,
    /// Its zero point.
    pub zero: Zero,
    /// Its sum since `start`.
    pub value: Value,
}

/// All series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    rows: BTreeMap<Series, Row>,
}

impl Totals {
    /// Adds what a window brought. `window` is its start and end.
    pub fn add(&mut self, series: Series, delta: Delta, window: (UnixMillis, UnixMillis)) {
        let (start, end) = window;
        match self.rows.get_mut(&series) {
            Some(row) => {
                row.last = end.max(row.last);
                row.value.add(delta);
            }
            None => {
                self.rows.insert(series, Row { start, last: end, zero: Zero::Owed, value: delta.into() });
            }
        }
    }

    /// No window is later than `window`, its start and end: what was recorded in one counts as recorded in this one.
    pub fn come_back(&mut self, window: (UnixMillis, UnixMillis)) {
        for row in self.rows.values_mut() {
            row.start = row.start.min(window.0);
            row.last = row.last.min(window.1);
        }
    }

    /// Lets go of the series without a recording for `idle` of event time, and says which. One that comes back starts
    /// anew.
    pub fn retire(&mut self, now: UnixMillis, idle: Duration) -> Vec<Series> {
        self.rows.extract_if(.., |_, row| now.since(row.last) >= idle).map(|(series, _)| series).collect()
    }

    /// All series in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, &Row)> {
        self.rows.iter()
    }

    /// All series in order, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Series, &mut Row)> {
        self.rows.iter_mut()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The zeros in snapshots up to `cut` have arrived.
    pub fn settle(&mut self, cut: UnixMillis) {
        for row in self.rows.values_mut() {
            if let Zero::Offered { cut: offered, .. } = row.zero
                && offered <= cut
            {
                row.zero = Zero::Settled;
            }
        }
    }

    /// What a checkpoint kept, less the rows that the catalogue no longer describes as they are.
    pub fn from_rows(rows: impl IntoIterator<Item = (Series, Row)>) -> Self {
        Self { rows: rows.into_iter().filter(|(series, row)| is_current(series, row)).collect() }
    }
}

fn is_current(series: &Series, row: &Row) -> bool {
    let def = Catalogue::embedded().get(series.metric);
    let keys_fit = series
        .attributes
        .iter()
        .all(|&(key, _)| def.attributes.contains(&key) || (def.bears_flags && key.is_flag()));
    let value_fits = match (&row.value, def.kind) {
        (Value::Sum(_), Kind::Counter | Kind::PicoUsdCounter) => true,
        (Value::Histogram { buckets, .. }, Kind::Histogram) => buckets.len() == def.bounds.len() + 1,
        (Value::Sum(_), Kind::Histogram | Kind::Gauge)
        | (Value::Histogram { .. }, Kind::Counter | Kind::PicoUsdCounter | Kind::Gauge) => false,
    };
    keys_fit && value_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Key, Metric};

    const WINDOW: (UnixMillis, UnixMillis) = (UnixMillis(60_000), UnixMillis(120_000));

    fn series() -> Series {
        Series::new(Metric::TokensInput, &[(Key::Provider, "anthropic"), (Key::Model, "m")])
    }

    #[test]
    fn a_series_starts_with_the_window_of_its_first_recording() {
        let mut totals = Totals::default();
        totals.add(series(), Delta::Sum(3), WINDOW);
        totals.add(series(), Delta::Sum(4), (UnixMillis(120_000), UnixMillis(180_000)));
        let (_, row) = totals.iter().next().unwrap();
        let expected =
            Row { start: WINDOW.0, last: UnixMillis(180_000), zero: Zero::Owed, value: Value::Sum(7) };
        assert_eq!(*row, expected);
    }

    #[test]
    fn a_zero_is_settled_only_by_the_ack_of_a_snapshot_that_holds_it() {
        let mut totals = Totals::default();
        totals.add(series(), Delta::Sum(3), WINDOW);
        let offered = Zero::Offered { at: WINDOW.0, cut: WINDOW.1 };
        totals.iter_mut().for_each(|(_, row)| row.zero = offered);
        totals.settle(UnixMillis(119_999));
        assert_eq!(totals.iter().next().unwrap().1.zero, offered);
        totals.settle(WINDOW.1);
        assert_eq!(totals.iter().next().unwrap().1.zero, Zero::Settled);
    }

    #[test]
    fn a_series_is_let_go_when_it_has_been_idle_for_that_long() {
        let mut totals = Totals::default();
        totals.add(series(), Delta::Sum(3), WINDOW);
        let day = Duration::from_hours(24);
        assert_eq!(totals.retire(WINDOW.1.after(day).before(Duration::from_millis(1)), day), []);
        assert_eq!(totals.retire(WINDOW.1.after(day), day), [series()]);
        assert!(totals.is_empty());
    }

    #[test]
    fn rows_that_left_the_catalogue_are_not_taken_over() {
        let row = Row { start: WINDOW.0, last: WINDOW.1, zero: Zero::Owed, value: Value::Sum(1) };
        let foreign = Series::new(Metric::TokensInput, &[(Key::Tool, "Bash")]);
        let wrong_kind = Series::new(Metric::LatencyMs, &[(Key::Model, "m")]);
        let rows = [(series(), row.clone()), (foreign, row.clone()), (wrong_kind, row)];
        assert_eq!(Totals::from_rows(rows).iter().map(|(s, _)| s.clone()).collect::<Vec<_>>(), [series()]);
    }
}
