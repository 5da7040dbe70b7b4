//! What agents did, beside what it cost: the page's smaller tables.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{HistogramDataPoint, NumberDataPoint},
};

use super::{distribution::Distribution, summary};

/// A table of counts: those of one metric by one of its attributes.
#[derive(Debug)]
pub struct Group {
    /// What the table is called.
    pub title: &'static str,
    /// What its rows are.
    pub column: &'static str,
    metric: &'static str,
    attribute: &'static str,
}

const fn group(
    title: &'static str,
    column: &'static str,
    metric: &'static str,
    attribute: &'static str,
) -> Group {
    Group { title, column, metric, attribute }
}

/// Every table of counts, in the page's order.
pub const GROUPS: [Group; 6] = [
    group("Agents", "Type", "ccxray.agent_type.invocations_total", "type"),
    group("MCP servers", "Server", "ccxray.mcp.invocations_total", "server"),
    group("Failed tools", "Tool", "ccxray.tool.failures_total", "tool"),
    group("Skills", "Skill", "ccxray.skill.activations_total", "skill"),
    group("Permission modes", "Mode", "ccxray.permission_mode.usage_total", "mode"),
    group("Dangerous calls", "Pattern", "ccxray.dangerous_tool.invocations_total", "pattern"),
];

/// What agents did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// The counts of each of [`GROUPS`] that has any, by its title.
    pub counts: BTreeMap<&'static str, BTreeMap<String, f64>>,
    /// Things that happen now and then, by what they are.
    pub events: BTreeMap<String, f64>,
    /// How full the context window was, in percent, by provider.
    pub context: BTreeMap<String, Distribution>,
    /// What is left of rate limits that answers of this window stated.
    pub limits: BTreeMap<String, f64>,
    /// Exchanges under way, if that is known.
    pub under_way: Option<f64>,
}

impl Activity {
    pub(super) fn add(&mut self, metric: &str, point: &NumberDataPoint) {
        let amount = summary::amount(point);
        if amount > 0.0 {
            self.count(metric, &point.attributes, amount);
        }
    }

    fn count(&mut self, metric: &str, attributes: &[KeyValue], amount: f64) {
        let by = |name| summary::attribute(attributes, name);
        if let Some(group) = GROUPS.iter().find(|group| group.metric == metric) {
            let counts = self.counts.entry(group.title).or_default();
            *counts.entry(by(group.attribute)).or_default() += amount;
        }
        let event = match metric {
            "ccxray.subagent.invocations_total" => "Sub-agents started".to_owned(),
            "ccxray.auto_compact.triggered_total" => "Conversations summarised for want of room".to_owned(),
            "ccxray.file_writes_total" => "Calls that write files".to_owned(),
            "ccxray.retries_total" => "Requests sent again".to_owned(),
            "ccxray.max_tokens_hit_total" => "Answers at their limit of output".to_owned(),
            "ccxray.mcp.errors_total" => "Failed calls of MCP servers".to_owned(),
            "ccxray.aborted_total" => format!("Broken off by the {}", by("by")),
            _ => return,
        };
        *self.events.entry(event).or_default() += amount;
    }

    pub(super) fn add_distribution(&mut self, metric: &str, point: &HistogramDataPoint) {
        if metric == "ccxray.context.utilization_pct" {
            let provider = summary::attribute(&point.attributes, "provider");
            self.context.entry(provider).or_default().add(point);
        }
    }

    pub(super) fn add_gauge(&mut self, metric: &str, point: &NumberDataPoint) {
        let by = |name| summary::attribute(&point.attributes, name);
        match metric {
            "ccxray.ratelimit.remaining" => {
                self.limits.insert(format!("{} {}", by("provider"), by("limit")), summary::amount(point));
            }
            "ccxray.proxy.active_requests" => self.under_way = Some(summary::amount(point)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;

    use super::*;
    use crate::{local::sample::point, measure::Catalogue};

    #[test]
    fn counts_are_summed_by_the_attribute_of_their_group() {
        let mut activity = Activity::default();
        for (tool, calls) in [("echo", 2), ("list", 3)] {
            let point = point(&[("server", "demo"), ("tool", tool)], Value::AsInt(calls));
            activity.add("ccxray.mcp.invocations_total", &point);
        }
        activity.add("ccxray.skill.activations_total", &point(&[("skill", "pdf")], Value::AsInt(0)));
        let servers = BTreeMap::from([("demo".to_owned(), 5.0)]);
        assert_eq!(activity.counts, BTreeMap::from([("MCP servers", servers)]), "and 0 is nothing to show");
    }

    #[test]
    fn groups_name_metrics_and_attributes_of_the_catalogue() {
        for group in &GROUPS {
            let def = Catalogue::embedded().iter().find(|def| def.name.name() == group.metric).unwrap();
            assert!(def.attributes.iter().any(|key| key.as_str() == group.attribute), "{group:?}");
        }
    }

    #[test]
    fn gauges_and_events_stand_under_what_they_are() {
        let mut activity = Activity::default();
        activity.add(
            "ccxray.aborted_total",
            &point(&[("provider", "gemini"), ("by", "client")], Value::AsInt(2)),
        );
        let left = point(&[("provider", "openai"), ("limit", "tokens")], Value::AsDouble(7.0));
        activity.add_gauge("ccxray.ratelimit.remaining", &left);
        activity.add_gauge("ccxray.proxy.active_requests", &point(&[], Value::AsDouble(0.0)));
        assert_eq!(activity.events, BTreeMap::from([("Broken off by the client".to_owned(), 2.0)]));
        assert_eq!(activity.limits, BTreeMap::from([("openai tokens".to_owned(), 7.0)]));
        assert_eq!(activity.under_way, Some(0.0));
    }
}
