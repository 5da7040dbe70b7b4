//! Which calls start a sub-agent.

use ccxray_shared::entry::{Provider, ToolCall};

/// How many sub-agents `call` starts: itself, and the script in it at each place that calls a tool that does.
pub fn started_by(provider: Provider, call: &ToolCall<'_>) -> usize {
    let itself = call.agent.is_some() || tools(provider).contains(&call.name.as_str());
    let scripted = call.scripted.iter().filter(|name| starts(provider, name)).count();
    usize::from(itself) + scripted
}

/// The tools that do nothing else: Claude Code's, under its old name too; Codex's; Gemini CLI's.
fn tools(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Anthropic => &["Agent", "Task"],
        Provider::OpenAi => &["spawn_agent"],
        Provider::Gemini => &["invoke_agent"],
        Provider::Other => &[],
    }
}

/// A script may spell a tool with its namespace in front, and what joins the two differs.
fn starts(provider: Provider, scripted: &str) -> bool {
    let is_whole = |before: &str| before.is_empty() || before.ends_with(['.', '_', '/']);
    tools(provider).iter().any(|tool| scripted.strip_suffix(tool).is_some_and(is_whole))
}

#[cfg(test)]
mod tests {
    use ccxray_shared::Name;

    use super::*;

    #[test]
    fn a_sub_agent_is_started_by_the_clients_own_tool_or_by_a_call_that_names_its_type() {
        use Provider::{Anthropic, Gemini, OpenAi, Other};
        for (provider, tool, expected) in [
            (Anthropic, "Agent", 1),
            (Anthropic, "Task", 1),
            (Anthropic, "TaskCreate", 0),
            (OpenAi, "spawn_agent", 1),
            (OpenAi, "wait_agent", 0),
            (Gemini, "invoke_agent", 1),
            (Gemini, "Agent", 0),
            (Other, "Agent", 0),
        ] {
            assert_eq!(started_by(provider, &ToolCall::named(Name::from_wire(tool))), expected, "{tool}");
        }
        let named = ToolCall {
            agent: Some(Name::from_wire("reviewer")),
            ..ToolCall::named(Name::from_wire("codebase_investigator"))
        };
        assert_eq!(started_by(Gemini, &named), 1);
    }

    #[test]
    fn a_script_starts_as_many_as_it_names() {
        let scripted = ["collaboration.spawn_agent", "spawn_agent", "exec_command", "respawn_agent"];
        let scripted = scripted.into_iter().map(Name::from_wire).collect();
        let script = ToolCall { scripted, ..ToolCall::named(Name::from_wire("exec")) };
        assert_eq!(started_by(Provider::OpenAi, &script), 2);
    }
}
