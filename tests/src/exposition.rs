//! Reads Prometheus' text format, and the names that OTLP names get there.

use crate::truth::{COVERED, Series, Totals, pico};

/// What Prometheus adds to a name for the count of a histogram.
const COUNT: &str = "_count";

/// The attributes of the metrics.
const ATTRIBUTES: &[&str] = &[
    "attribute",
    "by",
    "ccxray_parser_degraded",
    "class",
    "error_type",
    "limit",
    "metric",
    "mode",
    "model",
    "parser",
    "pattern",
    "provider",
    "reason",
    "route",
    "server",
    "skill",
    "status",
    "tool",
    "type",
];

/// What a scrape says of the metrics that the truth covers.
pub fn totals(text: &str) -> Totals {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).filter_map(sample).collect()
}

fn sample(line: &str) -> Option<(Series, i128)> {
    let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}').expect("labels end in a brace");
    let labels = labels.split(',').filter_map(|label| label.split_once('='));
    let labels = labels.map(|(label, value)| (label, value.trim_matches('"')));
    covered(name, labels, value.parse().expect("a value is a number"))
}

/// The series and the value in its integer unit, if it is one of a covered metric.
pub fn covered<'a>(
    name: &str,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    value: f64,
) -> Option<(Series, i128)> {
    let metric = COVERED.iter().find(|metric| {
        let metric = metric.replace('.', "_");
        name == metric || name.strip_suffix(COUNT) == Some(&metric)
    })?;
    let attributes = labels.into_iter().filter(|(label, _)| is_attribute(label));
    Some((Series::new(metric, attributes), in_units(metric, value)))
}

/// Whether a label is the point's own, and neither its name nor the resource's.
fn is_attribute(label: &str) -> bool {
    ATTRIBUTES.contains(&label)
}

fn in_units(metric: &str, value: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "counts are whole and far below 2^53")]
    let whole = value as i128;
    if metric.contains("usd") { pico(value) } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_reads_as_totals() {
        let text = "# TYPE ccxray_errors_total counter\n\
            ccxray_errors_total{provider=\"anthropic\",type=\"rate_limit\"} 3\n\
            ccxray_latency_ms_bucket{le=\"50\"} 9\nccxray_latency_ms_count{model=\"m\"} 9\n\
            ccxray_cost_usd_total 0.5\n";
        let totals = totals(text);
        assert_eq!(totals.get("ccxray.errors_total{provider=anthropic,type=rate_limit}"), 3);
        assert_eq!(totals.get("ccxray.latency_ms{model=m}"), 9);
        assert_eq!(totals.get("ccxray.cost.usd_total{}"), 500_000_000_000);
        assert_eq!(totals.iter().count(), 3);
    }
}
