//! Entries, and by hand what is to be recorded of them.

mod governance;
mod made_up;
mod patterns;
mod quality;
mod sentinels;
mod tools;
mod usage;

use std::collections::BTreeMap;

use ccxray_shared::{
    Entry, Name,
    entry::{Class, Provider, ToolCall, ToolCalls},
    usage::{Counts, Usage},
};

use super::*;
use crate::{
    classify::{drift, price_table::PriceTable},
    measure::Catalogue,
    source::tests::entry,
};

/// Everything that was recorded, by metric and values; of a histogram and a gauge the sum of the values.
#[derive(Default)]
struct Recorded(BTreeMap<String, u64>);

impl Sink for Recorded {
    fn record(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        let def = Catalogue::embedded().get(metric);
        let (flags, keys): (Vec<Key>, Vec<Key>) =
            labels.pairs().iter().map(|(key, _)| *key).partition(|key| key.is_flag());
        assert_eq!(keys, def.attributes, "{metric:?} has the catalogue's attributes in their order");
        assert!(flags.is_sorted() && (flags.is_empty() || def.bears_flags), "{metric:?}: {flags:?}");
        for (key, text) in labels.pairs() {
            let listed = def.values.get(key).is_none_or(|values| values.iter().any(|(word, _)| word == text));
            assert!(listed || def.budgets.contains_key(key), "{metric:?}: {text} is not in the catalogue");
        }
        let values: Vec<&str> = labels.pairs().iter().map(|(_, value)| *value).collect();
        let series = format!("{}{{{}}}", metric.name().trim_start_matches("ccxray."), values.join(","));
        // Made-up entries state numbers of any size.
        let sum = self.0.entry(series).or_default();
        *sum = sum.saturating_add(value);
    }

    fn gauge(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        self.record(metric, labels, value);
    }

    fn session(&mut self, _: &str, labels: &Labels<'_>) {
        self.record(Metric::Sessions, labels, 1);
    }
}

fn recorded(entry: &Entry<'_>) -> BTreeMap<String, u64> {
    let mut recorded = Recorded::default();
    let prices = PriceTable::embedded();
    let classified = Classified::of(entry, &prices);
    measure(&classified, &drift::of(&classified), &mut recorded);
    recorded.0
}

/// What is recorded under the names that begin with one of `groups`.
fn of(entry: &Entry<'_>, groups: &[&str]) -> Vec<(String, u64)> {
    let of_groups = |(series, _): &(String, u64)| groups.iter().any(|group| series.starts_with(group));
    recorded(entry).into_iter().filter(of_groups).collect()
}

#[track_caller]
fn expect(entry: &Entry<'_>, groups: &[&str], expected: &[(&str, u64)]) {
    let expected: Vec<(String, u64)> =
        expected.iter().map(|(series, n)| ((*series).to_owned(), *n)).collect();
    assert_eq!(of(entry, groups), expected);
}

fn name(text: &'static str) -> Name<'static> {
    Name::from_wire(text)
}

fn names(texts: &[&'static str]) -> Vec<Name<'static>> {
    texts.iter().copied().map(Name::from_wire).collect()
}

fn turn(provider: Provider) -> Entry<'static> {
    Entry { provider, ..entry(70_000) }
}

fn call(tool: &'static str) -> ToolCall<'static> {
    ToolCall::named(name(tool))
}

fn calling(provider: Provider, calls: Vec<ToolCall<'static>>) -> Entry<'static> {
    let blocks = u32::try_from(calls.len()).unwrap();
    Entry { tools: Some(ToolCalls { blocks, calls, unreadable: 0 }), ..turn(provider) }
}

/// A turn that has read 30 000 tokens from the cache, written 9 000 and had 1 000 more.
fn with_context() -> Entry<'static> {
    let counts = Counts {
        input_tokens: Some(1_000),
        cache_read_input_tokens: Some(30_000),
        cache_creation_input_tokens: Some(9_000),
        output_tokens: Some(5),
        ..Counts::default()
    };
    Entry { usage: Some(Usage { counts, ..Usage::default() }), ..turn(Provider::Anthropic) }
}

/// Not billed, and no turn.
fn token_count() -> Entry<'static> {
    Entry { class: Class::TokenCount, ..turn(Provider::Anthropic) }
}

fn refused(status: u16) -> Entry<'static> {
    Entry { status: Some(status), ..turn(Provider::Anthropic) }
}
