use ccxray_shared::entry::ToolResults;

use super::*;

const TOOLS: [&str; 3] = ["tool.", "mcp.", "skill."];

#[test]
fn calls_count_under_their_full_name_and_those_of_servers_once_more_by_server() {
    let calls = vec![
        call("Bash"),
        call("Bash"),
        call("mcp__demo__echo"),
        call("mcp__demo__list__all"),
        call("mcp__demo"),
    ];
    expect(
        &calling(Provider::Anthropic, calls),
        &TOOLS,
        &[
            ("mcp.invocations_total{demo,echo}", 1),
            ("mcp.invocations_total{demo,list__all}", 1),
            ("tool.invocations_total{Bash,anthropic}", 2),
            ("tool.invocations_total{mcp__demo,anthropic}", 1),
            ("tool.invocations_total{mcp__demo__echo,anthropic}", 1),
            ("tool.invocations_total{mcp__demo__list__all,anthropic}", 1),
        ],
    );
}

#[test]
fn codex_names_the_server_in_the_namespace() {
    let namespaced = ToolCall { namespace: Some(name("mcp__demo")), ..call("echo") };
    expect(
        &calling(Provider::OpenAi, vec![namespaced]),
        &TOOLS,
        &[("mcp.invocations_total{demo,echo}", 1), ("tool.invocations_total{mcp__demo__echo,openai}", 1)],
    );
}

#[test]
fn what_a_script_calls_is_a_call_of_the_server_but_no_call_in_the_answer() {
    let scripted = names(&["mcp__demo__echo", "exec_command", "mcp__demo__echo", "mcp__other__x"]);
    let script = ToolCall { scripted, ..call("exec") };
    expect(
        &calling(Provider::OpenAi, vec![script]),
        &TOOLS,
        &[
            ("mcp.invocations_total{demo,echo}", 2),
            ("mcp.invocations_total{other,x}", 1),
            ("tool.invocations_total{exec,openai}", 1),
        ],
    );
}

#[test]
fn gemini_tools_keep_the_name_that_was_sent_and_the_declared_server_tells_where_it_ends() {
    let stated = ToolCall { server: Some(name("my_server")), ..call("mcp_my_server_echo") };
    expect(
        &calling(Provider::Gemini, vec![stated, call("mcp_demo_echo_all")]),
        &TOOLS,
        &[
            ("mcp.invocations_total{demo,echo_all}", 1),
            ("mcp.invocations_total{my_server,echo}", 1),
            ("tool.invocations_total{mcp_demo_echo_all,gemini}", 1),
            ("tool.invocations_total{mcp_my_server_echo,gemini}", 1),
        ],
    );
}

#[test]
fn calls_without_a_name_count_as_what_they_are() {
    let tools = ToolCalls { blocks: 200, calls: vec![call("Bash")], unreadable: 2 };
    expect(
        &Entry { tools: Some(tools), ..turn(Provider::Anthropic) },
        &TOOLS,
        &[
            ("tool.invocations_total{Bash,anthropic}", 1),
            ("tool.invocations_total{_malformed_,anthropic}", 2),
            ("tool.invocations_total{_overflow_,anthropic}", 197),
        ],
    );
}

#[test]
fn failures_count_by_tool_and_those_of_servers_once_more_by_server() {
    let failed_tools = names(&["Bash", "mcp__demo__echo", "Bash"]);
    let results = ToolResults { count: 9, failed: 5, failed_tools, ..ToolResults::default() };
    expect(
        &Entry { results: Some(results), ..refused(529) },
        &TOOLS,
        &[
            ("mcp.errors_total{demo}", 1),
            ("tool.failures_total{Bash,anthropic}", 2),
            ("tool.failures_total{_overflow_,anthropic}", 2),
            ("tool.failures_total{mcp__demo__echo,anthropic}", 1),
        ],
    );
    let scripted = ToolResults {
        count: 1,
        failed: 1,
        failed_tools: names(&["exec"]),
        failed_scripted: names(&["mcp__a__b"]),
    };
    expect(
        &Entry { results: Some(scripted), ..turn(Provider::OpenAi) },
        &TOOLS,
        &[("mcp.errors_total{a}", 1), ("tool.failures_total{exec,openai}", 1)],
    );
    let none = ToolResults { count: 3, failed: 0, ..ToolResults::default() };
    expect(&Entry { results: Some(none), ..turn(Provider::Anthropic) }, &TOOLS, &[]);
}

#[test]
fn a_gemini_tool_fails_under_the_name_that_it_is_called_by() {
    let failed_tools = names(&["mcp__my_server__echo", "read_file"]);
    let results = ToolResults { count: 2, failed: 2, failed_tools, ..ToolResults::default() };
    expect(
        &Entry { results: Some(results), ..turn(Provider::Gemini) },
        &TOOLS,
        &[
            ("mcp.errors_total{my_server}", 1),
            ("tool.failures_total{mcp_my_server_echo,gemini}", 1),
            ("tool.failures_total{read_file,gemini}", 1),
        ],
    );
}

#[test]
fn skills_count_whoever_activates_them() {
    let skill = ToolCall { skill: Some(name("pdf")), ..call("Skill") };
    let entry = Entry { skills: names(&["pdf", "review"]), ..calling(Provider::Anthropic, vec![skill]) };
    expect(
        &entry,
        &["skill."],
        &[("skill.activations_total{pdf,anthropic}", 2), ("skill.activations_total{review,anthropic}", 1)],
    );
}
