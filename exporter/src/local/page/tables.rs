//! The tables: one row per model, tool, status and so on, the largest first.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use super::{
    activity,
    format::{About, Between, Count, Dollars, Escaped, Millis, Share},
};
use crate::local::{
    distribution::{Distribution, Estimate},
    summary::{Latency, Summary, Tokens},
};

/// Rows that a table shows at most.
const LONGEST: usize = 20;

pub(super) fn render(summary: &Summary) -> String {
    let mut out = String::new();
    write_all(&mut out, summary).unwrap_or_default();
    out
}

/// What could not be measured; nothing if there is nothing.
pub(super) fn gaps(summary: &Summary) -> String {
    let mut out = String::new();
    if !summary.gaps.is_empty() {
        counts(&mut out, "Not measured", "What", &summary.gaps).unwrap_or_default();
    }
    out
}

fn write_all(out: &mut String, summary: &Summary) -> fmt::Result {
    models(out, summary)?;
    latency(out, summary)?;
    out.push_str("<div class=\"tables\">\n");
    counts(out, "Tools", "Tool", &summary.tools)?;
    counts(out, "Requests", "Status", &summary.requests)?;
    counts(out, "Errors", "Type", &summary.errors)?;
    counts(out, "Stop reasons", "Reason", &summary.stop_reasons)?;
    activity::write(out, &summary.activity)?;
    out.push_str(&gaps(summary));
    writeln!(out, "</div>")
}

fn models(out: &mut String, summary: &Summary) -> fmt::Result {
    let columns = ["Cost", "Input", "Output", "Cache read", "Cache written", "From cache"];
    head(out, "Cost and tokens by model", "Model", &columns)?;
    let rows = largest(&summary.models, |tokens| tokens.cost_usd);
    let most = rows.first().map_or(0.0, |(_, tokens)| tokens.cost_usd);
    for (model, tokens) in &rows {
        name(out, model, tokens.cost_usd, most)?;
        model_cells(out, tokens)?;
    }
    if rows.len() > 1 {
        write!(out, "</tbody><tfoot><tr><th scope=\"row\">All models</th>")?;
        model_cells(out, &summary.all_models())?;
    }
    foot(out, rows.is_empty())
}

fn model_cells(out: &mut String, tokens: &Tokens) -> fmt::Result {
    cost(out, tokens)?;
    for count in [tokens.input, tokens.output, tokens.cache_read, tokens.cache_creation] {
        cell(out, &Count(count))?;
    }
    cell(out, &Share(tokens.cache_share()))?;
    writeln!(out, "</tr>")
}

/// No price is not a price of nothing.
fn cost(out: &mut String, tokens: &Tokens) -> fmt::Result {
    match (tokens.cost_usd > 0.0, tokens.unpriced > 0.0) {
        (_, false) => cell(out, &Dollars(tokens.cost_usd)),
        (false, true) => cell(out, &"no price"),
        (true, true) => {
            let (cost, unpriced) = (Dollars(tokens.cost_usd), Count(tokens.unpriced));
            write!(out, "<td class=\"n\">{cost}<small>without {unpriced} of no price</small></td>")
        }
    }
}

fn latency(out: &mut String, summary: &Summary) -> fmt::Result {
    let columns = ["Answers", "Mean", "Median", "95 %", "First token, median", "95 %"];
    head(out, "Time to answer by model", "Model", &columns)?;
    let rows = largest(&summary.latency, |latency| latency.whole.count());
    let most = rows.first().map_or(0.0, |(_, latency)| latency.whole.count());
    for (model, latency) in &rows {
        name(out, model, latency.whole.count(), most)?;
        latency_cells(out, latency)?;
    }
    if rows.len() > 1 {
        write!(out, "</tbody><tfoot><tr><th scope=\"row\">All models</th>")?;
        latency_cells(out, &summary.all_latency())?;
    }
    writeln!(out, "</tbody></table>")?;
    writeln!(
        out,
        "<p class=\"none\">≈ is estimated from a histogram: the true value lies somewhere between the bounds given. \
         Count and mean are exact.</p></section>"
    )
}

fn latency_cells(out: &mut String, latency: &Latency) -> fmt::Result {
    cell(out, &Count(latency.whole.count()))?;
    cell(out, &Millis(latency.whole.mean()))?;
    quantiles(out, &latency.whole)?;
    quantiles(out, &latency.first_token)?;
    writeln!(out, "</tr>")
}

fn quantiles(out: &mut String, distribution: &Distribution) -> fmt::Result {
    [0.5, 0.95].into_iter().try_for_each(|q| estimate(out, distribution.quantile(q)))
}

fn estimate(out: &mut String, estimate: Option<Estimate>) -> fmt::Result {
    write!(out, "<td class=\"n\">{}", About(estimate))?;
    if let Some(estimate) = estimate {
        write!(out, "<small>{}</small>", Between(estimate))?;
    }
    write!(out, "</td>")
}

pub(super) fn counts(
    out: &mut String,
    title: &str,
    column: &str,
    counts: &BTreeMap<String, f64>,
) -> fmt::Result {
    head(out, title, column, &["Count", "Share"])?;
    let all: f64 = counts.values().sum();
    let rows = largest(counts, |count| *count);
    let most = rows.first().map_or(0.0, |(_, count)| **count);
    for (row, count) in &rows {
        name(out, row, **count, most)?;
        cell(out, &Count(**count))?;
        cell(out, &Share((all > 0.0).then(|| **count / all)))?;
        writeln!(out, "</tr>")?;
    }
    foot(out, rows.is_empty())
}

pub(super) fn head(out: &mut String, title: &str, first: &str, columns: &[&str]) -> fmt::Result {
    write!(out, "<section><table><caption>{title}</caption><thead><tr><th scope=\"col\">{first}</th>")?;
    for column in columns {
        write!(out, "<th scope=\"col\" class=\"n\">{column}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")
}

pub(super) fn foot(out: &mut String, is_empty: bool) -> fmt::Result {
    let none = if is_empty { "<p class=\"none\">None yet.</p>" } else { "" };
    writeln!(out, "</tbody></table>{none}</section>")
}

/// A row's first cell: its name over a bar as long as `size` is beside the largest row's. A bar is drawn by attributes,
/// since the page allows no inline style.
pub(super) fn name(out: &mut String, name: &str, size: f64, most: f64) -> fmt::Result {
    let percent = if most > 0.0 { size / most * 100.0 } else { 0.0 };
    write!(out, "<tr><th scope=\"row\">{}", Escaped(name))?;
    write!(
        out,
        "<svg class=\"bar\" aria-hidden=\"true\"><rect width=\"{percent:.1}%\" height=\"100%\"/></svg></th>"
    )
}

pub(super) fn cell(out: &mut String, value: &dyn fmt::Display) -> fmt::Result {
    write!(out, "<td class=\"n\">{value}</td>")
}

pub(super) fn largest<V>(rows: &BTreeMap<String, V>, size: impl Fn(&V) -> f64) -> Vec<(&String, &V)> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|(_, a), (_, b)| size(b).total_cmp(&size(a)));
    rows.truncate(LONGEST);
    rows
}
