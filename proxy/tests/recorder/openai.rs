//! What the entries of Codex and of other clients of OpenAI say.

use std::io::Write;

use ccxray_shared::{
    Entry,
    entry::{Class, DirSource, Outcome, Parse, Provider, Route, Trigger},
    usage::{Counts, InputDetails, OutputDetails},
};

use crate::rig::{EVENTS, JSON, Script, fixture, headers, recorded};

/// A turn of Codex.
fn turn<'a>(
    id: u64,
    request: &'a [u8],
    content: (&'static str, &'static str),
    answer: &'a [u8],
) -> Script<'a> {
    let mut script =
        Script::turn(id, request, content, answer).in_language(Provider::OpenAi, Route::Responses);
    script.request_headers = headers(&[("session-id", "CANARY-session"), ("thread-id", "CANARY-session")]);
    script
}

fn chat<'a>(
    id: u64,
    request: &'a [u8],
    content: (&'static str, &'static str),
    answer: &'a [u8],
) -> Script<'a> {
    Script::turn(id, request, content, answer).in_language(Provider::OpenAi, Route::ChatCompletions)
}

/// The numbers that `response.answer.sse` states in its last event.
fn stated_counts() -> Counts {
    Counts {
        input_tokens: Some(4030),
        output_tokens: Some(238),
        total_tokens: Some(4268),
        input_tokens_details: Some(InputDetails { cached_tokens: Some(3017), cache_write_tokens: Some(500) }),
        output_tokens_details: Some(OutputDetails { reasoning_tokens: Some(31) }),
        ..Counts::default()
    }
}

fn check_streamed_turn(entry: &Entry<'_>) {
    assert_eq!((entry.class, entry.parse, entry.outcome), (Class::Turn, Parse::Ok, Outcome::Complete));
    assert_eq!((entry.streamed, entry.terminal), (true, Some(true)));
    assert_eq!(
        (entry.model.as_deref(), entry.model_served.as_deref()),
        (Some("gpt-5.6"), Some("gpt-5.6-2026-09-01"))
    );
    let usage = entry.usage.as_ref().unwrap();
    assert_eq!((usage.counts, usage.service_tier.as_deref()), (stated_counts(), Some("default")));
    assert_eq!((entry.stop_reason.as_deref(), &entry.error), (Some("completed"), &None));
    let tools = entry.tools.as_ref().unwrap();
    assert_eq!(tools.blocks, 5);
    let calls = tools.calls.iter().map(|call| {
        (&*call.name, call.namespace.as_deref(), call.agent.as_deref(), call.writes_file, call.hosted)
    });
    let expected = [
        ("spawn_agent", Some("multi_agent_v1"), Some("worker"), false, false),
        ("apply_patch", None, None, true, false),
        ("exec", None, None, true, false),
        ("echo", Some("mcp__demo"), None, false, false),
        ("web_search_call", None, None, false, true),
    ];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
}

#[test]
fn a_streamed_turn_of_codex_is_told_whole() {
    let (request, answer) = (fixture("response.request.json"), fixture("response.answer.sse"));
    let mut script = turn(1, &request, EVENTS, &answer);
    let delta = answer.windows(12).position(|window| window == b"summary_text").unwrap();
    script.answer = vec![&answer[..delta], &answer[delta..]];
    script.answer_headers = headers(&[EVENTS, ("x-ratelimit-remaining-tokens", "199000")]);
    recorded(&[script], |entries| {
        let entry = &entries[0];
        check_streamed_turn(entry);
        assert_eq!(entry.first_content_ms, Some(20));
        let results = entry.results.as_ref().unwrap();
        assert_eq!((results.count, results.failed), (3, 1));
        assert_eq!(results.failed_tools.iter().map(|name| &**name).collect::<Vec<_>>(), ["exec_command"]);
        assert_eq!(entry.context.unwrap().messages, 14);
        assert_eq!(entry.permission_mode.as_deref(), Some("workspace-write"));
        assert_eq!(entry.agent.as_ref().unwrap().kind.as_deref(), Some("main"));
        assert_eq!(entry.dir.as_deref(), Some("/home/dev/shop"));
        assert_eq!(entry.dir_source, Some(DirSource::Stated));
        assert_eq!(entry.session.as_ref().unwrap().len(), 16);
        assert_eq!((&*entry.rate_limits[0].limit, entry.rate_limits[0].remaining), ("tokens", 199_000));
    });
}

#[test]
fn a_zstd_request_and_an_encoded_answer_tell_the_same_as_plain_ones() {
    let (request, answer) = (fixture("response.request.json"), fixture("response.answer.sse"));
    let zstd = zstd::stream::encode_all(&*request, 3).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&answer).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut script = turn(1, &zstd, EVENTS, &gzip);
    script.request_headers = headers(&[("session-id", "CANARY-session"), ("content-encoding", "zstd")]);
    script.answer = gzip.chunks(100).collect();
    script.answer_headers = headers(&[EVENTS, ("content-encoding", "gzip")]);
    recorded(&[script], |entries| {
        check_streamed_turn(&entries[0]);
        assert_eq!(entries[0].context.unwrap().messages, 14);
        assert_eq!(entries[0].results.as_ref().unwrap().count, 3);
    });
}

#[test]
fn codex_tries_again_with_another_account_of_the_sending() {
    let body = |text: &str, metadata: &str| {
        format!(
            r#"{{"model":"m","client_metadata":{metadata},"input":[{{"role":"user","content":"{text}"}}]}}"#
        )
    };
    let bodies = [
        body("CANARY-a", r#"{"turn_id":"1","session_id":"s"}"#),
        body("CANARY-a", r#"{"session_id":"s","turn_id":"1","more":[]}"#),
        body("CANARY-b", r#"{"session_id":"s","turn_id":"1"}"#),
    ];
    let mut scripts: Vec<_> =
        bodies.iter().zip(1..).map(|(body, id)| turn(id, body.as_bytes(), JSON, b"{}")).collect();
    for script in &mut scripts {
        script.status = 500;
    }
    recorded(&scripts, |entries| {
        assert_eq!(entries.iter().map(|entry| entry.retry).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(entries[0].request_digest, entries[1].request_digest);
        assert_ne!(entries[0].request_digest, entries[2].request_digest);
    });
}

#[test]
fn a_session_has_the_same_hash_from_the_header_and_from_the_body() {
    let (request, answer) = (fixture("response.request.json"), fixture("response.answer.json"));
    let mut by_body = turn(2, &request, JSON, &answer);
    by_body.request_headers = headers(&[]);
    recorded(&[turn(1, &request, JSON, &answer), by_body], |entries| {
        assert!(entries[0].session.is_some());
        assert_eq!(entries[0].session, entries[1].session);
        assert_eq!(entries[1].repeats, 1);
        assert_eq!(entries[1].results, None);
    });
}

#[test]
fn a_compaction_says_so() {
    let (request, answer) = (fixture("response_compaction.request.json"), fixture("response.answer.json"));
    let mut compact = turn(2, b"{\"model\":\"gpt-5.6\",\"input\":[]}", JSON, &answer);
    compact.route = Route::ResponsesCompact;
    recorded(&[turn(1, &request, JSON, &answer), compact], |entries| {
        assert!(entries.iter().all(|entry| entry.class == Class::Compaction));
        assert!(entries.iter().all(|entry| entry.usage.is_some() && entry.parse == Parse::Ok));
    });
}

#[test]
fn responses_that_are_no_streams_are_told() {
    let request = fixture("response.request.json");
    let (cut_off, refusal) = (fixture("response.answer.json"), fixture("response_refusal.answer.json"));
    recorded(&[turn(1, &request, JSON, &cut_off), turn(2, &request, JSON, &refusal)], |entries| {
        let stops: Vec<_> = entries.iter().map(|entry| entry.stop_reason.as_deref().unwrap()).collect();
        assert_eq!(stops, ["incomplete:max_output_tokens", "completed:refusal"]);
        let counts = entries[0].usage.as_ref().unwrap().counts;
        assert_eq!((counts.input_tokens, counts.output_tokens), (Some(20), Some(9)));
        assert_eq!(counts.input_tokens_details, None);
        assert_eq!((entries[0].streamed, entries[0].terminal), (false, None));
        assert_eq!(entries[0].tools.as_ref().unwrap().calls[0].agent.as_deref(), Some("worker"));
    });
}

#[test]
fn a_response_cut_short_has_its_calls_but_no_usage() {
    let (request, answer) = (fixture("response.request.json"), fixture("response.answer.sse"));
    let cut = answer.windows(25).position(|window| window == b"event: response.completed").unwrap();
    let mut script = turn(1, &request, EVENTS, &answer[..cut]);
    script.outcome = Outcome::UpstreamAbort;
    recorded(&[script], |entries| {
        let entry = &entries[0];
        assert_eq!((entry.terminal, entry.parse, &entry.usage), (Some(false), Parse::Ok, &None));
        assert_eq!((entry.stop_reason.as_deref(), entry.tools.as_ref().unwrap().blocks), (None, 5));
        assert_eq!(entry.model_served.as_deref(), Some("gpt-5.6-2026-09-01"));
    });
}

#[test]
fn a_response_that_failed_has_its_code() {
    let request = fixture("response.request.json");
    let (failed, limited) = (fixture("response_failed.answer.sse"), fixture("rate_limit.error.json"));
    let mut limited = turn(2, &request, JSON, &limited);
    limited.status = 429;
    recorded(&[turn(1, &request, EVENTS, &failed), limited], |entries| {
        let [inside, body] = [0, 1].map(|i| entries[i].error.as_ref().unwrap());
        assert_eq!((inside.code.as_deref(), inside.in_stream), (Some("server_is_overloaded"), true));
        assert_eq!((entries[0].terminal, entries[0].stop_reason.as_deref()), (Some(true), Some("failed")));
        assert_eq!(
            (body.kind.as_deref(), body.code.as_deref(), body.in_stream),
            (Some("tokens"), Some("rate_limit_exceeded"), false)
        );
        assert!(entries.iter().all(|entry| entry.usage.is_none() && entry.parse == Parse::Ok));
    });
}

#[test]
fn a_streamed_completion_is_told_whole() {
    let (request, answer) = (fixture("chat.request.json"), fixture("chat.answer.sse"));
    let scripts = [chat(1, &request, EVENTS, &answer), chat(2, &request, EVENTS, &answer)];
    recorded(&scripts, |entries| {
        let entry = &entries[0];
        assert_eq!((entry.class, entry.parse, entry.terminal), (Class::Turn, Parse::Ok, Some(true)));
        assert_eq!(
            (entry.model.as_deref(), entry.model_served.as_deref()),
            (Some("gpt-5.5-mini"), Some("gpt-5.5-mini-2026-01-01"))
        );
        let expected = Counts {
            prompt_tokens: Some(900),
            completion_tokens: Some(80),
            total_tokens: Some(980),
            prompt_tokens_details: Some(InputDetails { cached_tokens: Some(640), cache_write_tokens: None }),
            completion_tokens_details: Some(OutputDetails { reasoning_tokens: Some(24) }),
            ..Counts::default()
        };
        assert_eq!(entry.usage.as_ref().unwrap().counts, expected);
        assert_eq!(entry.stop_reason.as_deref(), Some("tool_calls"));
        let tools = entry.tools.as_ref().unwrap();
        let calls: Vec<_> = tools.calls.iter().map(|call| (&*call.name, call.writes_file)).collect();
        assert_eq!((tools.blocks, &*calls), (2, &[("read", false), ("apply_patch", true)][..]));
        assert_eq!((entry.context.unwrap().messages, &entry.session), (7, &None));
        let results = entries.iter().map(|entry| entry.results.as_ref().map(|results| results.count));
        assert_eq!(results.collect::<Vec<_>>(), [Some(2), None]);
        assert_eq!(entries[1].repeats, 1);
    });
}

#[test]
fn a_completion_that_is_no_stream_is_told_and_one_without_its_end_is_not_whole() {
    let request = fixture("chat.request.json");
    let (whole, stream) = (fixture("chat.answer.json"), fixture("chat.answer.sse"));
    let undone = stream.strip_suffix(b"data: [DONE]\n\n").unwrap();
    recorded(&[chat(1, &request, JSON, &whole), chat(2, &request, EVENTS, undone)], |entries| {
        assert_eq!((entries[0].stop_reason.as_deref(), entries[0].terminal), (Some("length"), None));
        let tools = entries[0].tools.as_ref().unwrap();
        assert_eq!(tools.calls.iter().map(|call| &*call.name).collect::<Vec<_>>(), ["read", "grep"]);
        assert_eq!(entries[0].usage.as_ref().unwrap().counts.prompt_tokens, Some(11));
        assert_eq!((entries[1].terminal, entries[1].usage.is_some()), (Some(false), true));
    });
}

#[test]
fn what_was_not_understood_is_noted_under_the_parsers_name() {
    let request = fixture("response.request.json");
    let html = ("content-type", "text/html");
    let scripts =
        [turn(1, b"CANARY", JSON, b"CANARY"), turn(2, &request, html, b"CANARY"), chat(3, b"[]", JSON, b"7")];
    recorded(&scripts, |entries| {
        let notes: Vec<Vec<_>> = entries
            .iter()
            .map(|entry| entry.notes.iter().map(|note| (&*note.parser, &*note.reason)).collect())
            .collect();
        assert_eq!(notes[0], [("openai", "bad_request_json"), ("openai", "bad_answer_json")]);
        assert_eq!(notes[1], [("openai", "unexpected_content_type")]);
        assert_eq!(notes[2], [("openai", "bad_request_json"), ("openai", "bad_answer_json")]);
    });
}

#[test]
fn another_attempt_at_a_compaction_does_not_say_again_what_set_it_off() {
    let request = fixture("openai/compaction.04.request.json");
    let (answer, error) = (fixture("openai/compaction.04.answer.sse"), fixture("rate_limit.error.json"));
    let mut failed = turn(1, &request, JSON, &error);
    failed.status = 429;
    let (again, another) = (turn(2, &request, EVENTS, &answer), turn(3, &request, EVENTS, &answer));
    recorded(&[failed, again, another], |entries| {
        assert!(entries.iter().all(|entry| entry.class == Class::Compaction));
        let told = entries.iter().map(|entry| (entry.retry, entry.compaction));
        let said = Some(Trigger::Unknown);
        assert_eq!(told.collect::<Vec<_>>(), [(false, said), (true, None), (false, said)]);
    });
}
