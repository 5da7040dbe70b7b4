//! The format's page and the saved files of every version, held against the code.

use std::{fs, path::Path};

use ccxray_shared::{
    Entry, Name, UnixMillis,
    entry::{
        Agent, Class, ContextHints, DirSource, ErrorFacts, Outcome, Parse, ParseNote, Provider, RateLimit,
        Route, Seq, ToolCall, ToolCalls, ToolResults, Trigger,
    },
    line::Line,
    usage::{CacheCreation, Counts, InputDetails, OutputDetails, ServerToolUse, Usage},
};

const PAGE: &str = include_str!("../FORMAT.md");
const EVERY_KIND: &str = include_str!("../fixtures/v1/every-kind.jsonl");

fn name(text: &str) -> Name<'_> {
    Name::from_wire(text)
}

fn encoded(line: &Line<'_>) -> String {
    let mut bytes = Vec::new();
    line.encode(&mut bytes).expect("plain data encodes");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

fn decoded(line: &str) -> Line<'_> {
    Line::decode(line.as_bytes()).unwrap_or_else(|error| panic!("{error:?} in {line}"))
}

/// Every field has a value, so that a new one has to be thought of here.
fn full_entry() -> Entry<'static> {
    Entry {
        id: name("5f0c9a3be1d24709"),
        seq: Seq(42),
        started_at: UnixMillis(1_790_000_005_000),
        ended_at: UnixMillis(1_790_000_006_500),
        provider: Provider::Anthropic,
        upstream: name("anthropic"),
        route: Route::Messages,
        class: Class::Turn,
        rules_version: 1,
        status: Some(200),
        outcome: Outcome::UpstreamAbort,
        latency_ms: 1_500,
        first_content_ms: Some(400),
        streamed: true,
        terminal: Some(false),
        request_bytes: 2_048,
        response_bytes: 777,
        client: Some(name("claude-cli/2.1.329")),
        model: Some(name("claude-opus-4-8[1m]")),
        model_served: Some(name("claude-opus-4-8")),
        usage: Some(Usage {
            counts: full_counts(),
            iterations: 2,
            service_tier: Some(name("standard")),
            speed: Some(name("fast")),
            inference_geo: Some(name("us")),
        }),
        stop_reason: Some(name("tool_use")),
        error: Some(ErrorFacts {
            kind: Some(name("invalid_request_error")),
            code: Some(name("context_length_exceeded")),
            in_stream: true,
            context_length: true,
        }),
        tools: Some(ToolCalls {
            blocks: 2,
            calls: vec![ToolCall {
                name: name("mcp__demo__write"),
                namespace: Some(name("demo")),
                server: Some(name("demo")),
                scripted: vec![name("exec_command")],
                patterns: vec![name("rm_rf")],
                hosted: true,
                writes_file: true,
                skill: Some(name("pdf")),
                agent: Some(name("general-purpose")),
            }],
            unreadable: 1,
        }),
        results: Some(ToolResults {
            count: 3,
            failed: 1,
            failed_tools: vec![name("Bash")],
            failed_scripted: vec![name("mcp__a__b")],
        }),
        skills: vec![name("pdf")],
        session: Some(name("0d4be9a1c7f36258")),
        agent: Some(Agent { kind: Some(name("Explore")), sub: true, id: Some(name("77aa00112233ffee")) }),
        compaction: Some(Trigger::Auto),
        context: Some(ContextHints { window: Some(1_000_000), messages: 12 }),
        permission_mode: Some(name("plan")),
        rate_limits: vec![RateLimit { limit: name("input-tokens"), remaining: 99_000 }],
        request_digest: Some(name("c0ffee00c0ffee00")),
        repeats: 1,
        retry: true,
        dir: Some("/home/ann/pröjekt \"x\"".into()),
        dir_source: Some(DirSource::Stamp),
        stated_dir: Some("/home/ann".into()),
        tier_cap: Some(1),
        agent_otel: true,
        parse: Parse::Partial,
        notes: vec![ParseNote { parser: name("sse"), reason: name("json"), count: 2 }],
    }
}

fn full_counts() -> Counts {
    let input = InputDetails { cached_tokens: Some(13), cache_write_tokens: Some(14) };
    let output = OutputDetails { reasoning_tokens: Some(15) };
    Counts {
        input_tokens: Some(1),
        output_tokens: Some(2),
        cache_creation_input_tokens: Some(7),
        cache_read_input_tokens: Some(4),
        cache_creation: Some(CacheCreation {
            ephemeral_5m_input_tokens: Some(5),
            ephemeral_1h_input_tokens: Some(2),
        }),
        server_tool_use: Some(ServerToolUse { web_search_requests: Some(8), web_fetch_requests: Some(9) }),
        prompt_tokens: Some(10),
        completion_tokens: Some(11),
        total_tokens: Some(12),
        input_tokens_details: Some(input),
        output_tokens_details: Some(output),
        prompt_tokens_details: Some(input),
        completion_tokens_details: Some(output),
        prompt_token_count: Some(16),
        candidates_token_count: Some(17),
        cached_content_token_count: Some(18),
        thoughts_token_count: Some(19),
        tool_use_prompt_token_count: Some(20),
        total_token_count: Some(21),
    }
}

/// The example on the page: the one line that begins as an entry does.
fn example() -> &'static str {
    let mut examples = PAGE.lines().filter(|line| line.starts_with("{\"kind\":\"entry\""));
    let example = examples.next().expect("the page shows an entry");
    assert_eq!(examples.next(), None, "the page shows one entry");
    example
}

#[test]
fn the_example_on_the_page_is_what_the_code_writes() {
    let line = decoded(example());
    let Line::Entry(entry) = &line else { panic!("{line:?}") };
    assert_eq!(entry.model.as_deref(), Some("claude-opus-4-8"));
    assert_eq!(entry.usage.as_ref().unwrap().counts.cache_read_input_tokens, Some(9153));
    assert_eq!(encoded(&line), format!("{}\n", example()));
}

#[test]
fn every_field_is_on_the_page() {
    fn check(value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(field, value)| {
                assert!(PAGE.contains(&format!("`{field}`")), "{field} is missing in FORMAT.md");
                check(value);
            }),
            serde_json::Value::Array(items) => items.iter().for_each(check),
            _ => {}
        }
    }
    check(&serde_json::from_str(&encoded(&Line::Entry(Box::new(full_entry())))).unwrap());
    EVERY_KIND.lines().for_each(|line| check(&serde_json::from_str(line).unwrap()));
}

#[test]
fn an_entry_with_every_field_is_still_written_as_it_was_saved() {
    let saved = EVERY_KIND.lines().find(|line| line.contains("\"seq\":42")).unwrap();
    assert_eq!(encoded(&Line::Entry(Box::new(full_entry()))), format!("{saved}\n"));
    assert_eq!(decoded(saved), Line::Entry(Box::new(full_entry())));
}

#[test]
fn this_version_is_written_as_it_was_saved() {
    for line in EVERY_KIND.lines() {
        assert_eq!(encoded(&decoded(line)), format!("{line}\n"));
    }
}

#[test]
fn every_saved_version_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut kinds = [0; 4];
    for version in fs::read_dir(fixtures).unwrap() {
        for file in fs::read_dir(version.unwrap().path()).unwrap() {
            for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
                let kind = match decoded(line) {
                    Line::Segment(_) => 0,
                    Line::Entry(_) => 1,
                    Line::Gap(_) => 2,
                    Line::Stats(_) => 3,
                };
                kinds[kind] += 1;
            }
        }
    }
    assert!(kinds.iter().all(|&count| count > 0), "{kinds:?}");
}

#[test]
fn what_a_newer_writer_adds_is_ignored() {
    let newer = example().replace("\"parse\":\"ok\"", "\"parse\":\"guessed\",\"mood\":{\"x\":[1]}");
    let Line::Entry(entry) = decoded(&newer) else { panic!("no entry") };
    assert_eq!(entry.parse, Parse::Unknown);
}
