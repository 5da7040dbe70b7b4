//! What `parser report` says, as data: the form of `parser report --json`.
//!
//! Times are milliseconds since 1970 in UTC. Fields may be added; what is there keeps its meaning.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use ccxray_shared::{UnixMillis, entry::Provider};
use serde::Serialize;

use super::issue;
use crate::{classify::drift::Category, drift::Sample, status::rules::RulesFile};

/// The most samples of a category.
const SAMPLES: usize = 5;

/// Everything that `parser report` says.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of the program that says it.
    pub version: String,
    /// The beginning of the time that it covers.
    pub since: UnixMillis,
    /// Its end.
    pub until: UnixMillis,
    /// The categories in which anything was met, the most frequent first.
    pub categories: Vec<CategoryReport>,
    /// Lines of the log that could not be read.
    pub skipped_lines: u64,
    /// The rules in use.
    pub rules: Vec<RulesFile>,
    /// All this as the text of an issue, in Markdown; null if nothing was met.
    pub issue: Option<String>,
}

/// What was met in one category.
#[derive(Debug, Serialize)]
pub struct CategoryReport {
    /// Which.
    pub category: Category,
    /// How often.
    pub count: u64,
    /// The distinct things, the most frequent first.
    pub things: Vec<Thing>,
    /// The five of them that were met last, the latest first.
    pub latest: Vec<Latest>,
}

/// One thing that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thing {
    /// The name, or the parser and what happened there.
    pub about: String,
    /// With whom.
    pub provider: Provider,
    /// How often.
    pub count: u64,
}

/// The last that was met of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Latest {
    /// When.
    pub time: UnixMillis,
    /// With whom.
    pub provider: Provider,
    /// The name, or the parser and what happened there.
    pub about: String,
    /// The version of the proxy's text-dependent rules.
    pub rules_version: u32,
    /// The proxy's version, if it is known.
    pub proxy_version: Option<String>,
}

/// The things of one category: how often, and the last.
type Things = HashMap<(Provider, String), (u64, Latest)>;

impl Report {
    /// The report on the lines of `logs` from `since` to `until`. A line counts with its whole count when its last was
    /// met within that time.
    pub fn of(logs: &[Vec<u8>], since: UnixMillis, until: UnixMillis, rules: Vec<RulesFile>) -> Self {
        let mut skipped_lines = 0;
        let mut found: BTreeMap<Category, Things> = BTreeMap::new();
        for line in logs.iter().flat_map(|log| log.split(|&byte| byte == b'\n')) {
            match serde_json::from_slice::<Sample<'_>>(line) {
                Ok(sample) if sample.time >= since => add(found.entry(sample.category).or_default(), &sample),
                Ok(_) => {}
                Err(_) => skipped_lines += u64::from(!line.is_empty()),
            }
        }
        let mut categories: Vec<_> =
            found.into_iter().map(|(category, things)| CategoryReport::of(category, &things)).collect();
        categories.sort_by_key(|category| Reverse(category.count));
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut report = Self { version, since, until, categories, skipped_lines, rules, issue: None };
        report.issue = (!report.categories.is_empty()).then(|| issue::body(&report));
        report
    }
}

fn add(things: &mut Things, sample: &Sample<'_>) {
    let about = sample.about();
    let latest = Latest {
        time: sample.time,
        provider: sample.provider,
        about: about.clone(),
        rules_version: sample.rules_version,
        proxy_version: sample.proxy_version.as_deref().map(str::to_owned),
    };
    let (count, last) = things.entry((sample.provider, about)).or_insert_with(|| (0, latest.clone()));
    *count = count.saturating_add(sample.count);
    if latest.time >= last.time {
        *last = latest;
    }
}

impl CategoryReport {
    fn of(category: Category, found: &Things) -> Self {
        let thing = |((provider, about), (count, _)): (&(Provider, String), &(u64, Latest))| Thing {
            about: about.clone(),
            provider: *provider,
            count: *count,
        };
        let mut things: Vec<_> = found.iter().map(thing).collect();
        things.sort_by(|a, b| (Reverse(a.count), &a.about).cmp(&(Reverse(b.count), &b.about)));
        let mut latest: Vec<_> = found.values().map(|(_, latest)| latest.clone()).collect();
        latest.sort_by(|a, b| (Reverse(a.time), &a.about).cmp(&(Reverse(b.time), &b.about)));
        latest.truncate(SAMPLES);
        let count = found.values().fold(0, |sum: u64, (count, _)| sum.saturating_add(*count));
        Self { category, count, things, latest }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// 2026-11-20T14:00:00Z, less so many minutes.
    pub(in crate::parser_report) fn ago(minutes: u64) -> UnixMillis {
        UnixMillis(1_795_183_200_000 - minutes * 60_000)
    }

    pub(in crate::parser_report) fn line(minutes: u64, category: &str, token: &str, count: u64) -> String {
        let time = ago(minutes).0;
        format!(
            r#"{{"time":{time},"category":"{category}","provider":"anthropic","token":"{token}","count":{count},"rules_version":3,"proxy_version":"0.1.0"}}"#
        )
    }

    /// On the last hour.
    pub(in crate::parser_report) fn report(logs: &[&[String]]) -> Report {
        let logs: Vec<_> = logs.iter().map(|lines| lines.join("\n").into_bytes()).collect();
        Report::of(&logs, ago(60), ago(0), vec![])
    }

    #[test]
    fn counts_add_up_over_lines_and_files_within_the_time_that_was_asked_for() {
        let old = [line(61, "unknown_tool", "Levitate", 100), line(60, "unknown_tool", "Levitate", 1)];
        let new = [
            line(30, "unknown_tool", "Levitate", 4),
            line(20, "unknown_error", "teapot_error", 9),
            line(10, "unknown_tool", "Teleport", 2),
        ];
        let report = report(&[&old, &new]);
        let counts: Vec<_> = report.categories.iter().map(|found| (found.category, found.count)).collect();
        assert_eq!(counts, [(Category::UnknownError, 9), (Category::UnknownTool, 7)]);
        let things: Vec<_> =
            report.categories[1].things.iter().map(|thing| (thing.about.as_str(), thing.count)).collect();
        assert_eq!(things, [("Levitate", 5), ("Teleport", 2)]);
    }

    #[test]
    fn the_five_latest_distinct_ones_are_the_samples() {
        let mut lines: Vec<_> =
            (1..=7).map(|minutes| line(minutes, "unknown_tool", &format!("tool-{minutes}"), 1)).collect();
        lines.push(line(0, "unknown_tool", "tool-7", 1));
        let latest: Vec<_> =
            report(&[&lines]).categories[0].latest.iter().map(|latest| latest.about.clone()).collect();
        assert_eq!(latest, ["tool-7", "tool-1", "tool-2", "tool-3", "tool-4"]);
    }

    #[test]
    fn what_is_no_line_is_passed_over_and_counted() {
        let torn = r#"{"time":1795183200000,"category":"unkn"#.to_owned();
        let newer = line(1, "unknown_color", "mauve", 1);
        let report = report(&[&[torn, newer, line(1, "unknown_tool", "Levitate", 1)]]);
        assert_eq!((report.skipped_lines, report.categories.len()), (2, 1));
    }

    #[test]
    fn a_name_that_somebody_wrote_into_the_log_by_hand_is_cleaned() {
        let report = report(&[&[line(1, "unknown_tool", "| rm -rf / |", 1)]]);
        assert_eq!(report.categories[0].things[0].about, "_malformed_");
    }
}
