//! Which calls go to the tools of MCP servers, and to which.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{Provider, ToolCall},
    name::MALFORMED,
};
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, expected};

/// What a call has to do with MCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mcp<'c> {
    /// Nothing.
    NotMcp,
    /// It calls a server's tool.
    Tool {
        /// The server, as the client calls it.
        server: Cow<'c, str>,
        /// The tool, as the server calls it.
        tool: Cow<'c, str>,
    },
    /// It begins like one, but names no server or no tool.
    Malformed,
}

/// What `call` has to do with MCP. A server that is stated beside the call counts before a namespace, and that before
/// the name: single underscores, as Gemini CLI has them, do not show where the server's name ends.
pub fn of_call<'c>(provider: Provider, call: &'c ToolCall<'_>) -> Mcp<'c> {
    Rules::current().mcp.of_call(provider, call)
}

/// What a tool's name says by itself: of a call in a script, of a failed tool.
pub fn of_name(provider: Provider, name: &str) -> Mcp<'_> {
    Rules::current().mcp.of_name(provider, name)
}

/// How MCP tools are called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct McpNaming {
    /// The forms of a full name; the first that fits counts.
    formats: PerProvider<Vec<Format>>,
    /// How a name begins that is meant to be one.
    looks_like: Vec<String>,
    /// Names that only look like one.
    exceptions: Vec<String>,
}

/// `<prefix><server><separator><tool>`; the tool's name may hold the separator, the server's may not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Format {
    prefix: String,
    separator: String,
}

impl McpNaming {
    fn of_call<'c>(&self, provider: Provider, call: &'c ToolCall<'_>) -> Mcp<'c> {
        let formats = self.formats(provider);
        let stated = || server_of(formats, call.namespace.as_deref()?);
        if let Some(server) = call.server.as_deref().or_else(stated) {
            let tool = formats.iter().find_map(|format| format.tool_of(server, &call.name));
            return full(server, tool.unwrap_or(&call.name));
        }
        self.of_name(provider, &call.name)
    }

    fn of_name<'c>(&self, provider: Provider, name: &'c str) -> Mcp<'c> {
        if self.exceptions.iter().any(|exception| exception == name) {
            return Mcp::NotMcp;
        }
        let split = self.formats(provider).iter().find_map(|format| format.split(name));
        match split {
            Some((server, tool)) => full(server, tool),
            None if self.looks_like.iter().any(|prefix| name.starts_with(prefix.as_str())) => Mcp::Malformed,
            None => Mcp::NotMcp,
        }
    }

    fn formats(&self, provider: Provider) -> &[Format] {
        self.formats.get(provider).map_or(&[], Vec::as_slice)
    }
}

impl Format {
    fn split<'n>(&self, name: &'n str) -> Option<(&'n str, &'n str)> {
        let (server, tool) = name.strip_prefix(&self.prefix)?.split_once(&self.separator)?;
        (!server.is_empty() && !tool.is_empty()).then_some((server, tool))
    }

    /// The tool in a full name of `server`, which is known otherwise.
    fn tool_of<'n>(&self, server: &str, name: &'n str) -> Option<&'n str> {
        let rest = name.strip_prefix(&self.prefix)?.strip_prefix(server)?;
        rest.strip_prefix(&self.separator).filter(|tool| !tool.is_empty())
    }
}

/// The server in a namespace that is all but a full name (Codex), with or without the separator at its end.
fn server_of<'n>(formats: &[Format], namespace: &'n str) -> Option<&'n str> {
    let format = formats.iter().find(|format| namespace.starts_with(&format.prefix))?;
    let server = namespace.strip_prefix(&format.prefix)?;
    Some(server.strip_suffix(&format.separator).unwrap_or(server))
}

fn full<'c>(server: &'c str, tool: &'c str) -> Mcp<'c> {
    if server.is_empty() || [server, tool].contains(&MALFORMED) {
        return Mcp::Malformed;
    }
    Mcp::Tool { server: Cow::Borrowed(server), tool: Cow::Borrowed(tool) }
}

impl DataFile for McpNaming {
    const NAME: &'static str = "mcp.json";
    const EMBEDDED: &'static str = include_str!("../../data/mcp.json");
    type Rules = Self;
    type Example = McpExample;

    fn from_rules(rules: Self) -> Result<Self, String> {
        let is_empty = |format: &Format| format.prefix.is_empty() || format.separator.is_empty();
        if rules.formats.all().into_iter().flatten().any(is_empty) {
            return Err("a format has an empty prefix or separator; every name would fit it".to_owned());
        }
        Ok(rules)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct McpExample {
    provider: Provider,
    name: String,
    #[serde(rename = "stated_server")]
    server: Option<String>,
    namespace: Option<String>,
    is: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Expected {
    NotMcp,
    Malformed,
    Tool { server: String, tool: String },
}

impl Example<McpNaming> for McpExample {
    fn check(&self, rules: &McpNaming) -> Result<(), String> {
        let call = ToolCall {
            server: self.server.as_deref().map(Name::from_wire),
            namespace: self.namespace.as_deref().map(Name::from_wire),
            ..ToolCall::named(Name::from_wire(&self.name))
        };
        let wanted = match &self.is {
            Expected::NotMcp => Mcp::NotMcp,
            Expected::Malformed => Mcp::Malformed,
            Expected::Tool { server, tool } => full(server, tool),
        };
        expected(&rules.of_call(self.provider, &call), &wanted)
    }
}
