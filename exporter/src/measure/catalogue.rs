//! The catalogue of metrics: data, from which instruments, budgets, lists and documentation come.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use super::Key;

/// Defines the metrics that the code can record; their properties are data.
macro_rules! metrics {
    ($($variant:ident = $name:literal,)*) => {
        /// A metric of the catalogue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Metric {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $variant,)*
        }
        impl Metric {
            /// Every metric, in the catalogue's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// The metric's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

metrics! {
    TokensInput = "ccxray.tokens.input_total",
    TokensOutput = "ccxray.tokens.output_total",
    TokensCacheRead = "ccxray.tokens.cache_read_total",
    TokensCacheCreation = "ccxray.tokens.cache_creation_total",
    TokensReasoning = "ccxray.tokens.reasoning_total",
    CostUsd = "ccxray.cost.usd_total",
    CostUnpriced = "ccxray.cost.unpriced_total",
    CacheHitRatio = "ccxray.cache.hit_ratio",
    Requests = "ccxray.requests_total",
    ToolInvocations = "ccxray.tool.invocations_total",
    Sessions = "ccxray.sessions_total",
    Errors = "ccxray.errors_total",
    StopReason = "ccxray.stop_reason_total",
    LatencyMs = "ccxray.latency_ms",
    FirstTokenLatencyMs = "ccxray.first_token_latency_ms",
    Overflow = "ccxray.metrics.overflow_total",
    UsageMissing = "ccxray.usage.missing_total",
    SseTruncated = "ccxray.invariants.sse_truncated_total",
    EntriesLost = "ccxray.spool.entries_lost_total",
    Late = "ccxray.exporter.late_total",
}

/// How a metric is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A sum that only grows, of whole numbers.
    Counter,
    /// A sum of money that only grows: whole pico-USD inside, USD when it is sent.
    PicoUsdCounter,
    /// A distribution of whole numbers over fixed bounds.
    Histogram,
    /// A value of one window.
    Gauge,
}

/// What the catalogue says of one metric.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MetricDef {
    /// Which.
    pub name: Metric,
    /// The group that it is listed in.
    pub family: String,
    /// How it is measured.
    pub kind: Kind,
    /// The unit, an annotation in braces, so that no backend appends it to the name.
    pub unit: String,
    /// Its attributes; no others are ever sent.
    pub attributes: Vec<Key>,
    /// How many values of an attribute are told apart; attributes without a budget are closed sets.
    #[serde(default)]
    pub budgets: BTreeMap<Key, usize>,
    /// The upper bounds of a histogram's buckets, inclusive.
    #[serde(default)]
    pub bounds: Vec<u32>,
    /// Whether an entry itself raises it: then it bears the entry's flags.
    pub raised_by_entry: bool,
    /// The version that brought it.
    pub since: String,
    /// What it counts, in a sentence; goes along with the metric.
    pub description: String,
    /// What counts, exactly; for its page.
    pub counts: String,
    /// The values of closed attributes, each with its meaning.
    #[serde(default)]
    pub values: BTreeMap<Key, Vec<(String, String)>>,
}

/// All metrics, in the order of [`Metric::ALL`].
#[derive(Debug)]
pub struct Catalogue {
    attributes: BTreeMap<Key, String>,
    metrics: Vec<MetricDef>,
}

#[derive(Deserialize)]
struct CatalogueFile {
    version: u32,
    attributes: BTreeMap<Key, String>,
    metrics: Vec<MetricDef>,
}

static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
    let file: CatalogueFile = serde_json::from_str(include_str!("../../data/catalogue.json"))
        .expect("the embedded catalogue is well-formed; a test reads it");
    assert_eq!(file.version, 1, "this build reads version 1 of the catalogue");
    Catalogue { attributes: file.attributes, metrics: file.metrics }
});

impl Catalogue {
    /// The catalogue of this build.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// What it says of `metric`.
    pub fn get(&self, metric: Metric) -> &MetricDef {
        &self.metrics[metric as usize]
    }

    /// Every metric.
    pub fn iter(&self) -> impl Iterator<Item = &MetricDef> {
        self.metrics.iter()
    }

    /// What each attribute means.
    pub fn attributes(&self) -> &BTreeMap<Key, String> {
        &self.attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_and_the_code_name_the_same_metrics_in_the_same_order() {
        let names: Vec<Metric> = Catalogue::embedded().iter().map(|def| def.name).collect();
        assert_eq!(names, Metric::ALL);
        for (i, metric) in Metric::ALL.iter().enumerate() {
            assert_eq!(*metric as usize, i);
        }
    }

    #[test]
    fn names_are_ours_and_units_never_end_up_in_a_name() {
        for def in Catalogue::embedded().iter() {
            let name = def.name.name();
            assert!(name.starts_with("ccxray."), "{name}");
            assert!(!name.starts_with("ccxray.reconciliation."), "{name}");
            let annotation = def.unit.starts_with('{') && def.unit.ends_with('}');
            assert!(
                annotation || (def.kind == Kind::Gauge && matches!(def.unit.as_str(), "1" | "")),
                "{name}"
            );
            assert_eq!(def.kind == Kind::Histogram, !def.bounds.is_empty(), "{name}");
            assert!(def.bounds.is_sorted(), "{name}");
            assert!(def.budgets.keys().all(|key| def.attributes.contains(key)), "{name}");
        }
    }

    #[test]
    fn every_attribute_has_a_meaning_and_values_belong_to_attributes() {
        let catalogue = Catalogue::embedded();
        for def in catalogue.iter() {
            let name = def.name.name();
            assert!(def.attributes.iter().all(|key| catalogue.attributes().contains_key(key)), "{name}");
            assert!(def.values.keys().all(|key| def.attributes.contains(key)), "{name}");
            assert!(!def.description.is_empty() && !def.counts.is_empty(), "{name}");
        }
    }

    #[test]
    fn nothing_that_names_a_person_or_a_place_is_an_attribute() {
        for def in Catalogue::embedded().iter() {
            for key in &def.attributes {
                assert!(!["user", "session", "path", "command", "prompt", "id"].contains(&key.as_str()));
            }
        }
    }
}
