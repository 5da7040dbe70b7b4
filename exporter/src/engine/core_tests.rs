#![expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "small whole numbers, and doubles that must be exact"
)]

use std::collections::BTreeMap;

use ccxray_shared::{
    Name,
    entry::{Outcome, RateLimit, ToolCall, ToolCalls},
    usage::{CacheCreation, Counts, Usage},
};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};

use super::*;
use crate::{
    consent::{
        Grant, Tier,
        consents::made_up::{consents, grant},
    },
    deliver::{health, tally},
    source::tests::entry,
};

#[path = "core_tests/many.rs"]
mod many;

const MINUTE: Duration = Duration::from_mins(1);
/// The start of a window.
const T0: UnixMillis = UnixMillis(1_800_000_000_000);

fn at(seconds: u64) -> UnixMillis {
    T0.after(Duration::from_secs(seconds))
}

fn server() -> Grant {
    grant("http://127.0.0.1/v1/metrics", Tier::Anonymous, "server")
}

fn options() -> CoreOptions {
    CoreOptions {
        interval: MINUTE,
        resume_grace: Duration::from_mins(5),
        consents: Arc::new(consents(Some(server()), vec![])),
        prices: PriceTable::embedded(),
    }
}

fn start(state: Option<State>, now: UnixMillis) -> Core {
    Core::start(options(), state, now, || 7)
}

/// Counts an entry where it belongs.
fn count(core: &mut Core, entry: &Entry<'_>) {
    let route = core.route(entry).unwrap();
    core.count(entry, entry.ended_at, route);
}

/// The snapshots that are ready, whosever they are.
fn sent(core: &mut Core) -> Vec<Snapshot> {
    core.take_ready().into_iter().map(|(_, snapshot)| snapshot).collect()
}

/// The number of the only pipeline.
fn only(core: &Core) -> PipelineId {
    core.exported()[0].id()
}

/// The documented example: 3117 in, 663 out, 9153 read, 1227 written for five minutes and 159 for an hour on
/// claude-opus-4-8 cost 0.04599525 USD.
fn priced(ended_at: UnixMillis) -> Entry<'static> {
    let mut entry = entry(ended_at.0);
    entry.model = Some(Name::from_wire("claude-opus-4-8"));
    entry.stop_reason = Some(Name::from_wire("tool_use"));
    entry.session = Some(Name::from_wire("00000000000000aa"));
    entry.usage = Some(Usage {
        counts: Counts {
            input_tokens: Some(3117),
            output_tokens: Some(663),
            cache_read_input_tokens: Some(9153),
            cache_creation_input_tokens: Some(1386),
            cache_creation: Some(CacheCreation {
                ephemeral_5m_input_tokens: Some(1227),
                ephemeral_1h_input_tokens: Some(159),
            }),
            ..Counts::default()
        },
        ..Usage::default()
    });
    let bash = ToolCall::named(Name::from_wire("Bash"));
    entry.tools = Some(ToolCalls { blocks: 1, calls: vec![bash], unreadable: 0 });
    entry
}

/// Every point of a snapshot as `name{values} time` → value; of a histogram the count.
fn points(snapshot: &Snapshot) -> BTreeMap<String, f64> {
    let mut points = BTreeMap::new();
    let scopes = &snapshot.request.resource_metrics[0].scope_metrics[0];
    for metric in &scopes.metrics {
        let name = |attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], time: u64| {
            let values: Vec<String> = attributes.iter().map(|a| text(a.value.as_ref().unwrap())).collect();
            let seconds = (time / 1_000_000 - T0.0) / 1000;
            format!("{}{{{}}} {seconds}", metric.name.trim_start_matches("ccxray."), values.join(","))
        };
        match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => {
                for p in &sum.data_points {
                    points.insert(name(&p.attributes, p.time_unix_nano), number(p.value.unwrap()));
                }
            }
            Data::Gauge(gauge) => {
                for p in &gauge.data_points {
                    points.insert(name(&p.attributes, p.time_unix_nano), number(p.value.unwrap()));
                }
            }
            Data::Histogram(histogram) => {
                for p in &histogram.data_points {
                    points.insert(name(&p.attributes, p.time_unix_nano), p.count as f64);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    points
}

fn text(value: &opentelemetry_proto::tonic::common::v1::AnyValue) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    match value.value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::BoolValue(flag) => flag.to_string(),
        other => panic!("{other:?}"),
    }
}

fn number(value: number_data_point::Value) -> f64 {
    match value {
        number_data_point::Value::AsInt(n) => n as f64,
        number_data_point::Value::AsDouble(n) => n,
    }
}

#[test]
fn one_entry_gives_these_numbers_and_a_zero_before_each() {
    let mut core = start(None, T0);
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    core.advance(at(60));
    let [snapshot] = &sent(&mut core)[..] else { panic!() };
    assert_eq!(snapshot.cut, CutId(at(60).0));
    let model = "anthropic,claude-opus-4-8";
    let expected = [
        (format!("tokens.input_total{{{model}}}"), 3117.0),
        (format!("tokens.output_total{{{model}}}"), 663.0),
        (format!("tokens.cache_read_total{{{model}}}"), 9153.0),
        (format!("tokens.cache_creation_total{{{model}}}"), 1386.0),
        (format!("cost.usd_total{{{model}}}"), 0.045_995_25),
        ("requests_total{anthropic,messages,2xx,turn}".into(), 1.0),
        ("tool.invocations_total{Bash,anthropic}".into(), 1.0),
        ("sessions_total{anthropic}".into(), 1.0),
        ("stop_reason_total{tool_use}".into(), 1.0),
        ("latency_ms{claude-opus-4-8,anthropic}".into(), 1.0),
        ("agent_type.invocations_total{main}".into(), 1.0),
        ("provider.distribution_total{anthropic}".into(), 1.0),
        ("context.utilization_pct{anthropic}".into(), 1.0),
        ("tools_per_turn{anthropic}".into(), 1.0),
        ("permission_mode.usage_total{unknown}".into(), 1.0),
    ];
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for (series, value) in expected {
        all.insert(format!("{series} 0"), 0.0);
        all.insert(format!("{series} 60"), value);
    }
    all.insert(format!("cache.hit_ratio{{{model}}} 60"), 9153.0 / 13656.0);
    assert_eq!(points(snapshot), all);
}

#[test]
fn a_live_window_without_entries_repeats_all_series_and_owes_no_zero_after_an_ack() {
    let mut core = start(None, T0);
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    core.advance(at(60));
    let (id, cut) = (only(&core), core.ready[0].1.cut);
    core.acked(id, cut);
    core.advance(at(120));
    let snapshots = sent(&mut core);
    let second = points(&snapshots[1]);
    assert_eq!(second["requests_total{anthropic,messages,2xx,turn} 120"], 1.0);
    assert!(second.keys().all(|key| key.ends_with(" 120")), "{second:?}");
    assert!(!second.keys().any(|key| key.starts_with("cache.hit_ratio")));
}

#[test]
fn windows_without_entries_are_skipped_in_a_catch_up() {
    let mut core = start(None, T0);
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    core.advance(at(3600));
    count(&mut core, &priced(at(3600)));
    core.advance(at(7200));
    core.advance(at(7260));
    let cuts: Vec<u64> = sent(&mut core).iter().map(|s| (s.cut.0 - T0.0) / 1000).collect();
    assert_eq!(cuts, [60, 3660, 7260]);
}

#[test]
fn a_late_entry_counts_in_the_open_window() {
    let mut core = start(None, T0);
    core.advance(at(70));
    count(&mut core, &priced(at(70)));
    count(&mut core, &priced(at(50)));
    core.advance(at(120));
    let points = points(&sent(&mut core)[0]);
    assert_eq!(points["requests_total{anthropic,messages,2xx,turn} 120"], 2.0);
    assert_eq!(points["exporter.late_total{} 120"], 1.0);
}

#[test]
fn what_ended_before_consent_is_not_exported_but_is_on_the_local_page() {
    let mut core = start(None, at(30));
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    count(&mut core, &priced(at(40)));
    core.advance(at(60));
    let exported = points(&sent(&mut core)[0]);
    assert_eq!(exported["requests_total{anthropic,messages,2xx,turn} 60"], 1.0);
    let local = Snapshot { cut: CutId(0), request: core.peek_local(at(61)) };
    assert_eq!(points(&local)["requests_total{anthropic,messages,2xx,turn} 61"], 2.0);
}

#[test]
fn a_restart_goes_on_from_the_same_totals_and_offers_uncertain_zeros_as_before() {
    let mut core = start(None, T0);
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    core.advance(at(60));
    sent(&mut core);
    count(&mut core, &priced(at(70)));
    let state = core.to_state(vec![], at(71));
    let saved = serde_json::to_vec(&state).unwrap();
    let mut core = start(Some(serde_json::from_slice(&saved).unwrap()), at(72));
    count(&mut core, &priced(at(80)));
    core.advance(at(120));
    let points = points(&sent(&mut core)[0]);
    assert_eq!(points["requests_total{anthropic,messages,2xx,turn} 120"], 3.0);
    assert_eq!(points["requests_total{anthropic,messages,2xx,turn} 0"], 0.0, "not at another time");
    assert_eq!(points["sessions_total{anthropic} 120"], 1.0, "the session is remembered");
    assert_eq!(points["cost.usd_total{anthropic,claude-opus-4-8} 120"], 0.137_985_75);
    // 2 of the 3 entries are of this window, all alike.
    assert_eq!(points["cache.hit_ratio{anthropic,claude-opus-4-8} 120"], 9153.0 / 13656.0);
}

#[test]
fn what_ended_during_a_long_absence_is_withheld_and_during_a_short_one_is_not() {
    for (back_after, expected) in [(300, Some(1.0)), (301, None)] {
        let mut core = start(None, T0);
        core.advance(at(1));
        let state = core.to_state(vec![], at(1));
        let mut core = start(Some(state), at(1 + back_after));
        core.advance(at(100));
        count(&mut core, &priced(at(100)));
        core.advance(at(400));
        let count = sent(&mut core)
            .first()
            .map(|snapshot| points(snapshot)["requests_total{anthropic,messages,2xx,turn} 120"]);
        assert_eq!(count, expected, "back after {back_after} s");
    }
}

#[test]
fn a_clock_that_falls_far_back_starts_the_series_anew_under_a_new_id() {
    let mut core = start(None, T0);
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    core.advance(at(600));
    let before = sent(&mut core)[0].request.resource_metrics[0].resource.clone();
    assert!(!core.renew_if_clock_fell_back(at(60).before(BEHIND), || 8));
    let long_ago = at(59).before(BEHIND);
    assert!(core.renew_if_clock_fell_back(long_ago, || 8));
    count(&mut core, &priced(long_ago));
    core.advance(long_ago.after(MINUTE));
    let snapshot = &sent(&mut core)[0];
    assert_ne!(snapshot.request.resource_metrics[0].resource, before);
    let requests = &snapshot.request.resource_metrics[0].scope_metrics[0].metrics;
    assert!(requests.iter().any(|metric| metric.name == "ccxray.requests_total"));
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_holds_nothing_up() {
    let ahead = at(7200);
    let mut core = start(None, ahead);
    core.advance(ahead);
    count(&mut core, &priced(ahead));
    core.to_state(vec![], ahead);
    assert!(!core.renew_if_clock_fell_back(at(10), || 8), "nothing was sent from there");
    count(&mut core, &priced(at(11)));
    core.advance(at(60));
    let snapshot = sent(&mut core).remove(0);
    assert_eq!(snapshot.cut, CutId(at(60).0));
    assert_eq!(points(&snapshot)["requests_total{anthropic,messages,2xx,turn} 60"], 2.0);
    for metric in &snapshot.request.resource_metrics[0].scope_metrics[0].metrics {
        let Some(Data::Sum(sum)) = &metric.data else { continue };
        assert!(sum.data_points.iter().all(|p| p.start_time_unix_nano <= p.time_unix_nano));
    }
}

#[test]
fn what_was_withheld_stays_so_when_the_series_start_anew() {
    let state = start(None, T0).to_state(vec![], T0);
    let mut core = start(Some(state), at(3600));
    core.advance(at(3600));
    count(&mut core, &priced(at(1800)));
    count(&mut core, &priced(at(3601)));
    core.advance(at(3660));
    assert!(core.renew_if_clock_fell_back(at(3000), || 8));
    count(&mut core, &priced(at(2900)));
    let withheld = core.to_state(vec![], at(3001)).pipelines.remove(1).state.withheld;
    assert_eq!(withheld.iter().map(|absence| (absence.from, absence.entries)).collect::<Vec<_>>(), [(T0, 1)]);
    count(&mut core, &priced(at(3002)));
    core.advance(at(3060));
    assert_eq!(points(&sent(&mut core)[0])["requests_total{anthropic,messages,2xx,turn} 3060"], 1.0);
}

#[test]
fn an_absence_that_ended_by_a_clock_ahead_ends_when_the_clock_is_right() {
    let state = start(None, T0).to_state(vec![], T0);
    let mut core = start(Some(state), at(7200));
    core.advance(at(7200));
    core.renew_if_clock_fell_back(at(400), || 8);
    count(&mut core, &priced(at(399)));
    count(&mut core, &priced(at(401)));
    core.advance(at(420));
    assert_eq!(points(&sent(&mut core)[0])["requests_total{anthropic,messages,2xx,turn} 420"], 1.0);
}

#[test]
fn an_entry_far_ahead_of_the_clock_counts_in_a_window_of_any_length() {
    let mut core = Core::start(CoreOptions { interval: Duration::from_secs(1), ..options() }, None, T0, || 7);
    core.advance(at(100).before(SETTLING));
    assert!(Core::event_time(at(5000), at(100)) < core.horizon());
    assert_eq!(Core::event_time(at(105), at(100)), at(105));
}

#[test]
fn what_an_entry_far_ahead_of_the_clock_says_holds_no_longer_than_what_others_say() {
    const DAY: u64 = 24 * 3600;
    let mut core = start(None, T0);
    core.advance(at(10));
    let ahead = priced(at(1000 * DAY));
    let route = core.route(&ahead).unwrap();
    core.count(&ahead, at(10), route);
    core.advance(at(60));
    assert_eq!(points(&sent(&mut core)[0])["sessions_total{anthropic} 60"], 1.0);
    core.advance(at(32 * DAY));
    count(&mut core, &priced(at(32 * DAY)));
    core.advance(at(32 * DAY + 60));
    let again = points(sent(&mut core).last().unwrap());
    assert_eq!(again[&format!("sessions_total{{anthropic}} {}", 32 * DAY + 60)], 2.0, "it was forgotten");
}

#[test]
fn absurd_counts_are_no_reason_to_panic() {
    let mut core = start(None, T0);
    core.advance(at(10));
    let mut absurd = priced(at(10));
    let counts = Counts {
        input_tokens: Some(u64::MAX),
        output_tokens: Some(u64::MAX),
        cache_read_input_tokens: Some(u64::MAX),
        cache_creation_input_tokens: Some(u64::MAX),
        ..Counts::default()
    };
    absurd.usage = Some(Usage { counts, ..Usage::default() });
    for _ in 0..3 {
        count(&mut core, &absurd);
    }
    core.advance(at(60));
    assert_eq!(points(&sent(&mut core)[0])["requests_total{anthropic,messages,2xx,turn} 60"], 3.0);
}

#[test]
fn a_client_that_leaves_after_the_terminal_event_has_had_the_whole_answer() {
    let mut core = start(None, T0);
    core.advance(at(10));
    for terminal in [true, false] {
        let mut left = priced(at(10));
        left.outcome = Outcome::ClientAbort;
        left.streamed = true;
        left.terminal = Some(terminal);
        count(&mut core, &left);
    }
    core.advance(at(60));
    let points = points(&sent(&mut core)[0]);
    for status in ["2xx", "aborted"] {
        assert_eq!(points[&format!("requests_total{{anthropic,messages,{status},turn}} 60")], 1.0);
    }
    assert_eq!(points["latency_ms{claude-opus-4-8,anthropic} 60"], 1.0);
}

#[test]
fn a_client_that_leaves_is_no_error_and_an_unknown_model_is_no_series() {
    let mut core = start(None, T0);
    core.advance(at(10));
    let mut aborted = priced(at(10));
    aborted.outcome = Outcome::ClientAbort;
    aborted.streamed = true;
    aborted.terminal = Some(false);
    count(&mut core, &aborted);
    let mut refused = entry(at(11).0);
    refused.status = Some(404);
    refused.model = Some(Name::from_wire("made-up-by-the-client"));
    count(&mut core, &refused);
    core.advance(at(60));
    let points = points(&sent(&mut core)[0]);
    assert_eq!(points["requests_total{anthropic,messages,aborted,turn} 60"], 1.0);
    assert_eq!(points["stop_reason_total{incomplete} 60"], 1.0);
    assert_eq!(points["errors_total{not_found,anthropic} 60"], 1.0);
    assert_eq!(points.keys().filter(|key| key.starts_with("errors_total")).count(), 2);
    assert!(!points.keys().any(|key| key.contains("made-up") || key.starts_with("invariants.sse_truncated")));
}

#[test]
fn gauges_are_sent_for_windows_that_have_them_and_survive_the_checkpoint() {
    let mut core = start(None, T0);
    core.advance(at(10));
    let limit = |ended_at, remaining| {
        let limit = RateLimit { limit: Name::from_wire("tokens"), remaining };
        Entry { rate_limits: vec![limit], ..entry(ended_at) }
    };
    count(&mut core, &limit(at(20).0, 700));
    count(&mut core, &limit(at(15).0, 900));
    core.set_active_requests(Some(2));
    let state = core.to_state(vec![], at(30));
    let mut core = start(Some(serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap()), at(31));
    core.advance(at(60));
    core.set_active_requests(Some(3));
    core.advance(at(120));
    let [first, second] = &sent(&mut core)[..] else { panic!() };
    assert_eq!(points(first)["ratelimit.remaining{anthropic,tokens} 60"], 700.0);
    assert!(
        !points(first).contains_key("proxy.active_requests{} 60"),
        "what is under way now nobody has said yet"
    );
    assert!(!points(second).keys().any(|key| key.starts_with("ratelimit")));
    assert_eq!(points(second)["proxy.active_requests{} 120"], 3.0);
}

#[test]
fn who_looks_on_sees_what_the_running_process_will_send_without_its_offers_made_again() {
    let mut core = start(None, T0);
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    core.advance(at(60));
    sent(&mut core);
    count(&mut core, &priced(at(70)));
    let state = core.to_state(vec![], at(71));
    let mut onlooker = Core::alongside(options(), Some(state), at(72), || 9);
    for core in [&mut core, &mut onlooker] {
        core.advance(at(120));
    }
    let (sent, seen) = (sent(&mut core).remove(0), sent(&mut onlooker).remove(0));
    assert_eq!((sent.cut, &sent.request), (seen.cut, &seen.request));
    assert!(!points(&seen).contains_key("requests_total{anthropic,messages,2xx,turn} 0"));
}

#[test]
fn what_a_destination_has_been_through_is_remembered() {
    let mut core = start(None, T0);
    core.note_delivery(only(&core), tally::Counts::SUCCEEDED, at(1));
    core.note_delivery(only(&core), tally::Counts::dropped(2), at(2));
    core.note_health(
        only(&core),
        HealthRecord { state: health::State::Degraded, since: at(3), ..HealthRecord::default() },
    );
    let state = core.to_state(vec![], at(4));
    let mut core = start(Some(serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap()), at(5));
    let history = core.to_state(vec![], at(6)).pipelines.remove(1).history;
    assert_eq!(history.transitions.len(), 1);
    assert_eq!((history.transitions[0].at, history.transitions[0].to), (at(3), health::State::Degraded));
    let expected = tally::Counts { succeeded: 1, failed: 0, dropped: 2 };
    assert_eq!(history.tally.over(Duration::from_hours(1), at(6)), expected);
}
