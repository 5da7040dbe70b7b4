//! Whatever a spool says, closed sets stay closed: the sink of these tests holds every recording to the catalogue.

use ccxray_shared::entry::{Agent, ErrorFacts, ParseNote, RateLimit, ToolResults};
use proptest::{collection::vec, prelude::*};

use super::*;

fn any_name() -> impl Strategy<Value = Name<'static>> {
    prop_oneof![
        "[a-z_]{1,12}",
        "mcp__[a-z_]{0,6}",
        "[ \\PC]{0,3}",
        prop::sample::select(vec!["tokens", "plan", "force_push", "panic", "anthropic", "unknown_block"])
            .prop_map(str::to_owned),
    ]
    .prop_map(Name::from_string)
}

fn any_call() -> impl Strategy<Value = ToolCall<'static>> {
    let optional = || prop::option::of(any_name());
    let parts =
        (any_name(), optional(), optional(), vec(any_name(), 0..3), vec(any_name(), 0..3), optional());
    parts.prop_map(|(name, namespace, server, scripted, patterns, skill)| ToolCall {
        namespace,
        server,
        scripted,
        patterns,
        skill,
        ..ToolCall::named(name)
    })
}

proptest! {
    #[test]
    fn no_entry_makes_a_value_that_the_catalogue_does_not_list_or_limit(
        provider in prop::sample::select(vec![Provider::Anthropic, Provider::OpenAi, Provider::Gemini, Provider::Other]),
        status in prop::option::of(100_u16..700),
        calls in vec(any_call(), 0..4),
        failed_tools in vec(any_name(), 0..3),
        words in vec(any_name(), 7),
        limits in vec((any_name(), any::<u64>()), 0..4),
        notes in vec((any_name(), any_name(), any::<u32>()), 0..4),
        numbers in vec(any::<u64>(), 4),
    ) {
        let [mode, kind, model, stop, error, skill, code] = &words[..] else { unreachable!() };
        let [input, output, read, total] = numbers[..] else { unreachable!() };
        let counts = Counts {
            input_tokens: Some(input),
            output_tokens: Some(output),
            cache_read_input_tokens: Some(read),
            total_tokens: Some(total),
            ..Counts::default()
        };
        let entry = Entry {
            status,
            usage: Some(Usage { counts, ..Usage::default() }),
            permission_mode: Some(mode.clone()),
            agent: Some(Agent { kind: Some(kind.clone()), sub: input % 2 == 0, id: None }),
            model: Some(model.clone()),
            stop_reason: Some(stop.clone()),
            error: (output % 2 == 0).then(|| ErrorFacts {
                kind: Some(error.clone()),
                code: Some(code.clone()),
                in_stream: false,
                context_length: false,
            }),
            skills: vec![skill.clone()],
            results: Some(ToolResults { count: 9, failed: 9, failed_tools, ..ToolResults::default() }),
            rate_limits: limits.into_iter().map(|(limit, remaining)| RateLimit { limit, remaining }).collect(),
            notes: notes.into_iter().map(|(parser, reason, count)| ParseNote { parser, reason, count }).collect(),
            ..calling(provider, calls)
        };
        let recorded = recorded(&entry);
        prop_assert!(recorded.keys().any(|series| series.starts_with("requests_total")));
    }
}
