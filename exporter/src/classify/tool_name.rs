//! Under which name a tool counts: the same for its calls and for its failures.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{Provider, ToolCall},
};

/// How the names of the tools of MCP servers begin, and how those of their namespaces do (Codex).
const MCP: &str = "mcp__";
/// How full names begin, of every client.
const MCP_ANY: &str = "mcp_";
/// What joins the parts of a full name.
const JOINT: &str = "__";

/// The full name of the called tool: `mcp__<server>__<tool>` also where the server is stated beside the tool. Other
/// namespaces only group a client's own tools.
pub fn full<'c>(call: &'c ToolCall<'_>) -> Cow<'c, str> {
    let namespace = call.namespace.as_deref().map(|namespace| namespace.trim_end_matches('_'));
    // Gemini CLI's full names have single underscores; that they begin alike is enough.
    let is_full = call.name.starts_with(MCP_ANY);
    match (namespace, call.server.as_deref()) {
        (Some(namespace), _) if !is_full && namespace.starts_with(MCP) => joined(namespace, &call.name),
        (_, Some(server)) if !is_full => joined(&format!("{MCP}{server}"), &call.name),
        (Some(_) | None, _) => Cow::Borrowed(call.name.as_str()),
    }
}

/// The full name of a tool that failed, as its calls bear it. The tools of MCP servers stand among an entry's failed ones
/// with double underscores, and Gemini CLI calls them with single ones.
pub fn failed(provider: Provider, listed: &str) -> Cow<'_, str> {
    let path = listed.strip_prefix(MCP).filter(|_| provider == Provider::Gemini);
    match path.and_then(|path| path.split_once(JOINT)) {
        Some((server, tool)) => name(format!("{MCP_ANY}{server}_{tool}")),
        None => Cow::Borrowed(listed),
    }
}

fn joined(server: &str, tool: &str) -> Cow<'static, str> {
    name(format!("{server}{JOINT}{tool}"))
}

fn name(text: String) -> Cow<'static, str> {
    Cow::Owned(Name::from_string(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_stated_beside_the_call_is_in_its_full_name() {
        for (server, name, expected) in [
            ("docs", "find", "mcp__docs__find"),
            ("docs", "mcp__docs__find", "mcp__docs__find"),
            ("my_server", "mcp_my_server_find", "mcp_my_server_find"),
        ] {
            let call =
                ToolCall { server: Some(Name::from_wire(server)), ..ToolCall::named(Name::from_wire(name)) };
            assert_eq!(full(&call), expected);
        }
    }

    #[test]
    fn a_tool_fails_under_the_name_that_it_is_called_by() {
        for (provider, listed, expected) in [
            (Provider::Gemini, "mcp__my_server__find", "mcp_my_server_find"),
            (Provider::Gemini, "mcp_demo_echo", "mcp_demo_echo"),
            (Provider::Gemini, "mcp__demo", "mcp__demo"),
            (Provider::Gemini, "read_file", "read_file"),
            (Provider::Anthropic, "mcp__demo__echo", "mcp__demo__echo"),
            (Provider::OpenAi, "mcp__demo__echo", "mcp__demo__echo"),
        ] {
            assert_eq!(failed(provider, listed), expected);
        }
    }

    #[test]
    fn a_tool_of_an_mcp_server_bears_its_name_wherever_it_was_stated() {
        for (namespace, name, expected) in [
            (None, "mcp__demo__echo", "mcp__demo__echo"),
            (Some("mcp__demo"), "echo", "mcp__demo__echo"),
            (Some("mcp__demo__"), "echo", "mcp__demo__echo"),
            (Some("mcp__demo"), "mcp__demo__echo", "mcp__demo__echo"),
            (Some("mcp__demo"), "exec_command", "mcp__demo__exec_command"),
            (Some("collaboration"), "spawn_agent", "spawn_agent"),
            (None, "exec_command", "exec_command"),
        ] {
            let call = ToolCall {
                namespace: namespace.map(Name::from_wire),
                ..ToolCall::named(Name::from_wire(name))
            };
            assert_eq!(full(&call), expected);
        }
    }
}
