//! Series and their values, comparable wherever they come from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A metric with its attributes: `ccxray.requests_total{class=turn,…}`, attributes sorted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series(String);

impl Series {
    /// The series of this metric with these attributes, in any order.
    pub fn new<K: Into<String>, V: Into<String>>(
        metric: &str,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let mut attributes: Vec<String> =
            attributes.into_iter().map(|(name, value)| format!("{}={}", name.into(), value.into())).collect();
        attributes.sort();
        Self(format!("{metric}{{{}}}", attributes.join(",")))
    }

    /// The metric's name.
    pub fn metric(&self) -> &str {
        self.0.split('{').next().unwrap_or_default()
    }

    /// The series of another metric with the same attributes.
    #[must_use]
    pub fn renamed(&self, metric: &str) -> Self {
        Self(self.0.replacen(self.metric(), metric, 1))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of each series in its integer unit: a count (of a histogram, the number of its measurements), or
/// pico-USD. A series without a value and one of value 0 are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<Series, i128>);

impl Totals {
    /// Adds to a series.
    pub fn add(&mut self, series: Series, value: i128) {
        if value != 0 {
            *self.0.entry(series).or_default() += value;
        }
    }

    /// The value of the series with this text.
    pub fn get(&self, series: &str) -> i128 {
        self.0.get(&Series(series.to_owned())).copied().unwrap_or_default()
    }

    /// Panics unless the series with these texts have these values.
    pub fn assert_counts(&self, counts: &[(&str, i128)]) {
        for (series, count) in counts {
            assert_eq!(self.get(series), *count, "{series} of {self:#?}");
        }
    }

    /// The sum over all series of a metric.
    pub fn sum(&self, metric: &str) -> i128 {
        self.0.iter().filter(|(series, _)| series.metric() == metric).map(|(_, value)| value).sum()
    }

    /// Only the series of these metrics.
    #[must_use]
    pub fn only(self, metrics: &[&str]) -> Self {
        Self(self.0.into_iter().filter(|(series, _)| metrics.contains(&series.metric())).collect())
    }

    /// All series with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, i128)> {
        self.0.iter().map(|(series, value)| (series, *value))
    }

    /// The series in which `found` differs from these, each with both values.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let all: BTreeSet<_> = self.0.keys().chain(found.0.keys()).collect();
        let of = |totals: &Self, series| totals.0.get(series).copied().unwrap_or_default();
        all.into_iter()
            .map(|series| (series, of(self, series), of(found, series)))
            .filter(|(_, expected, found)| expected != found)
            .map(|(series, expected, found)| format!("{series:?}: expected {expected}, found {found}"))
            .collect()
    }

    /// Whether there is nothing but zeros.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Series, i128)> for Totals {
    fn from_iter<I: IntoIterator<Item = (Series, i128)>>(series: I) -> Self {
        let mut totals = Self::default();
        for (series, value) in series {
            totals.add(series, value);
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_that_differ_say_where() {
        let totals =
            |errors| [(Series::new("errors", [("type", "server")]), errors)].into_iter().collect::<Totals>();
        assert_eq!(totals(1).differences(&totals(1)), Vec::<String>::new());
        assert_eq!(totals(1).differences(&totals(0)), ["errors{type=server}: expected 1, found 0"]);
        assert_eq!(totals(0).differences(&totals(2)), ["errors{type=server}: expected 0, found 2"]);
    }
}
