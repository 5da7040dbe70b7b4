//! What the entries of ordinary and of broken exchanges say.

use std::io::Write;

use ccxray_proxy::route::stamp::Attribution;
use ccxray_shared::{
    Entry,
    entry::{Class, DirSource, Outcome, Parse, Route},
    usage::{CacheCreation, Counts, ServerToolUse},
};
use serde_json::json;

use crate::rig::{EVENTS, JSON, SESSION, STARTED_AT, Script, fixture, headers, recorded};

/// The numbers that `tools.answer.sse` states: the start's input, the last delta's output.
fn tools_counts() -> Counts {
    Counts {
        input_tokens: Some(1000),
        output_tokens: Some(57),
        cache_creation_input_tokens: Some(300),
        cache_read_input_tokens: Some(5000),
        cache_creation: Some(CacheCreation {
            ephemeral_5m_input_tokens: Some(200),
            ephemeral_1h_input_tokens: Some(100),
        }),
        server_tool_use: Some(ServerToolUse { web_search_requests: Some(1), web_fetch_requests: None }),
        ..Counts::default()
    }
}

fn check_streamed_turn(entry: &Entry<'_>) {
    assert_eq!((entry.class, entry.parse, entry.outcome), (Class::Turn, Parse::Ok, Outcome::Complete));
    assert_eq!((entry.status, entry.streamed, entry.terminal), (Some(200), true, Some(true)));
    assert_eq!(entry.model.as_deref(), Some("claude-opus-4-8"));
    assert_eq!(entry.model_served.as_deref(), Some("claude-opus-4-8-20261001"));
    let usage = entry.usage.as_ref().unwrap();
    assert_eq!(usage.counts, tools_counts());
    assert_eq!(usage.service_tier.as_deref(), Some("standard"));
    assert_eq!(entry.stop_reason.as_deref(), Some("tool_use"));
    assert_eq!(entry.error, None);
    let tools = entry.tools.as_ref().unwrap();
    assert_eq!(tools.blocks, 4);
    let calls: Vec<_> = tools
        .calls
        .iter()
        .map(|call| (&*call.name, call.skill.as_deref(), call.agent.as_deref(), call.writes_file))
        .collect();
    let expected = [
        ("Skill", Some("pdf-forms"), None, false),
        ("Agent", None, Some("general-purpose"), false),
        ("Write", None, None, true),
        ("Bash", None, None, false),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn a_streamed_turn_is_told_whole() {
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    let mut script = Script::turn(0xabc, &request, EVENTS, &answer);
    let thought = answer.windows(8).position(|window| window == b"thinking").unwrap();
    script.answer = vec![&answer[..thought], &answer[thought..]];
    recorded(&[script], |entries| {
        let entry = &entries[0];
        check_streamed_turn(entry);
        assert_eq!(&*entry.id, "0000000000000abc");
        assert_eq!(
            (entry.started_at, entry.ended_at),
            (STARTED_AT, STARTED_AT.after(std::time::Duration::from_millis(30)))
        );
        assert_eq!((entry.latency_ms, entry.first_content_ms), (30, Some(20)));
        assert_eq!(entry.request_bytes, request.len() as u64);
        assert_eq!(entry.response_bytes, answer.len() as u64);
        let results = entry.results.as_ref().unwrap();
        assert_eq!((results.count, results.failed), (3, 1));
        assert_eq!(results.failed_tools.iter().map(|name| &**name).collect::<Vec<_>>(), ["mcp__demo__echo"]);
        assert_eq!(entry.context.unwrap().messages, 6);
        assert_eq!(entry.agent.as_ref().unwrap().kind.as_deref(), Some("main"));
        assert_eq!(entry.dir.as_deref(), Some("/home/dev/shop"));
        assert_eq!(entry.dir_source, Some(DirSource::Stated));
        assert_eq!(entry.session.as_ref().unwrap().len(), 16);
        assert_eq!(entry.request_digest.as_ref().unwrap().len(), 16);
        assert_eq!(entry.repeats, 0);
    });
}

#[test]
fn an_encoded_stream_tells_the_same_as_a_plain_one() {
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&answer).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::stream::encode_all(&*request, 3).unwrap();
    let mut script = Script::turn(1, &zstd, EVENTS, &gzip);
    script.answer = gzip.chunks(100).collect();
    script.request_headers = headers(&[SESSION, ("content-encoding", "zstd")]);
    script.answer_headers = headers(&[EVENTS, ("content-encoding", "gzip")]);
    recorded(&[script], |entries| {
        check_streamed_turn(&entries[0]);
        assert_eq!(entries[0].response_bytes, gzip.len() as u64);
    });
}

#[test]
fn an_encoded_stream_cut_short_tells_what_came_and_is_noted_only_if_it_claims_to_be_whole() {
    let answer = fixture("tools.answer.sse");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&answer[..1000]).unwrap();
    gzip.flush().unwrap();
    let cut = gzip.get_ref();
    let script = |id, outcome| {
        let mut script = Script::turn(id, br#"{"messages":[]}"#, EVENTS, cut);
        script.answer_headers = headers(&[EVENTS, ("content-encoding", "gzip")]);
        script.outcome = outcome;
        script
    };
    recorded(&[script(1, Outcome::Complete), script(2, Outcome::UpstreamAbort)], |entries| {
        assert!(entries.iter().all(|entry| entry.usage.as_ref().unwrap().counts.input_tokens == Some(1000)));
        assert_eq!((entries[0].parse, &*entries[0].notes[0].reason), (Parse::Partial, "truncated"));
        assert_eq!((entries[1].parse, entries[1].notes.len()), (Parse::Ok, 0));
    });
}

#[test]
fn a_message_that_is_no_stream_is_told() {
    let (request, answer) = (fixture("turn.request.json"), fixture("message.answer.json"));
    recorded(&[Script::turn(1, &request, JSON, &answer)], |entries| {
        let entry = &entries[0];
        assert_eq!((entry.parse, entry.streamed, entry.terminal), (Parse::Ok, false, None));
        let usage = entry.usage.as_ref().unwrap();
        assert_eq!((usage.counts.input_tokens, usage.counts.output_tokens), (Some(11), Some(7)));
        assert_eq!(
            (usage.counts.cache_read_input_tokens, usage.counts.cache_creation_input_tokens),
            (Some(0), None)
        );
        assert_eq!(
            (usage.iterations, usage.speed.as_deref(), usage.inference_geo.as_deref()),
            (2, Some("fast"), Some("us"))
        );
        assert_eq!(entry.stop_reason.as_deref(), Some("max_tokens"));
        let tools = entry.tools.as_ref().unwrap();
        assert_eq!((tools.blocks, tools.calls.len()), (2, 2));
        assert_eq!(tools.calls[0].agent.as_deref(), Some("Explore"));
        assert_eq!((&*tools.calls[1].name, tools.calls[1].hosted), ("web_search", true));
        assert!(!tools.calls[0].hosted);
    });
}

#[test]
fn a_stream_cut_before_its_delta_has_input_but_no_output() {
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    let cut = answer.windows(20).position(|window| window == b"event: message_delta").unwrap();
    for outcome in [Outcome::ClientAbort, Outcome::UpstreamAbort] {
        let mut script = Script::turn(1, &request, EVENTS, &answer[..cut]);
        script.outcome = outcome;
        recorded(&[script], |entries| {
            let entry = &entries[0];
            assert_eq!((entry.outcome, entry.terminal, entry.parse), (outcome, Some(false), Parse::Ok));
            let counts = entry.usage.as_ref().unwrap().counts;
            assert_eq!((counts.input_tokens, counts.output_tokens), (Some(1000), None));
            assert_eq!(entry.stop_reason, None);
        });
    }
}

#[test]
fn an_error_inside_a_stream_is_an_error() {
    let (request, answer) = (fixture("turn.request.json"), fixture("error_inside.answer.sse"));
    recorded(&[Script::turn(1, &request, EVENTS, &answer)], |entries| {
        let error = entries[0].error.as_ref().unwrap();
        assert_eq!((error.kind.as_deref(), error.in_stream), (Some("overloaded_error"), true));
        assert_eq!((entries[0].terminal, entries[0].status), (Some(false), Some(200)));
        let counts = entries[0].usage.as_ref().unwrap().counts;
        assert_eq!(
            (counts.input_tokens, counts.cache_read_input_tokens, counts.output_tokens),
            (Some(21), Some(4), None)
        );
    });
}

#[test]
fn errors_are_told_without_their_messages() {
    let request = fixture("turn.request.json");
    let (overloaded, too_long) = (fixture("overloaded.error.json"), fixture("too_long.error.json"));
    let html = b"<html>CANARY bad gateway</html>";
    let mut scripts = [
        Script::turn(4, &request, JSON, b""),
        Script::turn(1, &request, JSON, &overloaded),
        Script::turn(2, &request, JSON, &too_long),
        Script::turn(3, &request, ("content-type", "text/html"), html),
    ];
    for (script, status) in scripts.iter_mut().zip([500, 529, 400, 502]) {
        script.status = status;
    }
    recorded(&scripts, |entries| {
        let errors: Vec<_> = entries
            .iter()
            .map(|entry| {
                entry.error.as_ref().map(|error| (error.kind.as_deref().unwrap(), error.context_length))
            })
            .collect();
        assert_eq!(
            errors,
            [None, Some(("overloaded_error", false)), Some(("invalid_request_error", true)), None]
        );
        assert_eq!(
            entries.iter().map(|entry| entry.status.unwrap()).collect::<Vec<_>>(),
            [500, 529, 400, 502]
        );
        assert!(entries.iter().all(|entry| entry.parse == Parse::Ok && entry.usage.is_none()));
    });
}

#[test]
fn a_retry_is_seen_and_its_results_are_not_counted_again() {
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    let mut other = Script::turn(3, &request, EVENTS, &answer);
    other.request_headers = headers(&[("x-claude-code-session-id", "another")]);
    let scripts =
        [Script::turn(1, &request, EVENTS, &answer), Script::turn(2, &request, EVENTS, &answer), other];
    recorded(&scripts, |entries| {
        assert_eq!(entries.iter().map(|entry| entry.repeats).collect::<Vec<_>>(), [0, 1, 0]);
        let counted = entries.iter().map(|entry| entry.results.as_ref().map_or(0, |results| results.count));
        assert_eq!(counted.collect::<Vec<_>>(), [3, 0, 3]);
        assert_eq!(entries[0].request_digest, entries[1].request_digest);
        assert_eq!(entries[0].session, entries[1].session);
        assert_ne!(entries[0].session, entries[2].session);
    });
}

#[test]
fn a_repeated_body_is_a_retry_only_if_the_attempt_before_it_failed() {
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    let overloaded = fixture("overloaded.error.json");
    let mut scripts: Vec<_> = (0..7).map(|id| Script::turn(id, &request, EVENTS, &answer)).collect();
    scripts[0] = Script::turn(0, &request, JSON, &overloaded);
    scripts[0].status = 529;
    let cut = &answer[..answer.len() / 2];
    scripts[3].answer = vec![cut];
    (scripts[4].answer, scripts[4].outcome) = (vec![cut], Outcome::UpstreamAbort);
    (scripts[5].answer, scripts[5].outcome) = (vec![&*answer], Outcome::ClientAbort);
    recorded(&scripts, |entries| {
        assert_eq!(
            entries.iter().map(|entry| entry.retry).collect::<Vec<_>>(),
            [false, true, false, false, true, true, false]
        );
    });
}

#[test]
fn where_no_session_is_named_a_retry_is_told_by_how_the_conversation_begins() {
    let request = |text: &str| {
        json!({"messages": [{"role": "user", "content": text},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]}]})
        .to_string()
    };
    let (request, other) = (request("CANARY"), request("CANARY of another"));
    let (error, answer) = (fixture("overloaded.error.json"), fixture("message.answer.json"));
    let mut scripts = [
        Script::turn(1, request.as_bytes(), JSON, &error),
        Script::turn(2, request.as_bytes(), JSON, &answer),
        Script::turn(3, other.as_bytes(), JSON, &answer),
    ];
    for script in &mut scripts {
        script.request_headers = headers(&[]);
    }
    scripts[0].status = 529;
    recorded(&scripts, |entries| {
        let told = entries.iter().map(|entry| {
            let results = entry.results.as_ref().map_or(0, |results| results.count);
            (entry.session.is_some(), entry.repeats, entry.retry, results)
        });
        let expected = [(false, 0, false, 1), (false, 1, true, 0), (false, 0, false, 1)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn the_session_is_the_same_from_the_header_and_from_the_body() {
    let (request, answer) = (fixture("turn.request.json"), fixture("message.answer.json"));
    let mut by_header = Script::turn(1, &request, JSON, &answer);
    by_header.request_headers =
        headers(&[("x-claude-code-session-id", "3f1c2b7e-0000-4000-8000-00000000beef")]);
    let mut by_body = Script::turn(2, &request, JSON, &answer);
    by_body.request_headers = headers(&[]);
    recorded(&[by_header, by_body], |entries| {
        assert!(entries[0].session.is_some());
        assert_eq!(entries[0].session, entries[1].session);
    });
}

#[test]
fn a_sub_agent_and_a_long_window_show_in_the_headers() {
    let (request, answer) = (fixture("turn.request.json"), fixture("message.answer.json"));
    let mut script = Script::turn(1, &request, JSON, &answer);
    script.request_headers = headers(&[
        SESSION,
        ("x-claude-code-agent-id", "aCANARY"),
        ("anthropic-beta", "claude-code-20250219,context-1m-2025-08-07,effort-2025-11-24"),
        ("x-api-key", "CANARY-key"),
    ]);
    script.answer_headers = headers(&[JSON, ("anthropic-ratelimit-requests-remaining", "3998")]);
    recorded(&[script], |entries| {
        let agent = entries[0].agent.as_ref().unwrap();
        assert_eq!((agent.sub, agent.id.as_ref().unwrap().len(), &agent.kind), (true, 16, &None));
        assert_eq!(entries[0].context.unwrap().window, Some(1_000_000));
        let limits = &entries[0].rate_limits;
        assert_eq!((limits.len(), &*limits[0].limit, limits[0].remaining), (1, "requests", 3998));
    });
}

#[test]
fn a_stamp_wins_and_a_differing_statement_is_kept_beside_it() {
    let (request, answer) = (fixture("turn.request.json"), fixture("message.answer.json"));
    let stamped = |id, dir: &str| {
        let mut script = Script::turn(id, &request, JSON, &answer);
        script.attribution = Attribution { dir: Some(dir.to_owned()), tier_cap: Some(0), agent_otel: true };
        script
    };
    let long = format!("/{}", "x".repeat(4096));
    recorded(&[stamped(1, "/home/dev/other"), stamped(2, "/home/dev/shop"), stamped(3, &long)], |entries| {
        let dirs: Vec<_> = entries
            .iter()
            .map(|entry| {
                (entry.dir.as_deref().unwrap(), entry.dir_source.unwrap(), entry.stated_dir.as_deref())
            })
            .collect();
        let expected = [
            ("/home/dev/other", DirSource::Stamp, Some("/home/dev/shop")),
            ("/home/dev/shop", DirSource::Stamp, None),
            ("/home/dev/shop", DirSource::Stated, None),
        ];
        assert_eq!(dirs, expected);
        assert!(entries.iter().all(|entry| entry.tier_cap == Some(0) && entry.agent_otel));
    });
}

#[test]
fn other_routes_leave_entries_of_their_class() {
    let routes = [
        (Route::Root, Class::Probe),
        (Route::CountTokens, Class::TokenCount),
        (Route::Models, Class::Platform),
        (Route::Responses, Class::Turn),
        (Route::Other, Class::Other),
    ];
    let scripts = routes.map(|(route, _)| {
        let mut script = Script::turn(1, b"", JSON, b"{\"input_tokens\":9}");
        script.route = route;
        script
    });
    recorded(&scripts, |entries| {
        let classes: Vec<_> = entries.iter().map(|entry| entry.class).collect();
        assert_eq!(classes, routes.map(|(_, class)| class));
        assert!(entries.iter().all(|entry| entry.parse == Parse::Ok && entry.usage.is_none()));
    });
}

#[test]
fn what_was_not_understood_is_noted_in_closed_words() {
    let (request, answer) = (fixture("turn.request.json"), fixture("message.answer.json"));
    let odd = b"event: CANARY\ndata: {\"type\":\"CANARY\"}\n\nevent: x\ndata: {CANARY\n\n";
    let mut unknown_encoding = Script::turn(4, &request, JSON, &answer);
    unknown_encoding.answer_headers = headers(&[JSON, ("content-encoding", "CANARY")]);
    let scripts = [
        Script::turn(1, b"{\"messages\": CANARY", JSON, &answer),
        Script::turn(2, &request, EVENTS, odd),
        Script::turn(3, &request, JSON, b""),
        unknown_encoding,
    ];
    recorded(&scripts, |entries| {
        let notes: Vec<Vec<_>> = entries
            .iter()
            .map(|entry| entry.notes.iter().map(|note| (&*note.parser, &*note.reason)).collect())
            .collect();
        assert_eq!(notes[0], [("anthropic", "bad_request_json")]);
        assert_eq!(notes[1], [("anthropic", "unknown_event"), ("anthropic", "bad_event_json")]);
        assert_eq!(notes[2], [("anthropic", "bad_answer_json")]);
        assert_eq!(notes[3], [("anthropic", "bad_answer_json"), ("decode", "unknown_encoding")]);
        assert!(entries.iter().all(|entry| entry.parse == Parse::Partial));
        assert!(entries[0].usage.is_some(), "the answer's facts stay");
    });
}
