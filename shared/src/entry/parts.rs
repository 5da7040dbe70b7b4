//! The parts of an entry.

use serde::{Deserialize, Serialize};

use super::{is_false, is_zero};
use crate::Name;

/// An error as the provider stated it; its message is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFacts<'a> {
    /// The provider's word for it (`overloaded_error`, `RESOURCE_EXHAUSTED` …).
    #[serde(borrow, rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name<'a>>,
    /// The provider's code beside the type, where it has one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Name<'a>>,
    /// Whether it came inside a stream that had begun with success.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_stream: bool,
    /// Whether the message says that the prompt is too long for the model.
    #[serde(default, skip_serializing_if = "is_false")]
    pub context_length: bool,
}

/// The tool calls of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCalls<'a> {
    /// How many tool-call blocks the answer had, whether or not each could be read.
    pub blocks: u32,
    /// The calls, at most [`MAX_LISTED`]; `blocks` is the true count.
    #[serde(borrow, default)]
    pub calls: Vec<ToolCall<'a>>,
    /// How many of the blocks could not be read as a call: they name no tool.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

/// The most calls or names that an entry lists.
pub const MAX_LISTED: usize = 128;

/// One tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall<'a> {
    /// The tool's name as sent.
    #[serde(borrow)]
    pub name: Name<'a>,
    /// Its namespace as sent (Codex).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name<'a>>,
    /// The MCP server that it belongs to, where the exchange tells it apart from the name: stated beside the call, or
    /// found by the tools that the request declares.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Name<'a>>,
    /// The tools that its script calls, as the script spells them, once for each place; at most [`MAX_LISTED`].
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub scripted: Vec<Name<'a>>,
    /// The names of the dangerous patterns that its arguments match.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<Name<'a>>,
    /// Whether the provider runs it itself: no result of it comes from the client.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hosted: bool,
    /// Whether it writes a file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub writes_file: bool,
    /// The skill that it activates.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<Name<'a>>,
    /// The type of the sub-agent that it starts.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Name<'a>>,
}

impl<'a> ToolCall<'a> {
    /// A call of which no more than the tool's name is known.
    pub const fn named(name: Name<'a>) -> Self {
        Self {
            name,
            namespace: None,
            server: None,
            scripted: Vec::new(),
            patterns: Vec::new(),
            hosted: false,
            writes_file: false,
            skill: None,
            agent: None,
        }
    }
}

/// Tool results of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResults<'a> {
    /// How many.
    pub count: u32,
    /// How many are marked as failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u32,
    /// The failed tools, at most [`MAX_LISTED`]: their names as sent, but that of an MCP server's as
    /// `mcp__<server>__<tool>` where the request tells the server.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub failed_tools: Vec<Name<'a>>,
    /// The MCP tools that failed in scripts: of each failed script that calls one MCP tool and nothing else, that tool.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub failed_scripted: Vec<Name<'a>>,
}

/// Which of the client's agents asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent<'a> {
    /// The type, where the request shows it.
    #[serde(borrow, rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name<'a>>,
    /// Whether another agent started it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sub: bool,
    /// Keyed hash of its id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Name<'a>>,
}

/// Hints at the size of the session's context window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextHints {
    /// The window in tokens that the request asks for (Anthropic's one-million beta).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// How many messages the request holds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub messages: u32,
}

/// One rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit<'a> {
    /// Of what (`requests`, `tokens`, `input-tokens` …), from a closed list.
    #[serde(borrow)]
    pub limit: Name<'a>,
    /// How much is left.
    pub remaining: u64,
}

/// Something that a parser did not understand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseNote<'a> {
    /// Which parser, from a closed list.
    #[serde(borrow)]
    pub parser: Name<'a>,
    /// What happened, from a closed list.
    #[serde(borrow)]
    pub reason: Name<'a>,
    /// How often.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u32,
}
