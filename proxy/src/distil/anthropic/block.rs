//! The content blocks of an answer, of which the tool calls are kept.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{MAX_LISTED, ToolCall, ToolCalls},
};
use serde::Deserialize;

use super::PARSER;
use crate::distil::{
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
}

/// The place of a call in the list whose arguments hold a name that we want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted(usize);

/// Collects the tool calls of an answer.
#[derive(Debug, Default)]
pub(super) struct Calls(ToolCalls<'static>);

impl Calls {
    /// Takes in a block. Says where its arguments belong, if they are of interest and may still come.
    pub(super) fn add(&mut self, block: &Block<'_>, notes: &mut Notes) -> Option<Wanted> {
        match block.kind() {
            Kind::ToolCall => {}
            Kind::Other => return None,
            Kind::Unknown => {
                notes.add(PARSER, "unknown_block");
                return None;
            }
        }
        self.0.blocks = self.0.blocks.saturating_add(1);
        let Some(name) = block.name.0.as_deref() else {
            notes.add(PARSER, "tool_without_name");
            return None;
        };
        if self.0.calls.len() == MAX_LISTED {
            return None;
        }
        self.0.calls.push(call(name));
        let place = Wanted(self.0.calls.len() - 1);
        if let Some(input) = &block.input.0 {
            self.add_input(place, input);
        }
        has_names(name).then_some(place)
    }

    /// Takes over the names in a call's arguments.
    pub(super) fn add_input(&mut self, Wanted(place): Wanted, input: &ToolInput<'_>) {
        let name =
            |text: &Lax<Cow<'_, str>>| text.0.as_deref().map(|text| Name::from_wire(text).into_owned());
        let call = &mut self.0.calls[place];
        match call.name.as_str() {
            "Skill" => call.skill = name(&input.skill).or(call.skill.take()),
            "Agent" | "Task" => call.agent = name(&input.subagent_type).or(call.agent.take()),
            _ => {}
        }
    }

    /// The calls; none if there was no tool-call block.
    pub(super) fn into_facts(self) -> Option<ToolCalls<'static>> {
        (self.0.blocks > 0).then_some(self.0)
    }
}

fn call(name: &str) -> ToolCall<'static> {
    ToolCall {
        name: Name::from_wire(name).into_owned(),
        namespace: None,
        patterns: Vec::new(),
        writes_file: matches!(name, "Write" | "Edit" | "MultiEdit" | "NotebookEdit"),
        skill: None,
        agent: None,
    }
}

/// Tools whose arguments name something: `Skill` the skill, `Agent` (once `Task`) the sub-agent's type.
fn has_names(tool: &str) -> bool {
    matches!(tool, "Skill" | "Agent" | "Task")
}
