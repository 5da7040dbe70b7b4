//! The messages of a request: how many, what the last ones report, and what the client's own texts among them show.

use std::borrow::Cow;

use ccxray_shared::Name;
use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use super::{
    mode::{self, Sign},
    skill,
};
use crate::distil::{
    lax::{Lax, Shape, drain, object},
    words::Words,
};

/// What is kept of a request's messages, borrowed from its body.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    /// How many messages.
    pub(super) messages: u32,
    /// The tool results behind the last assistant message.
    pub(super) fresh: Vec<ToolResult<'a>>,
    /// The skills that the user called behind the last assistant message.
    pub(super) skills: Vec<CalledSkill>,
    /// Where the last user message ends in text: that text.
    pub(super) last_text: Option<Words<'a>>,
    /// Whether a text is all that the last user message holds.
    pub(super) only_text: bool,
    /// The texts of the first user message that are not the client's own.
    pub(super) opening: Vec<Words<'a>>,
    /// What shows of the permission mode, in order.
    pub(super) signs: Vec<Sign>,
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

/// A skill that the user called.
#[derive(Debug)]
pub(super) struct CalledSkill {
    /// Its name; none if it cannot be read.
    pub(super) name: Option<Name<'static>>,
    /// In which message.
    pub(super) message: u32,
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

    /// The id of the last call; empty if there is none.
    pub(super) fn last_call(&self) -> &str {
        self.calls.last().map_or("", |call| &*call.id)
    }

    fn add(&mut self, message: Message<'a>) {
        self.messages = self.messages.saturating_add(1);
        let content = message.content.0.unwrap_or_default();
        match message.role.0.as_deref() {
            Some("assistant") => {
                self.fresh.clear();
                self.skills.clear();
                self.calls.extend(content.calls);
            }
            Some("user") => self.add_users(content),
            // The client may put messages of its own between the others.
            Some("system") => {
                content.texts.iter().for_each(|text| mode::signs_between(text, &mut self.signs));
            }
            Some(_) | None => {}
        }
    }

    fn add_users(&mut self, content: Content<'a>) {
        self.signs.extend(content.denials);
        content.texts.iter().for_each(|text| mode::signs_in_reminder(text, &mut self.signs));
        let message = self.messages;
        self.skills.extend(skill::called_in(&content.texts).map(|name| CalledSkill { name, message }));
        self.fresh.extend(content.results);
        self.last_text = content.texts.last().filter(|_| content.ends_in_text).cloned();
        self.only_text = content.blocks == 1;
        if self.opening.is_empty() {
            self.opening.extend(content.texts.into_iter().filter(|text| !mode::is_reminder(text)));
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
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

object!(Message<'a>, Block<'a>);

impl Block<'_> {
    /// What the result of a call that was not allowed shows.
    fn denial(&self) -> Option<Sign> {
        let Lax(text) = serde_json::from_str::<Lax<FirstText<'_>>>(self.content?.get()).ok()?;
        mode::sign_of_denial(&text?.0)
    }
}

/// The text with which a tool's result begins.
struct FirstText<'a>(Cow<'a, str>);

#[derive(Deserialize, Default)]
#[serde(default)]
struct TextBlock<'a> {
    #[serde(borrow)]
    text: Lax<Cow<'a, str>>,
}

object!(TextBlock<'a>);

impl<'de: 'a, 'a> Shape<'de> for FirstText<'a> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let block = seq.next_element::<Lax<TextBlock<'a>>>()?;
        drain(seq)?;
        Ok(block.and_then(|block| block.0?.text.0).map(Self))
    }
}

/// A message's content: a text, or a list of blocks.
#[derive(Default)]
struct Content<'a> {
    blocks: u32,
    calls: Vec<Call<'a>>,
    results: Vec<ToolResult<'a>>,
    denials: Vec<Sign>,
    texts: Vec<Words<'a>>,
    ends_in_text: bool,
}

impl<'a> Content<'a> {
    fn add(&mut self, block: Block<'a>) {
        self.blocks = self.blocks.saturating_add(1);
        self.ends_in_text = false;
        match block.kind.0.as_deref() {
            Some("text") => {
                self.ends_in_text = block.text.is_some();
                self.texts.extend(block.text.map(Words::Raw));
            }
            Some("tool_use") => {
                if let (Some(id), Some(name)) = (block.id.0, block.name.0) {
                    self.calls.push(Call { id, name });
                }
            }
            Some("tool_result") => {
                let failed = block.is_error.0 == Some(true);
                self.denials.extend(failed.then(|| block.denial()).flatten());
                self.results.push(ToolResult { call: block.tool_use_id.0.unwrap_or_default(), failed });
            }
            Some(_) | None => {}
        }
    }
}

impl<'de: 'a, 'a> Shape<'de> for Content<'a> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self { blocks: 1, texts: vec![Words::Decoded(text)], ends_in_text: true, ..Self::default() })
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut content = Self::default();
        while let Some(block) = seq.next_element::<Lax<Block<'a>>>()? {
            content.add(block.0.unwrap_or_default());
        }
        Ok(Some(content))
    }
}
