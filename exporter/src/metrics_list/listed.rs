//! The catalogue and the exporter's own metrics as one list: the form of `metrics list --json`.

use serde::Serialize;

use crate::{
    deliver::self_metrics::{self, SelfMetric},
    local::prometheus_name,
    measure::{Catalogue, Key, Kind, MetricDef},
};

/// The family of what the exporter tells of itself.
pub const SELF: &str = "self";

/// One metric.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// Its name in Prometheus, whether it is pushed there or scraped.
    pub prometheus: String,
    /// The group that it belongs to.
    pub family: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its unit; empty if it has none.
    pub unit: &'static str,
    /// Its attributes. No others are ever sent, but for the two flags of what an exchange raises.
    pub attributes: Vec<Attribute>,
    /// The upper bounds of a histogram's buckets, inclusive.
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    pub bounds: &'static [u32],
    /// The version that brought it; empty for the exporter's own.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub since: &'static str,
    /// What it counts, in a sentence.
    pub description: &'static str,
    /// What counts, exactly.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub counts: &'static str,
    /// What the wire does not tell.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub limits: &'static [String],
}

/// One attribute of a metric.
#[derive(Debug, Serialize)]
pub struct Attribute {
    /// Its key.
    pub key: &'static str,
    /// How many values are told apart; absent where the values are a closed set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
    /// The values, each with its meaning, where they are few and particular to this metric.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub values: &'static [(String, String)],
}

impl Listed {
    /// Every metric, in the catalogue's order.
    pub fn all() -> Vec<Self> {
        let catalogue = Catalogue::embedded().iter().map(Self::of_entries);
        catalogue.chain(self_metrics::ALL.iter().map(Self::of_itself)).collect()
    }

    fn of_entries(def: &'static MetricDef) -> Self {
        let name = def.name.name();
        Self {
            name,
            prometheus: prometheus_name::metric(name, &def.unit, prometheus_kind(def.kind)),
            family: &def.family,
            kind: kind(def.kind),
            unit: &def.unit,
            attributes: def.attributes.iter().map(|&key| Attribute::of(def, key)).collect(),
            bounds: &def.bounds,
            since: &def.since,
            description: &def.description,
            counts: &def.counts,
            limits: &def.limits,
        }
    }

    fn of_itself(metric: &'static SelfMetric) -> Self {
        let attribute = |&key| Attribute { key, budget: None, values: &[] };
        Self {
            name: metric.name,
            prometheus: prometheus_name::metric(metric.name, metric.unit, prometheus_kind(metric.kind)),
            family: SELF,
            kind: kind(metric.kind),
            unit: metric.unit,
            attributes: metric.attributes.iter().map(attribute).collect(),
            bounds: &[],
            since: "",
            description: metric.description,
            counts: "",
            limits: &[],
        }
    }
}

impl Attribute {
    fn of(def: &'static MetricDef, key: Key) -> Self {
        Self {
            key: key.as_str(),
            budget: def.budgets.get(&key).copied(),
            values: def.values.get(&key).map_or(&[], Vec::as_slice),
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter | Kind::PicoUsdCounter => "counter",
        Kind::Histogram => "histogram",
        Kind::Gauge => "gauge",
    }
}

fn prometheus_kind(kind: Kind) -> prometheus_name::Kind {
    match kind {
        Kind::Counter | Kind::PicoUsdCounter => prometheus_name::Kind::Counter,
        Kind::Histogram => prometheus_name::Kind::Histogram,
        Kind::Gauge => prometheus_name::Kind::Gauge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_listed_once_under_the_name_that_prometheus_gives_it() {
        let all = Listed::all();
        let name = |name: &str| all.iter().find(|listed| listed.name == name).unwrap().prometheus.clone();
        assert_eq!(name("ccxray.cost.usd_total"), "ccxray_cost_usd_total");
        assert_eq!(name("ccxray.latency_ms"), "ccxray_latency_ms");
        assert_eq!(name("ccxray.cache.hit_ratio"), "ccxray_cache_hit_ratio");
        assert_eq!(name("ccxray.otel.tier_distribution"), "ccxray_otel_tier_distribution_total");
        assert_eq!(name("ccxray.exporter.lag_seconds"), "ccxray_exporter_lag_seconds");
        let mut names: Vec<_> = all.iter().map(|listed| listed.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn the_json_has_kinds_budgets_and_values() {
        let json = serde_json::to_value(Listed::all()).unwrap();
        let metrics = json.as_array().unwrap();
        let metric = |name: &str| metrics.iter().find(|metric| metric["name"] == name).unwrap();
        assert_eq!(metric("ccxray.cost.usd_total")["kind"], "counter");
        assert_eq!(metric("ccxray.tool.invocations_total")["attributes"][0]["budget"], 50);
        assert_eq!(metric("ccxray.requests_total")["attributes"][2]["values"][0][0], "2xx");
        assert_eq!(metric("ccxray.latency_ms")["bounds"][0], 50);
        assert_eq!(metric("ccxray.otel.state")["family"], "self");
        let limits = &metric("ccxray.permission_mode.usage_total")["limits"];
        assert!(limits[0].as_str().unwrap().starts_with("Claude Code: "), "{limits}");
    }
}
