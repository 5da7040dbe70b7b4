//! The page `exporter/METRICS.md`.

use std::fmt::{self, Write as _};

use super::listed::{Attribute, Listed, SELF};
use crate::measure::Catalogue;

const HEAD: &str = "\
# Metrics

<!-- Made from exporter/data/catalogue.json and exporter/src/deliver/self_metrics.rs by
     cargo run -p ccxray-exporter -- metrics list --markdown > exporter/METRICS.md
     A test holds this page to them. -->

What `ccxray-exporter` measures: at `/metrics`, on the local page and, with consent, pushed. Names and meanings are kept; a metric is
renamed only after it was there under both names for a while.

*Billed* are the requests that the provider charges for: those of the classes turn, helper, title, web_search and compaction (see
`ccxray.requests_total`). A request that the client makes again is another request. What an answer does not state is unknown and not
counted; it is never taken for 0.

A gauge is sent only for windows that have a value for it. Counters are cumulative. A new series is sent at 0 first, one interval before its first count. A series without a count for 24 hours is
let go and starts anew when it comes back.
";

/// The page.
pub fn render(all: &[Listed]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    write_page(&mut out, all).unwrap_or_default();
    out
}

fn write_page(out: &mut String, all: &[Listed]) -> fmt::Result {
    out.push_str(HEAD);
    write_overview(out, all)?;
    write_attributes(out)?;
    let mut family = "";
    for metric in all {
        if metric.family != family {
            family = metric.family;
            writeln!(out, "\n## {}", title(family))?;
            if family == SELF {
                writeln!(out, "\nHow the exporter itself is doing, now and since it was started.")?;
            }
        }
        write_metric(out, metric)?;
    }
    Ok(())
}

fn write_overview(out: &mut String, all: &[Listed]) -> fmt::Result {
    writeln!(out, "\n| metric | kind, unit | attributes | in Prometheus |\n| --- | --- | --- | --- |")?;
    for metric in all {
        let attributes: Vec<String> = metric.attributes.iter().map(attribute).collect();
        let Listed { name, prometheus, .. } = metric;
        writeln!(out, "| `{name}` | {} | {} | `{prometheus}` |", kind(metric), attributes.join(", "))?;
    }
    writeln!(
        out,
        "\nA number after an attribute is its budget: how many values are told apart. Every further one is `_overflow_`."
    )
}

fn write_attributes(out: &mut String) -> fmt::Result {
    writeln!(out, "\n## Attributes\n\n| attribute | meaning |\n| --- | --- |")?;
    for (key, meaning) in Catalogue::embedded().attributes() {
        writeln!(out, "| `{}` | {meaning} |", key.as_str())?;
    }
    Ok(())
}

fn write_metric(out: &mut String, metric: &Listed) -> fmt::Result {
    writeln!(out, "\n### `{}`\n\n{}", metric.name, metric.description)?;
    if !metric.counts.is_empty() {
        writeln!(out, "\nCounts: {}", metric.counts)?;
    }
    if !metric.bounds.is_empty() {
        let bounds: Vec<String> = metric.bounds.iter().map(ToString::to_string).collect();
        writeln!(out, "\nBuckets up to {}, and above.", bounds.join(", "))?;
    }
    if !metric.limits.is_empty() {
        writeln!(out, "\nWhat the wire does not tell:\n")?;
        metric.limits.iter().try_for_each(|limit| writeln!(out, "* {limit}"))?;
    }
    for attribute in metric.attributes.iter().filter(|attribute| !attribute.values.is_empty()) {
        writeln!(out, "\n| `{}` | |\n| --- | --- |", attribute.key)?;
        for (value, meaning) in attribute.values {
            writeln!(out, "| `{value}` | {meaning} |")?;
        }
    }
    Ok(())
}

fn kind(metric: &Listed) -> String {
    match metric.unit {
        "" => metric.kind.to_owned(),
        unit => format!("{} `{unit}`", metric.kind),
    }
}

fn attribute(attribute: &Attribute) -> String {
    let Attribute { key, budget, .. } = attribute;
    budget.map_or_else(|| format!("`{key}`"), |budget| format!("`{key}` {budget}"))
}

fn title(family: &str) -> String {
    let mut letters = family.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_what_the_data_give() {
        let page = render(&Listed::all());
        let committed = include_str!("../../METRICS.md");
        assert!(
            page == committed,
            "exporter/METRICS.md is out of date; run: \
             cargo run -p ccxray-exporter -- metrics list --markdown > exporter/METRICS.md"
        );
    }
}
