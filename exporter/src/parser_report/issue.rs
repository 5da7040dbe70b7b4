//! The report as the text of an issue, in Markdown.
//!
//! Names and numbers only: no path, no address, nothing of any exchange's text. A name has neither a bar nor a
//! backtick, so it cannot leave its cell.

use std::fmt::Write as _;

use ccxray_shared::UnixMillis;

use super::report::{Latest, Report};
use crate::classify::rules::FileFacts;

/// The most distinct things of a category that an issue lists.
const LISTED: usize = 20;

/// The text of an issue that has all that is needed to teach the rules what was met.
pub fn body(report: &Report) -> String {
    let mut out = String::new();
    let (version, since, until) = (&report.version, day(report.since), day(report.until));
    // Writing to a string cannot fail.
    let _ = writeln!(out, "## Parser drift\n\nccxray-exporter {version}, {since} to {until}\n");
    out.push_str("| category | provider | what | times |\n| --- | --- | --- | --- |\n");
    for category in &report.categories {
        for thing in category.things.iter().take(LISTED) {
            let (provider, about) = (thing.provider.as_str(), &thing.about);
            let _ = writeln!(
                out,
                "| {} | {provider} | `{about}` | {} |",
                category.category.as_str(),
                thing.count
            );
        }
    }
    out.push_str("\n### Latest\n\n");
    for category in &report.categories {
        for latest in &category.latest {
            let _ = writeln!(out, "- {}: {}", category.category.as_str(), sample(latest));
        }
    }
    out.push_str("\n### Rules\n\n| file | version | verified against |\n| --- | --- | --- |\n");
    for file in &report.rules {
        let _ = writeln!(out, "{}", rules(&file.facts));
    }
    out
}

fn day(time: UnixMillis) -> String {
    time.to_string().chars().take_while(|&c| c != 'T').collect()
}

fn sample(latest: &Latest) -> String {
    let Latest { time, provider, about, rules_version, proxy_version } = latest;
    let proxy = proxy_version.as_deref().unwrap_or("of unknown version");
    format!("{time}, {}, `{about}` (proxy {proxy}, its rules {rules_version})", provider.as_str())
}

fn rules(facts: &FileFacts) -> String {
    let clients =
        facts.verified.iter().map(|client| format!("{} {} on {}", client.client, client.version, client.on));
    let own = if facts.replaced { " (own)" } else { "" };
    format!("| {}{own} | {} | {} |", facts.name, facts.version, clients.collect::<Vec<_>>().join(", "))
}
