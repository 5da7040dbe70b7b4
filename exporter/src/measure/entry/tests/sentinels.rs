use ccxray_shared::entry::{Parse, ParseNote, ToolResults};

use super::*;

const PARSER: [&str; 2] = ["parser", "invariants"];

fn note(parser: &'static str, reason: &'static str, count: u32) -> ParseNote<'static> {
    ParseNote { parser: name(parser), reason: name(reason), count }
}

#[test]
fn what_is_as_expected_raises_no_sentinel() {
    let mut entry = with_context();
    entry.tools = calling(Provider::Anthropic, vec![call("Bash"), call("mcp__demo__echo")]).tools;
    expect(&entry, &["parser", "invariants", "usage"], &[]);
}

#[test]
fn names_that_are_not_understood_are_counted_by_what_they_are() {
    let scripted = names(&["mcp__demo__echo", "mcp__demo", "made_up"]);
    let calls = vec![
        call("made_up"),
        call("made_up"),
        call("mcp__demo"),
        ToolCall { scripted, ..call("Bash") },
        call("Skill"),
    ];
    expect(
        &calling(Provider::Anthropic, calls),
        &PARSER,
        &[
            ("parser.unknown_mcp_format_total{}", 2),
            ("parser.unknown_skill_marker_total{anthropic}", 1),
            ("parser.unknown_tool_total{anthropic}", 3),
        ],
    );
}

#[test]
fn notes_are_fallbacks_or_errors_in_words_of_the_catalogue() {
    let notes = vec![
        note("anthropic", "unknown_block", 3),
        note("gemini", "bad_event_json", 2),
        note("made_up", "never_seen_before", 1),
    ];
    expect(
        &Entry { notes, parse: Parse::Partial, ..turn(Provider::Anthropic) },
        &PARSER,
        &[
            ("parser.error_total{gemini,bad_event_json}", 2),
            ("parser.fallback_used_total{anthropic,unknown_block}", 3),
            ("parser.fallback_used_total{other,other}", 1),
        ],
    );
}

#[test]
fn a_parser_that_gave_up_is_an_error() {
    for (parse, expected) in [
        (Parse::Error, &[("parser.error_total{recorder,panic}", 1)][..]),
        (Parse::Shed, &[("parser.error_total{recorder,shed}", 1)]),
        (Parse::Partial, &[]),
    ] {
        expect(&Entry { parse, ..turn(Provider::Anthropic) }, &PARSER, expected);
    }
}

#[test]
fn blocks_that_could_not_be_read_are_a_mismatch_and_those_that_are_not_listed_are_none() {
    let with = |unreadable| {
        let tools = ToolCalls { blocks: 9, calls: vec![call("Bash")], unreadable };
        Entry { tools: Some(tools), ..turn(Provider::Anthropic) }
    };
    expect(&with(4), &PARSER, &[("parser.reconciliation_mismatch_total{tool_count}", 1)]);
    expect(&with(0), &PARSER, &[]);
}

#[test]
fn parts_that_do_not_add_up_to_the_providers_total_are_a_mismatch() {
    let with = |total| {
        let counts = Counts {
            input_tokens: Some(7),
            output_tokens: Some(3),
            total_tokens: Some(total),
            ..Counts::default()
        };
        Entry { usage: Some(Usage { counts, ..Usage::default() }), ..turn(Provider::OpenAi) }
    };
    expect(&with(11), &PARSER, &[("invariants.parser_mismatch_total{token_sum}", 1)]);
    expect(&with(10), &PARSER, &[]);
    expect(&Entry { class: Class::TokenCount, ..with(11) }, &PARSER, &[]);
}

#[test]
fn missing_usage_and_a_missing_end_are_counted() {
    let cut = Entry { streamed: true, terminal: Some(false), ..turn(Provider::Anthropic) };
    expect(
        &cut,
        &["usage", "invariants"],
        &[("invariants.sse_truncated_total{anthropic}", 1), ("usage.missing_total{anthropic}", 1)],
    );
}

#[test]
fn an_entrys_flags_are_on_all_that_it_raises_but_its_sentinels_and_gauges() {
    let mut entry = with_context();
    entry.agent_otel = true;
    entry.parse = Parse::Partial;
    entry.notes = vec![note("anthropic", "unknown_block", 1)];
    entry.streamed = true;
    entry.terminal = Some(false);
    entry.first_content_ms = Some(1);
    entry.session = Some(name("00000000000000aa"));
    entry.results = Some(ToolResults {
        count: 1,
        failed: 1,
        failed_tools: names(&["mcp__demo__echo"]),
        ..ToolResults::default()
    });
    let script = ToolCall {
        patterns: names(&["force_push"]),
        writes_file: true,
        skill: Some(name("pdf")),
        ..call("Agent")
    };
    entry.tools = Some(ToolCalls { blocks: 2, calls: vec![script], unreadable: 1 });
    for (series, _) in recorded(&entry) {
        let is_sentinel = ["parser.", "invariants.", "usage."].iter().any(|group| series.starts_with(group));
        assert_eq!(!is_sentinel, series.ends_with(",true,true}"), "{series}");
    }
}
