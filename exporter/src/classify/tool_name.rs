//! Under which name a tool call counts.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::ToolCall};

/// How the names of the tools of MCP servers begin, and how those of their namespaces do (Codex).
const MCP: &str = "mcp__";

/// The full name of the called tool: `mcp__<server>__<tool>` also where the server is stated beside the tool. Other
/// namespaces only group a client's own tools.
pub fn full<'c>(call: &'c ToolCall<'_>) -> Cow<'c, str> {
    match call.namespace.as_deref().map(|namespace| namespace.trim_end_matches('_')) {
        Some(server) if server.starts_with(MCP) => {
            Cow::Owned(Name::from_string(format!("{server}__{}", call.name)).to_string())
        }
        Some(_) | None => Cow::Borrowed(call.name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_of_an_mcp_server_bears_its_name_wherever_it_was_stated() {
        for (namespace, name, expected) in [
            (None, "mcp__demo__echo", "mcp__demo__echo"),
            (Some("mcp__demo"), "echo", "mcp__demo__echo"),
            (Some("mcp__demo__"), "echo", "mcp__demo__echo"),
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
