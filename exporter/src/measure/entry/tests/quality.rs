use ccxray_shared::entry::{ErrorFacts, Outcome, RateLimit};

use super::*;

#[test]
fn only_an_answer_that_reached_its_limit_hits_max_tokens() {
    for (reason, expected) in
        [("max_tokens", &[("max_tokens_hit_total{claude-opus-4-8}", 1)][..]), ("end_turn", &[])]
    {
        let entry = Entry {
            model_served: Some(name("claude-opus-4-8")),
            stop_reason: Some(name(reason)),
            ..turn(Provider::Anthropic)
        };
        expect(&entry, &["max_tokens"], expected);
    }
    let gemini = Entry { stop_reason: Some(name("MAX_TOKENS")), ..turn(Provider::Gemini) };
    expect(&gemini, &["max_tokens"], &[("max_tokens_hit_total{unknown}", 1)]);
}

#[test]
fn who_broke_off_is_told_apart() {
    let streamed = |outcome, terminal| Entry { outcome, streamed: true, terminal, ..turn(Provider::OpenAi) };
    for (entry, expected) in [
        (streamed(Outcome::ClientAbort, Some(false)), Some("aborted_total{openai,client}")),
        (streamed(Outcome::ClientAbort, None), Some("aborted_total{openai,client}")),
        (streamed(Outcome::ClientAbort, Some(true)), None),
        (streamed(Outcome::UpstreamAbort, Some(false)), Some("aborted_total{openai,upstream}")),
        (streamed(Outcome::Complete, Some(false)), None),
        (streamed(Outcome::UpstreamUnreachable, None), None),
    ] {
        let expected: Vec<(&str, u64)> = expected.map(|series| (series, 1)).into_iter().collect();
        expect(&entry, &["aborted"], &expected);
    }
}

#[test]
fn another_attempt_is_a_retry_whatever_comes_of_it() {
    for status in [200, 529] {
        expect(&Entry { retry: true, ..refused(status) }, &["retries"], &[("retries_total{anthropic}", 1)]);
    }
    expect(&Entry { repeats: 3, ..refused(200) }, &["retries"], &[]);
}

#[test]
fn rate_limits_of_the_list_are_gauges_without_flags() {
    let limit = |limit, remaining| RateLimit { limit: name(limit), remaining };
    let entry = Entry {
        rate_limits: vec![limit("requests", 49), limit("input-tokens", 0), limit("made-up", 7)],
        agent_otel: true,
        ..refused(429)
    };
    expect(
        &entry,
        &["ratelimit"],
        &[
            ("ratelimit.remaining{anthropic,input-tokens}", 0),
            ("ratelimit.remaining{anthropic,requests}", 49),
        ],
    );
}

#[test]
fn latency_is_that_of_whole_answers() {
    let entry = Entry { latency_ms: 900, first_content_ms: Some(120), ..turn(Provider::Anthropic) };
    let both = [("first_token_latency_ms{unknown,anthropic}", 120), ("latency_ms{unknown,anthropic}", 900)];
    let groups = ["latency", "first_token"];
    expect(&entry, &groups, &both);
    expect(&Entry { outcome: Outcome::UpstreamAbort, ..entry.clone() }, &groups, &both[..1]);
    expect(&Entry { status: Some(500), ..entry.clone() }, &groups, &[]);
    expect(&Entry { class: Class::Probe, ..entry }, &groups, &[]);
}

#[test]
fn errors_count_by_their_kind() {
    let error = ErrorFacts {
        kind: Some(name("overloaded_error")),
        code: None,
        in_stream: true,
        context_length: false,
    };
    let entry = Entry { error: Some(error), ..turn(Provider::Anthropic) };
    expect(
        &entry,
        &["errors", "stop"],
        &[("errors_total{overloaded,anthropic}", 1), ("stop_reason_total{error}", 1)],
    );
}

#[test]
fn what_breaks_off_with_a_websocket_is_counted_as_its_turns_only() {
    let connection = |status, outcome| Entry {
        class: Class::Connection,
        status,
        outcome,
        latency_ms: 900,
        ..turn(Provider::OpenAi)
    };
    let groups = ["aborted", "errors", "latency", "requests", "stop", "tools_per_turn"];
    for outcome in [Outcome::Complete, Outcome::ClientAbort, Outcome::UpstreamAbort] {
        let series = "requests_total{openai,messages,1xx,connection}";
        expect(&connection(Some(101), outcome), &groups, &[(series, 1)]);
    }
    // One that never came about has no turns.
    expect(
        &connection(None, Outcome::UpstreamUnreachable),
        &groups,
        &[
            ("errors_total{connection,openai}", 1),
            ("requests_total{openai,messages,unreachable,connection}", 1),
        ],
    );
    expect(
        &connection(Some(503), Outcome::ClientAbort),
        &groups,
        &[
            ("aborted_total{openai,client}", 1),
            ("errors_total{server,openai}", 1),
            ("requests_total{openai,messages,aborted,connection}", 1),
        ],
    );
}
