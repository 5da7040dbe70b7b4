//! A completion on the wire, or a chunk of it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::distil::{
    lax::{Lax, object},
    openai::{error::WireError, usage::WireUsage},
};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) model: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) choices: Lax<Vec<Lax<Choice<'a>>>>,
    pub(super) usage: Lax<WireUsage>,
    #[serde(borrow)]
    pub(super) service_tier: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) error: Lax<WireError<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Choice<'a> {
    pub(super) index: Lax<u64>,
    #[serde(borrow)]
    pub(super) delta: Lax<Message<'a>>,
    #[serde(borrow)]
    pub(super) message: Lax<Message<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Lax<Cow<'a, str>>,
}

/// A message, or what is added to one.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_calls: Lax<Vec<Lax<WireCall<'a>>>>,
    #[serde(borrow)]
    pub(super) function_call: Lax<Called<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireCall<'a> {
    pub(super) index: Lax<u64>,
    #[serde(borrow)]
    pub(super) function: Lax<Called<'a>>,
    #[serde(borrow)]
    pub(super) custom: Lax<Called<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Called<'a> {
    #[serde(borrow)]
    pub(super) name: Lax<Cow<'a, str>>,
}

object!(Chunk<'a>, Choice<'a>, Message<'a>, WireCall<'a>, Called<'a>);

impl Message<'_> {
    /// Whether the model says something in it, or calls a tool.
    pub(super) fn has_content(&self) -> bool {
        let texts = [self.content, self.reasoning_content, self.reasoning, self.refusal];
        texts.into_iter().any(says_something)
            || self.tool_calls.0.as_ref().is_some_and(|calls| !calls.is_empty())
            || self.function_call.0.is_some()
    }
}

/// Whether a text is there and not empty.
pub(super) fn says_something(text: Option<&RawValue>) -> bool {
    text.is_some_and(|text| !matches!(text.get(), "\"\"" | "[]"))
}
