//! The few figures at the top.

use std::fmt::{self, Write};

use super::format::{About, Count, Dollars, Share, Short};
use crate::local::summary::{Latency, Summary, Tokens, total};

pub(super) fn render(summary: &Summary) -> String {
    let mut out = String::from("<dl class=\"figures\">\n");
    write_all(&mut out, summary).unwrap_or_default();
    out.push_str("</dl>\n");
    out
}

fn write_all(out: &mut String, summary: &Summary) -> fmt::Result {
    let requests = total(&summary.requests);
    let errors = total(&summary.errors);
    let all = summary.all_models();
    figure(out, "Cost, list price", &Dollars(summary.cost_usd), &cost_note(all.unpriced))?;
    tokens(out, all)?;
    figure(out, "Requests", &Count(requests), &under_way(summary.activity.under_way))?;
    let share = (requests > 0.0).then(|| errors / requests);
    figure(out, "Errors", &Count(errors), &format!("{} of requests", Share(share)))?;
    latency(out, &summary.all_latency())?;
    figure(out, "Sessions", &Count(summary.sessions), "")
}

fn cost_note(unpriced: f64) -> String {
    if unpriced > 0.0 {
        format!("without {} requests of no known price", Count(unpriced))
    } else {
        String::new()
    }
}

fn under_way(active: Option<f64>) -> String {
    active
        .filter(|active| *active > 0.0)
        .map_or_else(String::new, |active| format!("{} under way", Count(active)))
}

fn tokens(out: &mut String, all: Tokens) -> fmt::Result {
    figure(
        out,
        "Input from cache",
        &Share(all.cache_share()),
        &format!("of {} tokens", Short(all.all_input())),
    )?;
    figure(out, "Output tokens", &Short(all.output), "")
}

fn latency(out: &mut String, all: &Latency) -> fmt::Result {
    for (name, distribution) in
        [("First token, median", &all.first_token), ("Whole answer, median", &all.whole)]
    {
        let note = format!("95 %: {}", About(distribution.quantile(0.95)));
        figure(out, name, &About(distribution.quantile(0.5)), &note)?;
    }
    Ok(())
}

fn figure(out: &mut String, name: &str, value: &dyn fmt::Display, note: &str) -> fmt::Result {
    write!(out, "<div><dt>{name}</dt><dd>{value}</dd>")?;
    if !note.is_empty() {
        write!(out, "<dd class=\"note\">{note}</dd>")?;
    }
    writeln!(out, "</div>")
}
