use ccxray_shared::{
    Entry, Name,
    entry::{Agent, Outcome, Parse, Provider, ToolCall, ToolCalls},
};

use super::{
    identity::{InstanceId, PipelineKey},
    *,
};
use crate::{
    classify::price_table::PriceTable,
    measure::{entry::OVERFLOW, totals::Value},
    source::tests::entry,
};

const WINDOW: Window = Window { start: UnixMillis(60_000), length: Duration::from_mins(1) };

fn pipeline(tier: u8) -> Pipeline {
    let key = PipelineKey { tier, ..PipelineKey::local() };
    Pipeline::new(Identity { key, instance: InstanceId::from_bits(1) }, UnixMillis(0))
}

fn record(pipeline: &mut Pipeline, entry: &Entry<'_>) {
    pipeline.record(&Classified::of(entry, &PriceTable::embedded()), false);
}

fn with_tools(names: &[String]) -> Entry<'static> {
    let call = |name: &String| ToolCall::named(Name::from_string(name.clone()));
    let blocks = u32::try_from(names.len()).unwrap();
    Entry {
        tools: Some(ToolCalls { blocks, calls: names.iter().map(call).collect(), unreadable: 0 }),
        ..entry(70_000)
    }
}

/// The sums of `metric` by the value of its first attribute.
fn sums(pipeline: &mut Pipeline, metric: Metric) -> BTreeMap<String, u64> {
    pipeline.drain(WINDOW);
    let rows = pipeline.totals.iter().filter(|(series, _)| series.metric == metric);
    let sums = rows.map(|(series, row)| match row.value {
        Value::Sum(sum) => {
            (series.attributes.iter().map(|(_, v)| v.to_string()).collect::<Vec<_>>().join(","), sum)
        }
        Value::Histogram { .. } => panic!("{metric:?} is no sum"),
    });
    sums.collect()
}

#[test]
fn tools_over_the_budget_are_counted_together_and_the_known_ones_never_are() {
    let mut pipeline = pipeline(1);
    let made_up: Vec<String> = (0..60).map(|i| format!("mcp__server__tool{i:02}")).collect();
    record(&mut pipeline, &with_tools(&made_up));
    record(&mut pipeline, &with_tools(&["Bash".to_owned(), "mcp__server__tool59".to_owned()]));
    let invocations = sums(&mut pipeline, Metric::ToolInvocations);
    assert_eq!(invocations.len(), 50 + 2, "fifty admitted, one known, one for the rest");
    assert_eq!(invocations["Bash,anthropic"], 1);
    assert_eq!(invocations["mcp__server__tool49,anthropic"], 1);
    assert_eq!(invocations[&format!("{OVERFLOW},anthropic")], 11);
    let overflow = sums(&mut pipeline, Metric::Overflow);
    let both = ["ccxray.mcp.invocations_total,tool", "ccxray.tool.invocations_total,tool"];
    assert_eq!(overflow, both.map(|series| (series.to_owned(), 11)).into());
}

#[test]
fn a_budget_of_0_lets_only_what_is_known_through() {
    let mut pipeline = pipeline(1);
    let keys = [Key::Tool, Key::Type, Key::Model];
    let budgets = Metric::ALL.iter().flat_map(|&metric| keys.map(|key| ((metric, key), 0)));
    pipeline.set_budgets(budgets.collect());
    let mut entry = with_tools(&["Bash".to_owned(), "mcp__server__tool".to_owned()]);
    for kind in ["Explore", "my-own"] {
        entry.agent = Some(Agent { kind: Some(Name::from_wire(kind)), sub: true, id: None });
        record(&mut pipeline, &entry);
    }
    let tools = [("Bash,anthropic".to_owned(), 2), (format!("{OVERFLOW},anthropic"), 2)];
    assert_eq!(sums(&mut pipeline, Metric::ToolInvocations), tools.into());
    let types = [("explore".to_owned(), 1), (OVERFLOW.to_owned(), 1)];
    assert_eq!(sums(&mut pipeline, Metric::AgentTypeInvocations), types.into());
    let servers = [(format!("server,{OVERFLOW}"), 2)];
    assert_eq!(sums(&mut pipeline, Metric::McpInvocations), servers.into());
    assert_eq!(sums(&mut pipeline, Metric::Requests).len(), 1, "closed sets have no budget");
}

#[test]
fn made_up_agents_servers_and_skills_are_counted_together_beyond_their_budgets() {
    let mut pipeline = pipeline(1);
    for i in 0..40 {
        let mut entry = with_tools(&[format!("mcp__server{i}__tool")]);
        entry.agent = Some(Agent { kind: Some(Name::from_string(format!("agent{i}"))), sub: true, id: None });
        entry.skills = vec![Name::from_string(format!("skill{i}"))];
        record(&mut pipeline, &entry);
    }
    for (metric, series, over) in [
        (Metric::AgentTypeInvocations, 21, OVERFLOW.to_owned()),
        (Metric::McpInvocations, 31, format!("{OVERFLOW},tool")),
        (Metric::SkillActivations, 31, format!("{OVERFLOW},anthropic")),
    ] {
        let sums = sums(&mut pipeline, metric);
        assert_eq!((sums.len(), sums[&over]), (series, 41 - series as u64), "{metric:?}");
    }
}

#[test]
fn what_is_let_go_can_be_found_again_by_the_same_attributes() {
    let mut pipeline = pipeline(1);
    let mut entry = with_tools(&["Bash".to_owned(), "mcp__a__b".to_owned(), "made_up".to_owned()]);
    entry.agent_otel = true;
    entry.parse = Parse::Partial;
    entry.first_content_ms = Some(1);
    entry.outcome = Outcome::ClientAbort;
    entry.session = Some(Name::from_wire("00000000000000aa"));
    record(&mut pipeline, &entry);
    assert!(!pipeline.meter.is_empty());
    pipeline.roll(WINDOW);
    pipeline.roll(Window::around(WINDOW.end().after(admission::IDLE), WINDOW.length));
    assert!(pipeline.totals.is_empty() && pipeline.meter.is_empty(), "{:?}", pipeline.meter);
}

#[test]
fn an_entry_is_counted_in_the_pipelines_whose_own_it_is() {
    let (mut local, mut destination, mut named) = (pipeline(0), pipeline(1), pipeline(2));
    let stamped =
        Entry { tier_cap: Some(1), session: Some(Name::from_wire("00000000000000aa")), ..entry(70_000) };
    destination.sessions.is_new("00000000000000aa", UnixMillis(0));
    let prices = PriceTable::embedded();
    let classified = Classified::of(&stamped, &prices);
    let at = (UnixMillis(70_000), &[][..]);
    super::record((&mut local, true), Some((&mut destination, true)), &classified, at);
    super::record((&mut named, true), None, &classified, at);
    for (pipeline, expected) in
        [(&mut local, [1, 1, 1]), (&mut destination, [1, 0, 1]), (&mut named, [0, 0, 0])]
    {
        let total = |metric| sums(pipeline, metric).values().sum::<u64>();
        assert_eq!([Metric::Requests, Metric::Sessions, Metric::Late].map(total), expected);
    }
}

#[test]
fn calls_that_an_entry_no_longer_lists_are_counted_all_the_same() {
    let mut pipeline = pipeline(1);
    let mut entry = with_tools(&["Bash".to_owned()]);
    entry.tools.as_mut().unwrap().blocks = 200;
    record(&mut pipeline, &entry);
    let invocations = sums(&mut pipeline, Metric::ToolInvocations);
    assert_eq!(invocations[&format!("{OVERFLOW},anthropic")], 199);
}

#[test]
fn a_stamp_of_tier_0_keeps_an_exchange_out_of_every_destination_but_not_off_the_local_page() {
    let stamped = Entry { tier_cap: Some(0), ..entry(70_000) };
    let (mut destination, mut local) = (pipeline(1), pipeline(0));
    for pipeline in [&mut destination, &mut local] {
        record(pipeline, &stamped);
    }
    assert_eq!(sums(&mut destination, Metric::Requests).len(), 0);
    assert_eq!(sums(&mut local, Metric::Requests).values().sum::<u64>(), 1);
}

#[test]
fn an_entrys_flags_are_on_what_it_raises_and_nowhere_else() {
    let mut pipeline = pipeline(1);
    let mut entry = with_tools(&(0..60).map(|i| format!("t{i}")).collect::<Vec<_>>());
    entry.agent_otel = true;
    record(&mut pipeline, &entry);
    assert!(sums(&mut pipeline, Metric::Requests).contains_key("anthropic,messages,2xx,turn,true"));
    assert!(sums(&mut pipeline, Metric::Overflow).contains_key("ccxray.tool.invocations_total,tool"));
}

#[test]
fn made_up_models_cannot_make_more_series_than_the_budget() {
    let mut pipeline = pipeline(1);
    for i in 0..1000 {
        let mut entry = entry(70_000);
        entry.provider = Provider::Anthropic;
        entry.model_served = Some(Name::from_string(format!("model-{i}")));
        record(&mut pipeline, &entry);
    }
    pipeline.drain(WINDOW);
    let latency = pipeline.totals.iter().filter(|(series, _)| series.metric == Metric::LatencyMs);
    assert_eq!(latency.count(), 11);
}

#[test]
fn a_window_is_aligned_to_its_length_and_ends_where_the_next_begins() {
    let window = Window::around(UnixMillis(119_999), Duration::from_mins(1));
    assert_eq!(window, WINDOW);
    assert_eq!(Window::around(window.end(), window.length).start, UnixMillis(120_000));
}

#[test]
fn a_destinations_series_rests_a_day_and_the_local_pages_30() {
    for (destination, expected) in [(Some("http://127.0.0.1/".to_owned()), 0), (None, 1)] {
        let key = PipelineKey { destination, tier: 1, ..PipelineKey::local() };
        let identity = Identity { key, instance: InstanceId::from_bits(1) };
        let mut pipeline = Pipeline::new(identity, UnixMillis(0));
        record(&mut pipeline, &entry(70_000));
        pipeline.roll(WINDOW);
        pipeline.roll(Window::around(WINDOW.end().after(Duration::from_hours(24)), WINDOW.length));
        assert_eq!(sums(&mut pipeline, Metric::Requests).len(), expected);
        pipeline.roll(Window::around(WINDOW.end().after(admission::IDLE), WINDOW.length));
        assert_eq!(sums(&mut pipeline, Metric::Requests).len(), 0);
    }
}
