use super::*;

#[test]
fn turns_count_by_their_mode_and_what_does_not_show_is_unknown() {
    let in_mode = |provider, mode: Option<&'static str>| Entry {
        permission_mode: mode.map(Name::from_wire),
        ..turn(provider)
    };
    for (entry, expected) in [
        (in_mode(Provider::Anthropic, Some("plan")), "plan"),
        (in_mode(Provider::OpenAi, Some("read-only")), "read-only"),
        (in_mode(Provider::Gemini, Some("yolo")), "yolo"),
        (in_mode(Provider::OpenAi, Some("made-up")), "other"),
        (in_mode(Provider::Anthropic, None), "unknown"),
    ] {
        let series = format!("permission_mode.usage_total{{{expected}}}");
        expect(&entry, &["permission"], &[(&series, 1)]);
    }
}

#[test]
fn what_is_no_turn_or_was_not_answered_has_no_mode() {
    for entry in [token_count(), refused(500), Entry { class: Class::Title, ..turn(Provider::Anthropic) }] {
        expect(&Entry { permission_mode: Some(name("plan")), ..entry }, &["permission"], &[]);
    }
}

#[test]
fn a_dangerous_call_counts_for_each_of_its_patterns() {
    let calls = vec![
        ToolCall { patterns: names(&["recursive_delete", "pipe_to_shell"]), ..call("Bash") },
        ToolCall { patterns: names(&["recursive_delete", "made_up"]), ..call("Bash") },
        call("Bash"),
    ];
    expect(
        &calling(Provider::Anthropic, calls),
        &["dangerous"],
        &[
            ("dangerous_tool.invocations_total{other}", 1),
            ("dangerous_tool.invocations_total{pipe_to_shell}", 1),
            ("dangerous_tool.invocations_total{recursive_delete}", 2),
        ],
    );
}

#[test]
fn a_call_that_writes_files_counts_once() {
    let write = || ToolCall { writes_file: true, ..call("apply_patch") };
    let entry = calling(Provider::OpenAi, vec![write(), call("exec_command"), write()]);
    expect(&entry, &["file_writes"], &[("file_writes_total{openai}", 2)]);
    expect(&calling(Provider::OpenAi, vec![call("exec_command")]), &["file_writes"], &[]);
}
