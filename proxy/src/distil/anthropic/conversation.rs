//! The messages of a request: their count, the tool results that are new, and how the last user message ends.

use std::borrow::Cow;

use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use crate::distil::{
    lax::{Lax, Shape, object},
    words::Words,
};

/// What is kept of a request's messages, borrowed from its body.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    /// How many messages.
    pub(super) messages: u32,
    /// The tool results behind the last assistant message.
    pub(super) fresh: Vec<ToolResult<'a>>,
    /// Where the last user message ends in text: that text.
    pub(super) last_text: Option<Words<'a>>,
    /// Whether a text is all that the last user message holds.
    pub(super) only_text: bool,
    calls: Vec<Call<'a>>,
}

/// The result of a tool call.
#[derive(Debug)]
pub(super) struct ToolResult<'a> {
    /// Of which call; empty if it does not say.
    pub(super) call: Cow<'a, str>,
    /// Whether it is marked as failed. Many successes carry no mark at all.
    pub(super) failed: bool,
}

#[derive(Debug)]
struct Call<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
}

impl<'a> Conversation<'a> {
    /// The name of the tool that was called under `id`.
    pub(super) fn tool_called(&self, id: &str) -> Option<&str> {
        self.calls.iter().rev().find(|call| call.id == id).map(|call| &*call.name)
    }

    fn add(&mut self, message: Message<'a>) {
        self.messages = self.messages.saturating_add(1);
        let content = message.content.0.unwrap_or_default();
        match message.role.0.as_deref() {
            Some("assistant") => {
                self.fresh.clear();
                self.calls.extend(content.calls);
            }
            Some("user") => {
                self.fresh.extend(content.results);
                self.last_text = content.last_text;
                self.only_text = content.blocks == 1;
            }
            // A client may put system messages between the others.
            _ => {}
        }
    }
}

impl<'de: 'a, 'a> Shape<'de> for Conversation<'a> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut conversation = Self::default();
        while let Some(message) = seq.next_element::<Lax<Message<'a>>>()? {
            conversation.add(message.0.unwrap_or_default());
        }
        Ok(Some(conversation))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    content: Lax<Content<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    tool_use_id: Lax<Cow<'a, str>>,
    is_error: Lax<bool>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

object!(Message<'a>, Block<'a>);

/// A message's content: a text, or a list of blocks.
#[derive(Default)]
struct Content<'a> {
    blocks: u32,
    calls: Vec<Call<'a>>,
    results: Vec<ToolResult<'a>>,
    last_text: Option<Words<'a>>,
}

impl<'a> Content<'a> {
    fn add(&mut self, block: Block<'a>) {
        self.blocks = self.blocks.saturating_add(1);
        self.last_text = None;
        match block.kind.0.as_deref() {
            Some("text") => self.last_text = block.text.map(Words::Raw),
            Some("tool_use") => {
                if let (Some(id), Some(name)) = (block.id.0, block.name.0) {
                    self.calls.push(Call { id, name });
                }
            }
            Some("tool_result") => {
                let call = block.tool_use_id.0.unwrap_or_default();
                self.results.push(ToolResult { call, failed: block.is_error.0 == Some(true) });
            }
            _ => {}
        }
    }
}

impl<'de: 'a, 'a> Shape<'de> for Content<'a> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self { blocks: 1, last_text: Some(Words::Decoded(text)), ..Self::default() })
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut content = Self::default();
        while let Some(block) = seq.next_element::<Lax<Block<'a>>>()? {
            content.add(block.0.unwrap_or_default());
        }
        Ok(Some(content))
    }
}
