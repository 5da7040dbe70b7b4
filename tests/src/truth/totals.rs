//! From facts to the values of the series.

use std::collections::{BTreeMap, HashSet};

use super::{
    Facts, Series, Totals, canonical,
    facts::{End, FailedTool},
    prices::price_of,
};

/// The metrics that the truth has an opinion on: they must have these series with these values, and no others.
pub const COVERED: &[&str] = &[
    "ccxray.tokens.input_total",
    "ccxray.tokens.output_total",
    "ccxray.tokens.cache_read_total",
    "ccxray.tokens.cache_creation_total",
    "ccxray.tokens.reasoning_total",
    "ccxray.cost.usd_total",
    "ccxray.cost.unpriced_total",
    "ccxray.requests_total",
    "ccxray.tool.invocations_total",
    "ccxray.sessions_total",
    "ccxray.errors_total",
    "ccxray.stop_reason_total",
    "ccxray.latency_ms",
    "ccxray.first_token_latency_ms",
    "ccxray.usage.missing_total",
    "ccxray.invariants.sse_truncated_total",
    "ccxray.tool.failures_total",
    "ccxray.mcp.invocations_total",
    "ccxray.mcp.errors_total",
    "ccxray.skill.activations_total",
    "ccxray.agent_type.invocations_total",
    "ccxray.provider.distribution_total",
    "ccxray.max_tokens_hit_total",
    "ccxray.aborted_total",
    "ccxray.retries_total",
    "ccxray.ratelimit.remaining",
    "ccxray.context.utilization_pct",
    "ccxray.context.utilization_pct.sum",
    "ccxray.auto_compact.triggered_total",
    "ccxray.subagent.invocations_total",
    "ccxray.tools_per_turn",
    "ccxray.tools_per_turn.sum",
    "ccxray.permission_mode.usage_total",
    "ccxray.dangerous_tool.invocations_total",
    "ccxray.file_writes_total",
    "ccxray.parser.unknown_tool_total",
    "ccxray.parser.unknown_skill_marker_total",
    "ccxray.parser.unknown_mcp_format_total",
    "ccxray.parser.fallback_used_total",
    "ccxray.parser.error_total",
    "ccxray.parser.reconciliation_mismatch_total",
    "ccxray.invariants.parser_mismatch_total",
    "ccxray.metrics.overflow_total",
    "ccxray.spool.entries_lost_total",
];

/// Behind the name of a histogram: the sum of what was measured, where that is known.
pub const SUM: &str = ".sum";

/// What the covered metrics must say after these exchanges. None of them may be partly understood.
pub fn expected(exchanges: &[Facts]) -> Totals {
    let mut totals = Totals::default();
    for facts in exchanges {
        requests(facts, &mut totals);
        calls(facts, &mut totals);
        if facts.billed() {
            cost(facts, &mut totals);
        }
        if facts.billed() && facts.answered() {
            quality(facts, &mut totals);
            usage(facts, &mut totals);
        }
        patterns(facts, &mut totals);
    }
    for (series, left) in limits(exchanges) {
        totals.add(series, left);
    }
    let sessions = exchanges.iter().filter_map(|facts| Some((provider(facts), facts.session.as_ref()?)));
    for (provider, _) in sessions.collect::<HashSet<_>>() {
        totals.add(Series::new("ccxray.sessions_total", [provider]), 1);
    }
    totals
}

fn requests(facts: &Facts, totals: &mut Totals) {
    let status = canonical::status(facts);
    let attributes = [provider(facts), ("route", &facts.route), ("status", &status), ("class", &facts.class)];
    totals.add(Series::new("ccxray.requests_total", attributes), 1);
    if let Some(kind) = canonical::error_type(facts) {
        totals.add(Series::new("ccxray.errors_total", [provider(facts), ("type", kind)]), 1);
    }
    for tool in &facts.tools {
        totals
            .add(Series::new("ccxray.tool.invocations_total", [provider(facts), ("tool", tool.as_str())]), 1);
    }
}

/// What the answer's calls mean, and what the request reports of earlier ones.
fn calls(facts: &Facts, totals: &mut Totals) {
    let mut add = |metric: &str, attributes: &[(&str, &str)]| {
        totals.add(Series::new(metric, attributes.iter().copied()), 1);
    };
    for (server, tool) in &facts.mcp {
        add("ccxray.mcp.invocations_total", &[("server", server), ("tool", tool)]);
    }
    for skill in &facts.skills {
        add("ccxray.skill.activations_total", &[("skill", skill), provider(facts)]);
    }
    for danger in &facts.dangers {
        add("ccxray.dangerous_tool.invocations_total", &[("pattern", danger)]);
    }
    for FailedTool { tool, server } in &facts.failed {
        add("ccxray.tool.failures_total", &[("tool", tool), provider(facts)]);
        if let Some(server) = server {
            add("ccxray.mcp.errors_total", &[("server", server)]);
        }
    }
    for _ in 0..facts.starts {
        add("ccxray.subagent.invocations_total", &[provider(facts)]);
    }
    for _ in 0..facts.writes {
        add("ccxray.file_writes_total", &[provider(facts)]);
    }
}

/// Of answered billed requests.
fn usage(facts: &Facts, totals: &mut Totals) {
    totals.add(Series::new("ccxray.provider.distribution_total", [provider(facts)]), 1);
    totals.add(Series::new("ccxray.agent_type.invocations_total", [("type", facts.agent.as_str())]), 1);
    if facts.class == "turn" {
        totals.add(Series::new("ccxray.permission_mode.usage_total", [("mode", facts.mode.as_str())]), 1);
    }
}

fn patterns(facts: &Facts, totals: &mut Totals) {
    let mut add = |metric: &str, attributes: &[(&str, &str)], value: i128| {
        totals.add(Series::new(metric, attributes.iter().copied()), value);
    };
    match facts.end {
        End::ClientLeft => add("ccxray.aborted_total", &[provider(facts), ("by", "client")], 1),
        End::UpstreamBroke => add("ccxray.aborted_total", &[provider(facts), ("by", "upstream")], 1),
        End::Complete | End::NoAnswer => {}
    }
    if facts.retry {
        add("ccxray.retries_total", &[provider(facts)], 1);
    }
    if facts.automatic && facts.finished() {
        add("ccxray.auto_compact.triggered_total", &[provider(facts)], 1);
    }
    if let (true, Some(used)) = (facts.class == "turn" && facts.answered(), facts.used()) {
        // Whole percents, a part of one counts as one.
        let percent = (used * 100).div_ceil(facts.window);
        add("ccxray.context.utilization_pct", &[provider(facts)], 1);
        add("ccxray.context.utilization_pct.sum", &[provider(facts)], i128::from(percent));
    }
    if facts.class == "turn" && facts.finished() {
        add("ccxray.tools_per_turn", &[provider(facts)], 1);
        add("ccxray.tools_per_turn.sum", &[provider(facts)], facts.tools.len() as i128);
    }
}

/// What was said last of each limit.
fn limits(exchanges: &[Facts]) -> BTreeMap<Series, i128> {
    let each = exchanges.iter().flat_map(|facts| {
        facts.limits.iter().map(move |(limit, left)| {
            let series = Series::new("ccxray.ratelimit.remaining", [provider(facts), ("limit", limit)]);
            (series, i128::from(*left))
        })
    });
    each.collect()
}

fn cost(facts: &Facts, totals: &mut Totals) {
    let Some(stated) = facts.usage else { return };
    let usage = stated.usage;
    let tokens = [
        ("ccxray.tokens.input_total", usage.input),
        ("ccxray.tokens.output_total", usage.output),
        ("ccxray.tokens.cache_read_total", usage.cache_read),
        ("ccxray.tokens.cache_creation_total", usage.write_5m + usage.write_1h),
        ("ccxray.tokens.reasoning_total", usage.reasoning),
    ];
    for (metric, count) in tokens {
        totals.add(by_model(metric, facts), i128::from(count));
    }
    match price_of(model(facts)) {
        Some(price) => totals.add(by_model("ccxray.cost.usd_total", facts), price.of(&usage)),
        None => totals.add(by_model("ccxray.cost.unpriced_total", facts), 1),
    }
}

fn quality(facts: &Facts, totals: &mut Totals) {
    let reason = canonical::stop_reason(facts);
    if reason == "max_tokens" {
        totals.add(Series::new("ccxray.max_tokens_hit_total", [("model", model(facts))]), 1);
    }
    totals.add(Series::new("ccxray.stop_reason_total", [("reason", reason)]), 1);
    if facts.end == End::Complete {
        totals.add(by_model("ccxray.latency_ms", facts), 1);
    }
    if facts.streamed && facts.content {
        totals.add(by_model("ccxray.first_token_latency_ms", facts), 1);
    }
    if !facts.usage.is_some_and(|stated| stated.output) {
        totals.add(Series::new("ccxray.usage.missing_total", [provider(facts)]), 1);
    }
    if facts.streamed && !facts.terminal && facts.error.is_none() && facts.end != End::ClientLeft {
        totals.add(Series::new("ccxray.invariants.sse_truncated_total", [provider(facts)]), 1);
    }
}

fn provider(facts: &Facts) -> (&str, &str) {
    ("provider", &facts.provider)
}

fn by_model(metric: &str, facts: &Facts) -> Series {
    Series::new(metric, [provider(facts), ("model", model(facts))])
}

/// A model counts under its name only if a successful answer stands behind it.
fn model(facts: &Facts) -> &str {
    facts.model.as_deref().filter(|_| facts.answered()).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{truth::facts::Stated, upstream::Usage};

    #[test]
    fn a_turn_counts_once_in_each_family() {
        let usage = Usage {
            input: 10,
            output: 20,
            cache_read: 30,
            write_5m: 40,
            write_1h: 50,
            reasoning: 0,
            searches: 0,
        };
        let turn = Facts {
            provider: "anthropic".into(),
            route: "messages".into(),
            class: "turn".into(),
            status: Some(200),
            model: Some("claude-opus-4-8".into()),
            usage: Some(Stated { usage, output: true }),
            stop_reason: Some("tool_use".into()),
            tools: vec!["Bash".into(), "Bash".into()],
            session: Some("s".into()),
            streamed: true,
            content: true,
            terminal: true,
            agent: "main".into(),
            mode: "unknown".into(),
            window: 200_000,
            ..Facts::default()
        };
        let totals = expected(&[turn.clone(), turn]);
        let of = |series: &str| totals.get(series);
        assert_eq!(of("ccxray.tokens.cache_creation_total{model=claude-opus-4-8,provider=anthropic}"), 180);
        // 2 × (10 × 5 + 20 × 25 + 30 × 0.5 + 40 × 6.25 + 50 × 10) = 2 × 1315 millionths of a dollar.
        assert_eq!(of("ccxray.cost.usd_total{model=claude-opus-4-8,provider=anthropic}"), 2_630_000_000);
        assert_eq!(of("ccxray.requests_total{class=turn,provider=anthropic,route=messages,status=2xx}"), 2);
        assert_eq!(of("ccxray.tool.invocations_total{provider=anthropic,tool=Bash}"), 4);
        assert_eq!(of("ccxray.sessions_total{provider=anthropic}"), 1);
        assert_eq!(of("ccxray.stop_reason_total{reason=tool_use}"), 2);
        assert_eq!(of("ccxray.agent_type.invocations_total{type=main}"), 2);
        assert_eq!(of("ccxray.tools_per_turn.sum{provider=anthropic}"), 4);
        // 130 of 200 000 tokens are a part of the first percent.
        assert_eq!(of("ccxray.context.utilization_pct.sum{provider=anthropic}"), 2);
        assert_eq!(totals.sum("ccxray.errors_total"), 0);
    }
}
