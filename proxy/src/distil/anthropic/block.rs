//! The content blocks of an answer, of which the tool calls are kept.

use std::borrow::Cow;

use ccxray_shared::entry::{ToolCall, ToolCalls};
use serde::Deserialize;

use super::PARSER;
use crate::distil::{
    calls::{self, Calls, Place},
    lax::{Lax, object},
    notes::Notes,
};

/// A content block, or its start.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    input: Lax<ToolInput<'a>>,
}

/// The arguments of a tool call that are names.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ToolInput<'a> {
    #[serde(borrow)]
    skill: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    subagent_type: Lax<Cow<'a, str>>,
}

object!(Block<'a>, ToolInput<'a>);

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ToolCall,
    Other,
    Unknown,
}

impl Block<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self.kind.0.as_deref() {
            Some("tool_use" | "server_tool_use" | "mcp_tool_use") => Kind::ToolCall,
            Some("text" | "thinking" | "redacted_thinking" | "container_upload" | "compaction") => {
                Kind::Other
            }
            Some(kind) if kind.ends_with("_tool_result") => Kind::Other,
            Some(_) | None => Kind::Unknown,
        }
    }

    fn call(&self, name: &str) -> ToolCall<'static> {
        ToolCall {
            hosted: self.kind.0.as_deref() != Some("tool_use"),
            writes_file: matches!(name, "Write" | "Edit" | "MultiEdit" | "NotebookEdit"),
            ..calls::plain(name)
        }
    }
}

/// Collects the tool calls of an answer.
#[derive(Debug, Default)]
pub(super) struct BlockCalls(Calls);

impl BlockCalls {
    /// Takes in a block. Says where its arguments belong, if they are of interest and may still come.
    pub(super) fn add(&mut self, block: &Block<'_>, notes: &mut Notes) -> Option<Place> {
        match block.kind() {
            Kind::ToolCall => {}
            Kind::Other => return None,
            Kind::Unknown => {
                notes.add(PARSER, "unknown_block");
                return None;
            }
        }
        self.0.count();
        let Some(name) = block.name.0.as_deref() else {
            notes.add(PARSER, "tool_without_name");
            return None;
        };
        let place = self.0.list(block.call(name))?;
        if let Some(input) = &block.input.0 {
            self.add_input(place, input);
        }
        has_names(name).then_some(place)
    }

    /// Takes over the names in a call's arguments.
    pub(super) fn add_input(&mut self, place: Place, input: &ToolInput<'_>) {
        let call = self.0.at(place);
        match call.name.as_str() {
            "Skill" => call.skill = input.skill.name().or(call.skill.take()),
            "Agent" | "Task" => call.agent = input.subagent_type.name().or(call.agent.take()),
            _ => {}
        }
    }

    /// The calls; none if there was no tool-call block.
    pub(super) fn into_facts(self) -> Option<ToolCalls<'static>> {
        self.0.into_facts()
    }
}

/// Tools whose arguments name something: `Skill` the skill, `Agent` (once `Task`) the sub-agent's type.
fn has_names(tool: &str) -> bool {
    matches!(tool, "Skill" | "Agent" | "Task")
}
