//! What the entries of Gemini CLI say.

use std::io::Write;

use ccxray_shared::{
    Entry,
    entry::{Class, DirSource, Outcome, Parse, Provider, Route, Trigger},
    usage::Counts,
};

use crate::rig::{EVENTS, JSON, Script, fixture, headers, recorded};

/// A streamed turn of Gemini CLI with an API key.
fn turn<'a>(
    id: u64,
    request: &'a [u8],
    content: (&'static str, &'static str),
    answer: &'a [u8],
) -> Script<'a> {
    let mut script = Script::turn(id, request, content, answer)
        .in_language(Provider::Gemini, Route::StreamGenerateContent);
    script.path_model = Some("gemini-3.1-pro".to_owned());
    script.request_headers = headers(&[("user-agent", "GeminiCLI-tui/0.61.0/CANARY (linux; x64; terminal)")]);
    script
}

fn check_streamed_turn(entry: &Entry<'_>) {
    assert_eq!((entry.class, entry.parse, entry.outcome), (Class::Turn, Parse::Ok, Outcome::Complete));
    assert_eq!((entry.streamed, entry.terminal), (true, Some(true)));
    assert_eq!(
        (entry.model.as_deref(), entry.model_served.as_deref()),
        (Some("gemini-3.1-pro"), Some("gemini-3.1-pro-002"))
    );
    let expected = Counts {
        prompt_token_count: Some(4030),
        cached_content_token_count: Some(3017),
        candidates_token_count: Some(207),
        thoughts_token_count: Some(31),
        total_token_count: Some(4268),
        ..Counts::default()
    };
    assert_eq!(entry.usage.as_ref().unwrap().counts, expected);
    assert_eq!((entry.stop_reason.as_deref(), &entry.error), (Some("STOP"), &None));
    let tools = entry.tools.as_ref().unwrap();
    let calls = tools.calls.iter();
    let calls =
        calls.map(|call| (&*call.name, call.skill.as_deref(), call.agent.as_deref(), call.writes_file));
    let expected = [
        ("invoke_agent", None, Some("generalist"), false),
        ("activate_skill", Some("pdf-forms"), None, false),
        ("write_file", None, None, true),
    ];
    assert_eq!((tools.blocks, calls.collect::<Vec<_>>()), (3, expected.to_vec()));
}

fn check_request(entry: &Entry<'_>) {
    let results = entry.results.as_ref().unwrap();
    assert_eq!((results.count, results.failed), (2, 1));
    assert_eq!(results.failed_tools.iter().map(|name| &**name).collect::<Vec<_>>(), ["mcp_demo_fail"]);
    assert_eq!(entry.context.unwrap().messages, 5);
    assert_eq!(entry.agent.as_ref().unwrap().kind.as_deref(), Some("main"));
    assert_eq!((entry.dir.as_deref(), entry.dir_source), (Some("/home/dev/shop"), Some(DirSource::Stated)));
    assert_eq!(entry.session.as_ref().unwrap().len(), 16);
}

#[test]
fn a_streamed_turn_of_gemini_cli_is_told_whole() {
    let (request, answer) = (fixture("content.request.json"), fixture("content.answer.sse"));
    recorded(&[turn(1, &request, EVENTS, &answer)], |entries| {
        check_streamed_turn(&entries[0]);
        check_request(&entries[0]);
        assert_eq!(entries[0].first_content_ms, Some(10));
    });
}

#[test]
fn an_array_tells_the_same_as_events_however_it_is_cut() {
    let (request, answer) = (fixture("content.request.json"), fixture("content_array.answer.json"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&answer).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut encoded = turn(3, &request, JSON, &gzip);
    encoded.answer_headers = headers(&[JSON, ("content-encoding", "gzip")]);
    let mut bytewise = turn(2, &request, JSON, &answer);
    bytewise.answer = answer.chunks(1).collect();
    recorded(&[turn(1, &request, JSON, &answer), bytewise, encoded], |entries| {
        entries.iter().for_each(check_streamed_turn);
        assert!(entries.iter().all(|entry| entry.first_content_ms.is_some()));
    });
}

#[test]
fn a_turn_after_a_log_in_is_told_in_its_wrappers() {
    let (request, answer) = (fixture("content_wrapped.request.json"), fixture("content.answer.sse"));
    let plain = String::from_utf8(answer).unwrap();
    let wrapped: String = plain
        .split_inclusive("\r\n")
        .map(|line| match line.trim_end().strip_prefix("data: ") {
            Some(data) => format!("data: {{\"response\":{data}}}\r\n"),
            None => line.to_owned(),
        })
        .collect();
    let mut script = turn(1, &request, EVENTS, wrapped.as_bytes());
    script.path_model = None;
    recorded(&[script], |entries| {
        check_streamed_turn(&entries[0]);
        check_request(&entries[0]);
    });
}

#[test]
fn an_answer_that_is_no_stream_is_told() {
    let (request, answer) = (fixture("content.request.json"), fixture("content.answer.json"));
    let mut script = turn(1, &request, JSON, &answer);
    script.route = Route::GenerateContent;
    recorded(&[script], |entries| {
        let entry = &entries[0];
        assert_eq!((entry.class, entry.streamed, entry.terminal), (Class::Turn, false, None));
        assert_eq!((entry.stop_reason.as_deref(), entry.first_content_ms), (Some("MAX_TOKENS"), None));
        let counts = entry.usage.as_ref().unwrap().counts;
        assert_eq!((counts.prompt_token_count, counts.tool_use_prompt_token_count), (Some(100), Some(7)));
        assert_eq!((counts.thoughts_token_count, counts.cached_content_token_count), (None, None));
    });
}

#[test]
fn a_compaction_is_known_by_its_prompt() {
    let (request, answer) = (fixture("content_compaction.request.json"), fixture("content.answer.json"));
    let mut script = turn(1, &request, JSON, &answer);
    script.route = Route::GenerateContent;
    recorded(&[script], |entries| assert_eq!(entries[0].class, Class::Compaction));
}

#[test]
fn a_refused_prompt_is_told_by_its_reason() {
    let (request, answer) = (fixture("content.request.json"), fixture("content_blocked.answer.json"));
    let event = [b"data: ", &*answer, b"\n\n"].concat();
    recorded(&[turn(1, &request, EVENTS, &event), turn(2, &request, JSON, &answer)], |entries| {
        for entry in entries {
            assert_eq!(
                (entry.stop_reason.as_deref(), entry.terminal),
                (Some("blockReason:SAFETY"), Some(true))
            );
            assert_eq!(entry.usage.as_ref().unwrap().counts.candidates_token_count, None);
        }
    });
}

#[test]
fn an_answer_cut_short_has_what_was_stated_until_then() {
    let request = fixture("content.request.json");
    let (events, array) = (fixture("content.answer.sse"), fixture("content_array.answer.json"));
    let cut = |answer: &[u8]| answer.windows(12).position(|window| window == b"finishReason").unwrap();
    let mut scripts =
        [turn(1, &request, EVENTS, &events[..cut(&events)]), turn(2, &request, JSON, &array[..cut(&array)])];
    for script in &mut scripts {
        script.outcome = Outcome::UpstreamAbort;
    }
    recorded(&scripts, |entries| {
        for entry in entries {
            assert_eq!((entry.terminal, entry.stop_reason.as_deref()), (Some(false), None));
            assert_eq!(entry.usage.as_ref().unwrap().counts.candidates_token_count, Some(9));
            assert_eq!(entry.tools.as_ref().unwrap().blocks, 1);
        }
    });
}

#[test]
fn errors_are_told_as_bodies_and_inside_a_stream() {
    let (request, error) = (fixture("content.request.json"), fixture("exhausted.error.json"));
    let (event, array) = ([b"data: ", &*error, b"\n\n"].concat(), [b"[", &*error, b"]"].concat());
    let mut scripts = [turn(1, &request, JSON, &error), turn(2, &request, JSON, &array)];
    for script in &mut scripts {
        script.status = 429;
    }
    let [body, listed] = scripts;
    let inside = [turn(3, &request, EVENTS, &event), turn(4, &request, JSON, &array)];
    let [event, element] = inside;
    recorded(&[body, listed, event, element], |entries| {
        let errors = entries.iter().map(|entry| entry.error.as_ref().unwrap());
        assert!(errors.clone().all(|error| error.kind.as_deref() == Some("RESOURCE_EXHAUSTED")));
        assert!(errors.clone().all(|error| error.code.as_deref() == Some("429")));
        assert_eq!(errors.map(|error| error.in_stream).collect::<Vec<_>>(), [false, false, true, true]);
        assert_eq!(entries.iter().map(|entry| entry.repeats).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(entries.iter().all(|entry| entry.parse == Parse::Ok));
    });
}

#[test]
fn a_count_of_tokens_has_neither_usage_nor_notes() {
    let request = fixture("content.request.json");
    let mut script = turn(1, &request, JSON, b"{\"totalTokens\":31,\"promptTokensDetails\":[]}");
    script.route = Route::CountTokens;
    recorded(&[script], |entries| {
        assert_eq!((entries[0].class, &entries[0].usage), (Class::TokenCount, &None));
        assert_eq!((entries[0].model.as_deref(), entries[0].parse), (Some("gemini-3.1-pro"), Parse::Ok));
    });
}

#[test]
fn another_attempt_at_a_compaction_does_not_say_again_what_set_it_off() {
    let request = fixture("gemini/compaction.02.request.json");
    // It need not be the same to the byte.
    let other = [&*request, b"\n"].concat();
    let (answer, error) = (fixture("gemini/compaction.02.answer.json"), fixture("exhausted.error.json"));
    let compaction = |id, request, answer| {
        let mut script = turn(id, request, JSON, answer);
        script.route = Route::GenerateContent;
        script
    };
    let mut failed = compaction(1, &request, &error);
    failed.status = 429;
    recorded(&[failed, compaction(2, &other, &answer), compaction(3, &other, &answer)], |entries| {
        assert!(entries.iter().all(|entry| entry.class == Class::Compaction && !entry.retry));
        let told = entries.iter().map(|entry| entry.compaction);
        let said = Some(Trigger::Unknown);
        assert_eq!(told.collect::<Vec<_>>(), [said, None, said]);
    });
}
