//! The output items of a response, of which the tool calls are kept.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{ToolCall, ToolCalls},
};
use serde::Deserialize;

use super::PARSER;
use crate::distil::{
    calls::{self, Calls, Place},
    lax::{Lax, object},
    notes::Notes,
};

/// How a script of Codex's code mode writes a file.
const SCRIPT_WRITES: &str = "tools.apply_patch(";

/// An output item, or its beginning.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    input: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    execution: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    content: Lax<Vec<Lax<Part<'a>>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SpawnArguments<'a> {
    #[serde(borrow)]
    agent_type: Lax<Cow<'a, str>>,
}

object!(Item<'a>, Part<'a>, SpawnArguments<'a>);

impl Item<'_> {
    pub(super) fn is_call(&self) -> bool {
        self.kind.0.as_deref().is_some_and(|kind| kind.ends_with("_call"))
    }

    /// Whether it is a message in which the model refuses.
    pub(super) fn refuses(&self) -> bool {
        let parts = self.content.0.as_deref().unwrap_or_default();
        parts.iter().flat_map(|part| &part.0).any(|part| part.kind.0.as_deref() == Some("refusal"))
    }

    fn is_known(&self) -> bool {
        let known = |kind: &str| {
            matches!(kind, "message" | "reasoning" | "compaction" | "compaction_summary" | "agent_message")
                || kind.starts_with("mcp_")
                || kind.ends_with("_output")
        };
        self.is_call() || self.kind.0.as_deref().is_some_and(known)
    }

    fn call(&self) -> ToolCall<'static> {
        let kind = self.kind.0.as_deref().unwrap_or_default();
        let name = self.name.0.as_deref().unwrap_or(kind);
        ToolCall {
            namespace: self.namespace.name(),
            hosted: self.is_hosted(kind),
            writes_file: matches!(name, "apply_patch" | "apply_patch_call") || self.script_writes(name),
            agent: self.agent_type(name),
            ..calls::plain(name)
        }
    }

    /// OpenAI's own tools. A search for tools says where it runs; Codex runs it itself.
    fn is_hosted(&self, kind: &str) -> bool {
        match kind {
            "web_search_call"
            | "file_search_call"
            | "code_interpreter_call"
            | "image_generation_call"
            | "mcp_call" => true,
            "tool_search_call" => self.execution.0.as_deref() == Some("server"),
            _ => false,
        }
    }

    fn script_writes(&self, name: &str) -> bool {
        name == "exec" && self.input.0.as_deref().is_some_and(|script| script.contains(SCRIPT_WRITES))
    }

    fn agent_type(&self, name: &str) -> Option<Name<'static>> {
        let arguments = self.arguments.0.as_deref().filter(|_| name == "spawn_agent")?;
        serde_json::from_str::<SpawnArguments<'_>>(arguments).ok()?.agent_type.name()
    }
}

/// Collects the tool calls of a response. In a stream an item is met twice: when it begins, and when it is done.
/// Items begin in the order of their indices.
#[derive(Debug, Default)]
pub(super) struct ItemCalls {
    calls: Calls,
    /// The calls that have begun, by the index of their item.
    begun: Vec<(u64, Place)>,
    last_index: Option<u64>,
    any: bool,
    refused: bool,
}

impl ItemCalls {
    /// An item begins.
    pub(super) fn begin(&mut self, index: Option<u64>, item: &Item<'_>) {
        self.any = true;
        if index.is_none() || index <= self.last_index {
            return;
        }
        self.last_index = index;
        if item.is_call() {
            let place = self.add(item);
            self.begun.extend(index.zip(place));
        }
    }

    /// An item is done, and all of it is known.
    pub(super) fn done(&mut self, index: Option<u64>, item: &Item<'_>, notes: &mut Notes) {
        self.refused |= item.refuses();
        if !item.is_known() {
            notes.add(PARSER, "unknown_item");
        }
        self.begin(index, item);
        if !item.is_call() {
            return;
        }
        if index.is_none() {
            self.add(item);
        } else if let Some(&(_, place)) = self.begun.iter().find(|(begun, _)| Some(*begun) == index) {
            *self.calls.at(place) = item.call();
        }
    }

    /// Takes in the items of a finished response, if none was met before.
    pub(super) fn all_done(&mut self, items: &[Lax<Item<'_>>], notes: &mut Notes) {
        if self.any {
            return;
        }
        for (index, item) in (0..).zip(items) {
            self.done(Some(index), item.0.as_ref().unwrap_or(&Item::default()), notes);
        }
    }

    /// Whether the model refused.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    /// The calls; none if there was none.
    pub(super) fn into_facts(self) -> Option<ToolCalls<'static>> {
        self.calls.into_facts()
    }

    fn add(&mut self, item: &Item<'_>) -> Option<Place> {
        self.calls.count();
        self.calls.list(item.call())
    }
}
