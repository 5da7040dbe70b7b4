//! The totals of the last hour, so that a page that is opened now shows what was before.
//!
//! They lie in memory only. A stretch in which nothing changed takes two samples, however long it is.

use std::{collections::VecDeque, time::Duration};

use ccxray_shared::UnixMillis;
use serde_json::{Map, Value, json};

use super::summary::{Summary, total};

/// How often the totals are sampled.
pub const SAMPLED_EVERY: Duration = Duration::from_secs(5);

/// How far back it goes. With [`SAMPLED_EVERY`] this bounds its size.
const KEPT: Duration = Duration::from_hours(1);

/// Totals of all models together, at one moment: sums that grow, from which a reader takes differences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    cost_usd: f64,
    requests: f64,
    errors: f64,
    input: f64,
    output: f64,
    cache_read: f64,
    cache_creation: f64,
    latency_ms: f64,
    latency_count: f64,
    first_token_ms: f64,
    first_token_count: f64,
}

/// The figures with the names under which they are served.
type Column = (&'static str, fn(&Figures) -> f64);

const COLUMNS: [Column; 11] = [
    ("cost_usd", |figures| figures.cost_usd),
    ("requests", |figures| figures.requests),
    ("errors", |figures| figures.errors),
    ("input", |figures| figures.input),
    ("output", |figures| figures.output),
    ("cache_read", |figures| figures.cache_read),
    ("cache_creation", |figures| figures.cache_creation),
    ("latency_ms", |figures| figures.latency_ms),
    ("latency_count", |figures| figures.latency_count),
    ("first_token_ms", |figures| figures.first_token_ms),
    ("first_token_count", |figures| figures.first_token_count),
];

impl Figures {
    /// Those of `summary`.
    pub fn of(summary: &Summary) -> Self {
        let (tokens, latency) = (summary.all_models(), summary.all_latency());
        Self {
            cost_usd: summary.cost_usd,
            requests: total(&summary.requests),
            errors: total(&summary.errors),
            input: tokens.input,
            output: tokens.output,
            cache_read: tokens.cache_read,
            cache_creation: tokens.cache_creation,
            latency_ms: latency.whole.sum(),
            latency_count: latency.whole.count(),
            first_token_ms: latency.first_token.sum(),
            first_token_count: latency.first_token.count(),
        }
    }
}

/// The samples, in the order of their times.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<(UnixMillis, Figures)>);

impl History {
    /// Takes a sample in. If the clock went back, what now lies in the future is dropped: no reader could order it.
    pub fn note(&mut self, at: UnixMillis, figures: Figures) {
        let samples = &mut self.0;
        while samples.back().is_some_and(|(last, _)| *last >= at) {
            samples.pop_back();
        }
        if is_still(samples, &figures) {
            samples.pop_back();
        }
        samples.push_back((at, figures));
        while samples.front().is_some_and(|(first, _)| at.since(*first) > KEPT) {
            samples.pop_front();
        }
    }

    /// All samples as columns of equal length; `at` is in milliseconds since 1970.
    pub fn to_json(&self) -> Value {
        let at: Vec<u64> = self.0.iter().map(|(at, _)| at.0).collect();
        let mut columns = Map::from_iter([("at".to_owned(), json!(at))]);
        for (name, value) in COLUMNS {
            let values: Vec<Value> = self.0.iter().map(|(_, figures)| number(value(figures))).collect();
            columns.insert(name.to_owned(), Value::Array(values));
        }
        Value::Object(columns)
    }
}

/// Whether the last two samples say the same as this one: then the last is only the end of a stretch, which goes on.
fn is_still(samples: &VecDeque<(UnixMillis, Figures)>, figures: &Figures) -> bool {
    samples.len() >= 2 && samples.iter().rev().take(2).all(|(_, last)| last == figures)
}

/// Whole numbers without a fraction, which are most of them.
#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    const SECOND: u64 = 1000;

    fn requests(requests: f64) -> Figures {
        Figures { requests, ..Figures::default() }
    }

    fn times(history: &History) -> Vec<u64> {
        history.0.iter().map(|(at, _)| at.0 / SECOND).collect()
    }

    fn noted(samples: &[(u64, f64)]) -> History {
        let mut history = History::default();
        for &(second, count) in samples {
            history.note(UnixMillis(second * SECOND), requests(count));
        }
        history
    }

    #[test]
    fn the_last_sample_holds_the_figures_of_the_metrics() {
        let mut history = History::default();
        history.note(UnixMillis(7), Figures::of(&Summary::of(&sample::request())));
        let expected = json!({
            "at": [7], "cost_usd": [0.125], "requests": [12], "errors": [0], "input": [1239], "output": [0],
            "cache_read": [0], "cache_creation": [0], "latency_ms": [910.5], "latency_count": [6],
            "first_token_ms": [0], "first_token_count": [0],
        });
        assert_eq!(history.to_json(), expected);
    }

    #[test]
    fn a_stretch_without_change_takes_two_samples() {
        assert_eq!(
            times(&noted(&[(0, 1.0), (5, 1.0), (10, 1.0), (15, 1.0), (20, 2.0), (25, 2.0)])),
            [0, 15, 20, 25]
        );
    }

    #[test]
    fn what_is_older_than_an_hour_is_let_go() {
        assert_eq!(times(&noted(&[(0, 1.0), (5, 2.0), (3600, 3.0)])), [0, 5, 3600]);
        assert_eq!(times(&noted(&[(0, 1.0), (5, 2.0), (3604, 3.0)])), [5, 3604]);
    }

    #[test]
    fn an_hour_of_changes_is_all_that_is_ever_kept() {
        let changing: Vec<(u64, f64)> =
            (0..2000).map(|n| (n * 5, f64::from(u32::try_from(n).unwrap()))).collect();
        assert_eq!(noted(&changing).0.len(), 721);
    }

    #[test]
    fn a_clock_that_goes_back_costs_only_what_it_goes_back_over() {
        assert_eq!(times(&noted(&[(100, 1.0), (105, 2.0), (110, 3.0), (105, 4.0)])), [100, 105]);
        assert_eq!(times(&noted(&[(100, 1.0), (105, 2.0), (50, 3.0)])), [50]);
    }
}
