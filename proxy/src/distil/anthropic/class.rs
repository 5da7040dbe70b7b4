//! The rules that tell what a request is for.

use std::borrow::Cow;

use ccxray_shared::entry::Class;
use serde::{Deserialize, de::SeqAccess};

use super::{
    conversation::Conversation,
    wording::{HELPERS, QUOTA, SUMMARY_ASKS, SUMMARY_BEGINS},
};
use crate::distil::lax::{Lax, Shape, drain, object};

/// The server-side search tool, without its date.
const SEARCH_TOOL: &str = "web_search_";

/// What the rules look at.
pub(super) struct Signals<'s, 'a> {
    pub(super) max_tokens: Option<u64>,
    pub(super) tools: Tools<'a>,
    /// The tool that the model must call.
    pub(super) forced_tool: Option<&'s str>,
    /// Whether the answer must be a JSON object with a title.
    pub(super) asks_for_title: bool,
    pub(super) conversation: &'s Conversation<'a>,
}

/// What a Messages request is for.
pub(super) fn classify(signals: &Signals<'_, '_>) -> Class {
    let last_text = signals.conversation.last_text.as_ref();
    let only_text =
        last_text.filter(|_| signals.conversation.only_text && signals.conversation.messages == 1);
    let is_search = signals.tools.first.as_deref().is_some_and(|kind| kind.starts_with(SEARCH_TOOL));
    if signals.max_tokens == Some(1) && only_text.is_some_and(|text| text.is(QUOTA)) {
        Class::Probe
    } else if signals.tools.count == 0 && signals.asks_for_title {
        Class::Title
    } else if signals.tools.count == 1 && is_search && signals.forced_tool.is_some() {
        Class::WebSearch
    } else if last_text.is_some_and(|text| text.starts_with(SUMMARY_BEGINS) && text.contains(SUMMARY_ASKS)) {
        Class::Compaction
    } else if signals.tools.count == 0 && only_text.is_some_and(|text| text.starts_with(HELPERS[0])) {
        Class::Helper
    } else {
        Class::Turn
    }
}

/// The tools that a request offers: how many, and the type of the first.
#[derive(Default)]
pub(super) struct Tools<'a> {
    pub(super) count: usize,
    pub(super) first: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tool<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
}

object!(Tool<'a>);

impl<'de: 'a, 'a> Shape<'de> for Tools<'a> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let Some(first) = seq.next_element::<Lax<Tool<'a>>>()? else { return Ok(Some(Self::default())) };
        let count = 1 + drain(seq)?;
        Ok(Some(Self { count, first: first.0.and_then(|tool| tool.kind.0) }))
    }
}
