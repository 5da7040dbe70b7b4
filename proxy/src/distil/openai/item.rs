//! The output items of a response, of which the tool calls are kept.

use std::borrow::Cow;

use ccxray_shared::entry::{MAX_LISTED, ToolCall, ToolCalls};
use serde::Deserialize;

use super::{
    PARSER,
    effects::{self, Arguments, Input},
};
use crate::distil::{
    calls,
    lax::{Lax, object},
    learnt::{Learnt, MAX_ID, PromptDigest},
    notes::Notes,
};

/// An output item, or its beginning.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    call_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    server_label: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    input: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    action: Lax<Arguments<'a>>,
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

object!(Item<'a>, Part<'a>);

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

    /// The call; none if it does not name the tool. A tool of OpenAI's own is named by the kind of item.
    fn call(&self) -> Option<ToolCall<'static>> {
        let kind = self.kind.0.as_deref().unwrap_or_default();
        let name = match kind {
            "function_call" | "custom_tool_call" | "mcp_call" => self.name.0.as_deref()?,
            _ => self.name.0.as_deref().unwrap_or(kind),
        };
        let mut call = ToolCall {
            namespace: self.namespace.name(),
            server: self.server_label.name(),
            hosted: self.is_hosted(kind),
            writes_file: kind == "apply_patch_call",
            ..calls::plain(name)
        };
        effects::add(&self.handed_over(), &mut call);
        Some(call)
    }

    fn handed_over(&self) -> Input<'_> {
        Input {
            arguments: self.arguments.0.as_deref(),
            action: self.action.0.as_ref(),
            text: self.input.0.as_deref(),
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
}

/// Collects the tool calls of a response. In a stream an item is met twice: when it begins, and when it is done.
/// Items begin in the order of their indices.
#[derive(Debug, Default)]
pub(super) struct ItemCalls {
    blocks: u32,
    /// The calls that are listed.
    calls: Vec<Met>,
    last_index: Option<u64>,
    any: bool,
    refused: bool,
}

/// A call as far as it has been met.
#[derive(Debug)]
struct Met {
    index: Option<u64>,
    /// The id under which its result will be reported.
    id: Option<String>,
    /// With which a sub-agent is started.
    prompt: Option<PromptDigest>,
    /// None as long as it names no tool.
    call: Option<ToolCall<'static>>,
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
            self.add(index, item);
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
            self.add(None, item);
        } else if let Some(met) = self.calls.iter_mut().find(|met| met.index == index) {
            *met = Met::new(index, item);
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

    /// The calls, if there was any, and what is to be remembered of them.
    pub(super) fn into_facts(self, notes: &mut Notes) -> (Option<ToolCalls<'static>>, Learnt) {
        let mut tools = ToolCalls { blocks: self.blocks, ..ToolCalls::default() };
        let mut learnt = Learnt::default();
        for Met { id, prompt, call, .. } in self.calls {
            let Some(call) = call else {
                tools.unreadable += 1;
                notes.add(PARSER, "tool_without_name");
                continue;
            };
            if let Some(id) = id {
                learnt.call(&id, effects::called(&call));
            }
            if let (Some(prompt), Some(kind)) = (prompt, &call.agent) {
                learnt.agent(prompt, kind.clone());
            }
            tools.calls.push(call);
        }
        ((tools.blocks > 0).then_some(tools), learnt)
    }

    fn add(&mut self, index: Option<u64>, item: &Item<'_>) {
        self.blocks = self.blocks.saturating_add(1);
        if self.calls.len() < MAX_LISTED {
            self.calls.push(Met::new(index, item));
        }
    }
}

impl Met {
    fn new(index: Option<u64>, item: &Item<'_>) -> Self {
        let call = item.call();
        let prompt = call.as_ref().and_then(|call| effects::prompt(&item.handed_over(), call));
        let id = item.call_id.0.as_deref().filter(|id| id.len() <= MAX_ID);
        Self { index, id: id.map(str::to_owned), prompt, call }
    }
}
