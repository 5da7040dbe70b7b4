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
    ToolFailures = "ccxray.tool.failures_total",
    McpInvocations = "ccxray.mcp.invocations_total",
    McpErrors = "ccxray.mcp.errors_total",
    SkillActivations = "ccxray.skill.activations_total",
    Sessions = "ccxray.sessions_total",
    AgentTypeInvocations = "ccxray.agent_type.invocations_total",
    ProviderDistribution = "ccxray.provider.distribution_total",
    Errors = "ccxray.errors_total",
    StopReason = "ccxray.stop_reason_total",
    MaxTokensHit = "ccxray.max_tokens_hit_total",
    LatencyMs = "ccxray.latency_ms",
    FirstTokenLatencyMs = "ccxray.first_token_latency_ms",
    Aborted = "ccxray.aborted_total",
    Retries = "ccxray.retries_total",
    RateLimitRemaining = "ccxray.ratelimit.remaining",
    ContextUtilization = "ccxray.context.utilization_pct",
    AutoCompactTriggered = "ccxray.auto_compact.triggered_total",
    SubagentInvocations = "ccxray.subagent.invocations_total",
    ToolsPerTurn = "ccxray.tools_per_turn",
    PermissionModeUsage = "ccxray.permission_mode.usage_total",
    DangerousToolInvocations = "ccxray.dangerous_tool.invocations_total",
    FileWrites = "ccxray.file_writes_total",
    Overflow = "ccxray.metrics.overflow_total",
    UsageMissing = "ccxray.usage.missing_total",
    UnknownTool = "ccxray.parser.unknown_tool_total",
    UnknownSkillMarker = "ccxray.parser.unknown_skill_marker_total",
    UnknownMcpFormat = "ccxray.parser.unknown_mcp_format_total",
    FallbackUsed = "ccxray.parser.fallback_used_total",
    ParserError = "ccxray.parser.error_total",
    ReconciliationMismatch = "ccxray.parser.reconciliation_mismatch_total",
    ParserMismatch = "ccxray.invariants.parser_mismatch_total",
    SseTruncated = "ccxray.invariants.sse_truncated_total",
    EntriesLost = "ccxray.spool.entries_lost_total",
    ActiveRequests = "ccxray.proxy.active_requests",
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
    /// Whether it bears the flags of the entry that raises it: counters and histograms do, but for sentinels.
    pub bears_flags: bool,
    /// The version that brought it.
    pub since: String,
    /// What it counts, in a sentence; goes along with the metric.
    pub description: String,
    /// What counts, exactly; for its page.
    pub counts: String,
    /// The values of closed attributes, each with its meaning.
    #[serde(default)]
    pub values: BTreeMap<Key, Vec<(String, String)>>,
    /// What the wire does not tell, a sentence for each client that it concerns.
    #[serde(default)]
    pub limits: Vec<String>,
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

/// The word for `value` of a closed attribute, if it is one of those that the catalogue lists.
pub fn closed(metric: Metric, key: Key, value: &str) -> Option<&'static str> {
    let values = Catalogue::embedded().get(metric).values.get(&key)?;
    values.iter().map(|(word, _)| word.as_str()).find(|&word| word == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::labels::MAX_ATTRIBUTES;

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
    fn flags_are_borne_by_counters_and_histograms_and_by_no_sentinel() {
        for def in Catalogue::embedded().iter() {
            let expected = def.kind != Kind::Gauge && def.family != "sentinels";
            assert_eq!(def.bears_flags, expected, "{}", def.name.name());
        }
    }

    #[test]
    fn a_series_has_room_for_every_attribute_and_both_flags() {
        for def in Catalogue::embedded().iter() {
            let flags = if def.bears_flags { 2 } else { 0 };
            assert!(def.attributes.len() + flags <= MAX_ATTRIBUTES, "{}", def.name.name());
        }
    }

    #[test]
    fn budgets_are_those_that_were_promised() {
        let promised = [("tool", 50), ("model", 10), ("server", 30), ("skill", 30), ("type", 20)];
        for def in Catalogue::embedded().iter() {
            for (key, budget) in &def.budgets {
                assert!(promised.contains(&(key.as_str(), *budget)), "{} {key:?}", def.name.name());
            }
            let open = def
                .attributes
                .iter()
                .filter(|key| promised[..4].iter().any(|(word, _)| *word == key.as_str()));
            open.for_each(|key| assert!(def.budgets.contains_key(key), "{} {key:?}", def.name.name()));
        }
    }

    #[test]
    fn a_value_outside_of_a_closed_set_is_none() {
        assert_eq!(closed(Metric::RateLimitRemaining, Key::Limit, "tokens"), Some("tokens"));
        assert_eq!(closed(Metric::RateLimitRemaining, Key::Limit, "made-up"), None);
        assert_eq!(closed(Metric::RateLimitRemaining, Key::Provider, "anthropic"), None);
    }

    #[test]
    fn every_reason_of_a_note_has_its_word() {
        let rules: serde_json::Value = serde_json::from_str(include_str!("../../data/notes.json")).unwrap();
        for (reason, kind) in rules["rules"].as_object().unwrap() {
            let word = match kind.as_str().unwrap() {
                "fallback" => closed(Metric::FallbackUsed, Key::Reason, reason),
                "error" => closed(Metric::ParserError, Key::ErrorType, reason),
                _ => continue,
            };
            assert_eq!(word, Some(reason.as_str()), "{kind}");
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
