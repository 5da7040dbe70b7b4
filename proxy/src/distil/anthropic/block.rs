//! The content blocks of an answer, of which the tool calls are kept.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{ToolCall, ToolCalls},
    name::MALFORMED,
};
use serde::Deserialize;

use super::{PARSER, agents};
use crate::distil::{
    calls::{self, Calls, Place},
    lax::{Lax, object},
    learnt::{Learnt, PromptDigest},
    notes::Notes,
    shell,
};

/// A content block, or its start.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    server_name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    input: Lax<ToolInput<'a>>,
}

/// The arguments of a tool call that something is told by.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ToolInput<'a> {
    #[serde(borrow)]
    skill: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    subagent_type: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    prompt: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    command: Lax<Cow<'a, str>>,
}

object!(Block<'a>, ToolInput<'a>);

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A call that the client carries out.
    ClientCall,
    /// A call that the provider carries out.
    HostedCall,
    Other,
    Unknown,
}

impl Kind {
    pub(super) fn is_call(self) -> bool {
        match self {
            Self::ClientCall | Self::HostedCall => true,
            Self::Other | Self::Unknown => false,
        }
    }
}

impl Block<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self.kind.0.as_deref() {
            Some("tool_use") => Kind::ClientCall,
            // `server_tool_use`, `mcp_tool_use`.
            Some(kind) if kind.ends_with("_tool_use") => Kind::HostedCall,
            Some("text" | "thinking" | "redacted_thinking" | "container_upload" | "compaction") => {
                Kind::Other
            }
            Some(kind) if kind.ends_with("_tool_result") => Kind::Other,
            Some(_) | None => Kind::Unknown,
        }
    }

    fn call(&self, name: &str) -> ToolCall<'static> {
        ToolCall {
            hosted: self.kind() == Kind::HostedCall,
            server: self.server_name.name(),
            writes_file: matches!(name, "Write" | "Edit" | "MultiEdit" | "NotebookEdit"),
            ..calls::plain(name)
        }
    }
}

/// Collects the tool calls of an answer.
#[derive(Debug, Default)]
pub(super) struct BlockCalls(Calls);

impl BlockCalls {
    /// Takes in a block. Says where its arguments belong, if something is told by them and they may still come.
    pub(super) fn add(&mut self, block: &Block<'_>, notes: &mut Notes) -> Option<Place> {
        let kind = block.kind();
        match kind {
            Kind::ClientCall | Kind::HostedCall => {}
            Kind::Other => return None,
            Kind::Unknown => {
                notes.add(PARSER, "unknown_block");
                return None;
            }
        }
        self.0.count();
        let Some(name) = block.name.0.as_deref().filter(|name| !name.is_empty()) else {
            self.0.unreadable();
            notes.add(PARSER, "tool_without_name");
            return None;
        };
        let call = block.call(name);
        if let (Kind::ClientCall, Some(id)) = (kind, block.id.0.as_deref()) {
            self.0.learnt.call(id, call.name.clone());
        }
        let place = self.0.list(call)?;
        if kind == Kind::HostedCall || !has_telling_input(name) {
            return None;
        }
        if let Some(input) = &block.input.0 {
            self.add_input(place, input);
        }
        Some(place)
    }

    /// Takes over what is told by a call's arguments.
    pub(super) fn add_input(&mut self, place: Place, input: &ToolInput<'_>) {
        let call = self.0.at(place);
        match call.name.as_str() {
            "Skill" => call.skill = input.skill_name().or(call.skill.take()),
            "Agent" | "Task" => {
                call.agent = input.subagent_type.name().or(call.agent.take());
                if let (Some(kind), Some(prompt)) = (call.agent.as_ref(), input.prompt.0.as_deref()) {
                    let kind = agents::canonical(kind);
                    self.0.learnt.agent(PromptDigest::of(prompt), kind);
                }
            }
            "Bash" => {
                if let Some(command) = input.command.0.as_deref() {
                    call.patterns = shell::patterns(command).into_iter().map(Name::from_wire).collect();
                }
            }
            _ => {}
        }
    }

    /// A call whose arguments are complete.
    pub(super) fn end(&mut self, place: Place, notes: &mut Notes) {
        let call = self.0.at(place);
        if call.name.as_str() == "Skill" && call.skill.is_none() {
            notes.add(PARSER, "skill_without_name");
        }
    }

    /// The calls, none if there was no tool-call block, and what they teach.
    pub(super) fn into_parts(self) -> (Option<ToolCalls<'static>>, Learnt) {
        self.0.into_parts()
    }
}

impl ToolInput<'_> {
    /// The skill that a `Skill` call names; `command` is what the argument was called at first.
    fn skill_name(&self) -> Option<Name<'static>> {
        self.skill.name().or(self.command.name()).filter(|name| name.as_str() != MALFORMED)
    }
}

/// Tools of whose arguments something is told: `Skill` names the skill, `Agent` (once `Task`) the sub-agent's type,
/// `Bash` has the command.
fn has_telling_input(tool: &str) -> bool {
    matches!(tool, "Skill" | "Agent" | "Task" | "Bash")
}
