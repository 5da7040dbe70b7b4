//! What the costs look like side by side.

use crate::{
    peer::Kind,
    statistics::median,
    work::{Cost, PACED},
};

/// Prints the head of a table with a column for each of these.
pub(crate) fn head(kinds: &[Kind]) {
    let names: Vec<&str> = columns(kinds).map(Kind::name).collect();
    let ratios: Vec<String> = names.iter().skip(1).map(|name| format!("{name} ÷ {}", names[0])).collect();
    println!("| work | {} |", [names.join(" | "), ratios.join(" | ")].join(" | ").trim_end_matches(" | "));
    println!("| --- |{}", " --- |".repeat(names.len() + ratios.len()));
}

/// Prints the lines of one kind of work.
pub(crate) fn lines(name: &str, letter: char, costs: &[Cost]) {
    let direct = costs.iter().find(|cost| cost.kind == Kind::Direct);
    let row =
        |what: &str, unit: &str, of: &dyn Fn(&Cost) -> f64| line(&format!("{name}: {what}"), unit, costs, of);
    match (letter, direct) {
        ('b', Some(direct)) => {
            row("added p50", "µs", &|cost| (median(&cost.latency) - median(&direct.latency)) / 1e3);
            row("added p99", "µs", &|cost| (median(&cost.late) - median(&direct.late)) / 1e3);
            row("CPU per request", "µs", &|cost| median(&cost.cpu) / 1e3);
        }
        ('e', Some(direct)) => {
            row("added per chunk p50", "µs", &|cost| {
                (median(&cost.transit) - median(&direct.transit)) / 1e3
            });
            row("added per chunk p99", "µs", &|cost| {
                (median(&cost.late_transit) - median(&direct.late_transit)) / 1e3
            });
            row("CPU per chunk", "µs", &|cost| median(&cost.cpu) / PACED as f64 / 1e3);
        }
        _ => {
            row("CPU per request", "µs", &|cost| median(&cost.cpu) / 1e3);
            row("peak memory", "MB", &|cost| cost.memory as f64 / 1e6);
        }
    }
}

fn columns(kinds: &[Kind]) -> impl Iterator<Item = &Kind> {
    kinds.iter().filter(|kind| **kind != Kind::Direct)
}

fn line(what: &str, unit: &str, costs: &[Cost], of: &dyn Fn(&Cost) -> f64) {
    let values: Vec<f64> = costs.iter().filter(|cost| cost.kind != Kind::Direct).map(of).collect();
    let shown = values.iter().map(|value| format!("{value:.1} {unit}"));
    let ratios = values.iter().skip(1).map(|value| format!("{:.2}", value / values[0]));
    println!("| {what} | {} |", shown.chain(ratios).collect::<Vec<_>>().join(" | "));
}
