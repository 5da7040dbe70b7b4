//! What is true of one window, beside what has been summed up since the start.

use std::collections::BTreeMap;

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::measure::{Key, Labels, Metric, Series, SeriesTable, meter::Delta};

/// The gauges of the open window.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    cache_use: BTreeMap<Vec<(Key, Box<str>)>, CacheUse>,
    stated: SeriesTable<Stated>,
    /// Not a window's own: it stands until something else is known.
    active_requests: Option<u64>,
}

/// How much of the input came from a cache, over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CacheUse {
    /// Tokens read from a cache.
    read: u64,
    /// All input tokens.
    input: u64,
}

/// What an exchange said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stated {
    at: UnixMillis,
    value: u64,
}

/// The cache use of one model in the open window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCacheUse {
    attributes: Vec<(Key, Box<str>)>,
    read: u64,
    input: u64,
}

/// A gauge that exchanges of the open window have stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedGauge {
    series: Series,
    #[serde(flatten)]
    stated: Stated,
}

impl Gauges {
    /// Notes tokens of the window that are being summed up.
    pub(super) fn note_tokens(&mut self, series: &Series, delta: &Delta) {
        let is_read = match series.metric {
            Metric::TokensCacheRead => true,
            Metric::TokensInput | Metric::TokensCacheCreation => false,
            _ => return,
        };
        let Delta::Sum(tokens) = *delta else { return };
        let attributes = series.attributes.iter().filter(|(key, _)| !key.is_flag()).cloned().collect();
        let used: &mut CacheUse = self.cache_use.entry(attributes).or_default();
        used.input = used.input.saturating_add(tokens);
        used.read = used.read.saturating_add(if is_read { tokens } else { 0 });
    }

    /// Notes what an exchange stated that ended at `at`. The latest end counts, in whatever order they are read; of two
    /// that ended at once, the one that is read last.
    pub(super) fn note(&mut self, metric: Metric, labels: &Labels<'_>, at: UnixMillis, value: u64) {
        let newest = Stated { at, value };
        match self.stated.get_mut(metric, labels) {
            Some(stated) if stated.at > at => {}
            Some(stated) => *stated = newest,
            None => {
                self.stated.insert(metric, labels, newest);
            }
        }
    }

    pub(super) fn set_active_requests(&mut self, active: Option<u64>) {
        self.active_requests = active;
    }

    /// All of them: of what nobody has said anything in this window, there is none.
    #[expect(clippy::cast_precision_loss, reason = "gauges are sent as doubles")]
    pub(super) fn values(&self) -> BTreeMap<Series, f64> {
        let ratio = |(attributes, used): (&Vec<_>, &CacheUse)| {
            let series = Series { metric: Metric::CacheHitRatio, attributes: attributes.clone() };
            Some((series, used.ratio()?))
        };
        let stated = self.stated.iter().map(|(series, stated)| (series.clone(), stated.value as f64));
        let active =
            self.active_requests.map(|active| (Series::new(Metric::ActiveRequests, &[]), active as f64));
        self.cache_use.iter().filter_map(ratio).chain(stated).chain(active).collect()
    }

    /// The next window begins.
    pub(super) fn end_window(&mut self) {
        self.cache_use.clear();
        self.stated.clear();
    }

    pub(super) fn save(&self) -> (Vec<SavedCacheUse>, Vec<SavedGauge>) {
        let cache_use = self.cache_use.iter().map(|(attributes, used)| SavedCacheUse {
            attributes: attributes.clone(),
            read: used.read,
            input: used.input,
        });
        let stated =
            self.stated.iter().map(|(series, &stated)| SavedGauge { series: series.clone(), stated });
        let mut stated: Vec<SavedGauge> = stated.collect();
        stated.sort_by(|a, b| a.series.cmp(&b.series));
        (cache_use.collect(), stated)
    }

    pub(super) fn restore(cache_use: Vec<SavedCacheUse>, stated: Vec<SavedGauge>) -> Self {
        let mut gauges = Self::default();
        for SavedCacheUse { attributes, read, input } in cache_use {
            gauges.cache_use.insert(attributes, CacheUse { read, input });
        }
        for SavedGauge { series, stated: Stated { at, value } } in stated {
            gauges.note(series.metric, &series.labels(), at, value);
        }
        gauges
    }
}

impl CacheUse {
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    fn ratio(self) -> Option<f64> {
        (self.input > 0).then(|| self.read as f64 / self.input as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(gauges: &mut Gauges, limit: &str, at: u64, value: u64) {
        let labels = Labels::of(&[(Key::Provider, "anthropic"), (Key::Limit, limit)]);
        gauges.note(Metric::RateLimitRemaining, &labels, UnixMillis(at), value);
    }

    fn values(gauges: &Gauges) -> Vec<(String, f64)> {
        let text = |series: &Series| {
            series.attributes.iter().map(|(_, value)| &**value).collect::<Vec<_>>().join(",")
        };
        gauges.values().iter().map(|(series, value)| (text(series), *value)).collect()
    }

    #[test]
    fn the_last_statement_by_the_time_of_its_exchange_counts() {
        let mut gauges = Gauges::default();
        for (name, at, value) in [("tokens", 20, 7), ("tokens", 10, 9), ("requests", 1, 3), ("tokens", 20, 6)]
        {
            limit(&mut gauges, name, at, value);
        }
        let expected = [("anthropic,requests".to_owned(), 3.0), ("anthropic,tokens".to_owned(), 6.0)];
        assert_eq!(values(&gauges), expected);
    }

    #[test]
    fn a_window_in_which_nothing_was_stated_has_no_gauge_and_what_is_under_way_goes_on() {
        let mut gauges = Gauges::default();
        limit(&mut gauges, "tokens", 20, 7);
        gauges.set_active_requests(Some(3));
        assert_eq!(values(&gauges).len(), 2);
        gauges.end_window();
        assert_eq!(values(&gauges), [(String::new(), 3.0)]);
        gauges.set_active_requests(None);
        assert_eq!(values(&gauges), []);
    }

    #[test]
    fn the_open_window_survives_the_checkpoint() {
        let mut gauges = Gauges::default();
        limit(&mut gauges, "tokens", 20, 7);
        let tokens = Series::new(Metric::TokensCacheRead, &[(Key::Provider, "anthropic"), (Key::Model, "m")]);
        gauges.note_tokens(&tokens, &Delta::Sum(5));
        let (cache_use, stated) = gauges.save();
        let json = serde_json::to_string(&(cache_use, stated)).unwrap();
        let (cache_use, stated) = serde_json::from_str(&json).unwrap();
        let mut restored = Gauges::restore(cache_use, stated);
        assert_eq!(restored.values(), gauges.values());
        limit(&mut restored, "tokens", 19, 1);
        assert_eq!(restored.values(), gauges.values(), "an older one comes too late");
    }
}
