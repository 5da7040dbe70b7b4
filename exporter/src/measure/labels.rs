//! The attributes of a recording.

use super::{
    Key, Metric,
    short_text::{fold, hashed},
};

/// The most attributes of a metric, an entry's two flags among them.
pub const MAX_ATTRIBUTES: usize = 6;

/// The attributes of a recording in the catalogue's order, and their hash: it is made once for all the metrics and
/// pipelines that are recorded with them, and nothing is allocated to find a series by it.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    pairs: [(Key, &'a str); MAX_ATTRIBUTES],
    len: usize,
    hash: u64,
}

impl<'a> Labels<'a> {
    /// These attributes, at most [`MAX_ATTRIBUTES`].
    pub fn of(attributes: &[(Key, &'a str)]) -> Self {
        Self::chained(attributes, &[])
    }

    /// These attributes and behind them those in `more`, together at most [`MAX_ATTRIBUTES`].
    pub fn chained(attributes: &[(Key, &'a str)], more: &[(Key, &'a str)]) -> Self {
        let mut labels = Self { pairs: [(Key::Provider, ""); MAX_ATTRIBUTES], len: 0, hash: SEED };
        for &(key, value) in attributes.iter().chain(more) {
            labels.pairs[labels.len] = (key, value);
            labels.len += 1;
            labels.hash = hashed(fold(labels.hash ^ key as u64), value);
        }
        labels
    }

    /// The attributes.
    pub fn pairs(&self) -> &[(Key, &'a str)] {
        &self.pairs[..self.len]
    }

    /// The hash of the series of `metric` with these attributes: equal for equal series, and hardly ever for others. Nobody
    /// gains by looking for collisions: budgets bound how many series there can be.
    pub(super) fn hash(&self, metric: Metric) -> u64 {
        fold(self.hash ^ metric as u64)
    }
}

/// Anything but 0, which multiplication would keep.
const SEED: u64 = 0x243f_6a88_85a3_08d3;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attributes_stay_as_they_are_given() {
        let labels =
            Labels::chained(&[(Key::Tool, "Bash"), (Key::Provider, "x")], &[(Key::CliOtelActive, "true")]);
        assert_eq!(labels.pairs(), [(Key::Tool, "Bash"), (Key::Provider, "x"), (Key::CliOtelActive, "true")]);
        assert!(Labels::of(&[]).pairs().is_empty());
    }

    #[test]
    fn series_that_resemble_each_other_have_different_hashes() {
        let texts: Vec<String> = (0..50_000).map(|n| format!("mcp__server__tool{n}")).collect();
        let of = |pairs: &[(Key, &str)], metric| Labels::of(pairs).hash(metric);
        let mut hashes: HashSet<u64> =
            texts.iter().map(|text| of(&[(Key::Tool, text)], Metric::ToolInvocations)).collect();
        let odd = [
            of(&[], Metric::ToolInvocations),
            of(&[(Key::Tool, "")], Metric::ToolInvocations),
            of(&[(Key::Tool, "\0")], Metric::ToolInvocations),
            of(&[(Key::Tool, ""), (Key::Provider, "")], Metric::ToolInvocations),
            of(&[(Key::Tool, "ab"), (Key::Provider, "c")], Metric::ToolInvocations),
            of(&[(Key::Tool, "a"), (Key::Provider, "bc")], Metric::ToolInvocations),
            of(&[(Key::Tool, "a"), (Key::Model, "bc")], Metric::ToolInvocations),
            of(&[(Key::Tool, "a"), (Key::Model, "bc")], Metric::Requests),
        ];
        hashes.extend(odd);
        assert_eq!(hashes.len(), texts.len() + odd.len());
        let buckets: HashSet<u64> = hashes.iter().map(|hash| hash % 2048).collect();
        assert_eq!(buckets.len(), 2048, "the low bits tell them apart too");
    }

    proptest! {
        #[test]
        fn the_hash_depends_on_the_texts_and_not_on_where_they_lie(a in ".{0,70}", b in ".{0,70}") {
            let of = |a: &str, b: &str| Labels::of(&[(Key::Tool, a), (Key::Provider, b)]).hash(Metric::Requests);
            prop_assert_eq!(of(&a, &b), of(&a.clone(), &b.clone()));
            prop_assert_eq!(a == b, of(&a, &b) == of(&b, &a));
        }
    }
}
