use ccxray_shared::entry::{ContextHints, Outcome, Parse, Trigger};

use super::*;

const CONTEXT: [&str; 1] = ["context"];

fn used(provider: Provider, model: &'static str, tokens: u64) -> Entry<'static> {
    let counts = match provider {
        Provider::Gemini => Counts { prompt_token_count: Some(tokens), ..Counts::default() },
        _ => Counts { input_tokens: Some(tokens), ..Counts::default() },
    };
    Entry { usage: Some(Usage { counts, ..Usage::default() }), model: Some(name(model)), ..turn(provider) }
}

#[test]
fn all_input_is_set_beside_the_window_of_the_client() {
    for (provider, model, tokens, percent) in [
        (Provider::Anthropic, "claude-opus-4-8", 100_000, 50),
        (Provider::Anthropic, "claude-opus-4-8", 180_000, 90),
        // A little more than 90 % belongs into the next bucket.
        (Provider::Anthropic, "claude-opus-4-8", 180_001, 91),
        // More than 200 000 proves the larger window.
        (Provider::Anthropic, "claude-opus-4-8", 200_001, 21),
        (Provider::OpenAi, "gpt-5.5", 136_000, 50),
        (Provider::OpenAi, "gpt-6.1-terra", 250_000, 50),
        (Provider::Gemini, "gemini-3.1-pro-preview", 524_288, 50),
        (Provider::Anthropic, "claude-opus-4-8", 0, 0),
    ] {
        let series = format!("context.utilization_pct{{{}}}", provider.as_str());
        expect(&used(provider, model, tokens), &CONTEXT, &[(&series, percent)]);
    }
}

#[test]
fn cached_input_fills_the_window_too_and_a_request_may_ask_for_a_larger_one() {
    expect(&with_context(), &CONTEXT, &[("context.utilization_pct{anthropic}", 20)]);
    let context = Some(ContextHints { window: Some(1_000_000), messages: 1 });
    let asked = Entry { context, ..with_context() };
    expect(&asked, &CONTEXT, &[("context.utilization_pct{anthropic}", 4)]);
}

#[test]
fn beside_the_conversation_no_context_is_measured_and_unknown_is_not_0() {
    for class in [Class::Title, Class::Compaction, Class::Helper, Class::WebSearch] {
        expect(&Entry { class, ..with_context() }, &CONTEXT, &[]);
    }
    expect(&Entry { status: Some(500), ..with_context() }, &CONTEXT, &[]);
    expect(&turn(Provider::Anthropic), &CONTEXT, &[]);
}

#[test]
fn a_compaction_that_the_client_set_off_counts_at_its_first_attempt() {
    let compaction =
        Entry { class: Class::Compaction, compaction: Some(Trigger::Auto), ..turn(Provider::Gemini) };
    let one = [("auto_compact.triggered_total{gemini}", 1)];
    expect(&compaction, &["auto"], &one);
    expect(&Entry { status: Some(529), ..compaction.clone() }, &["auto"], &one);
    for other in [
        Entry { retry: true, ..compaction.clone() },
        Entry { compaction: Some(Trigger::Manual), ..compaction.clone() },
        Entry { compaction: Some(Trigger::Unknown), ..compaction.clone() },
        Entry { compaction: None, ..compaction.clone() },
        Entry { class: Class::Turn, ..compaction },
    ] {
        expect(&other, &["auto"], &[]);
    }
}

#[test]
fn sub_agents_are_counted_by_the_calls_that_start_them() {
    let typed = ToolCall { agent: Some(name("Explore")), ..call("Agent") };
    let entry = calling(Provider::Anthropic, vec![typed, call("Bash"), call("Task")]);
    expect(&entry, &["subagent"], &[("subagent.invocations_total{anthropic}", 2)]);
    expect(&calling(Provider::Anthropic, vec![call("Bash")]), &["subagent"], &[]);
}

#[test]
fn a_turn_has_as_many_tools_as_its_answer_calls() {
    let tools = ["tools_per_turn"];
    let three = calling(Provider::Anthropic, vec![call("Bash"), call("Read"), call("Bash")]);
    expect(&three, &tools, &[("tools_per_turn{anthropic}", 3)]);
    let unlisted = ToolCalls { blocks: 200, calls: vec![call("Bash")], unreadable: 1 };
    let many = Entry { tools: Some(unlisted), ..turn(Provider::Anthropic) };
    expect(&many, &tools, &[("tools_per_turn{anthropic}", 200)]);
    expect(&turn(Provider::Anthropic), &tools, &[("tools_per_turn{anthropic}", 0)]);
    expect(&Entry { class: Class::Helper, ..three.clone() }, &tools, &[]);
    expect(&Entry { outcome: Outcome::ClientAbort, ..three.clone() }, &tools, &[]);
    expect(&Entry { status: Some(500), ..three }, &tools, &[]);
}

#[test]
fn of_an_answer_that_was_not_read_the_number_of_tools_is_unknown() {
    for (parse, expected) in [
        (Parse::Partial, &[("tools_per_turn{anthropic,true}", 0)][..]),
        (Parse::Shed, &[]),
        (Parse::Error, &[]),
        (Parse::Unknown, &[]),
    ] {
        expect(&Entry { parse, ..turn(Provider::Anthropic) }, &["tools_per_turn"], expected);
    }
}
