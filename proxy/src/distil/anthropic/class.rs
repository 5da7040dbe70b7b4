//! The rules that tell what a request is for.

use std::borrow::Cow;

use ccxray_shared::entry::Class;
use serde::{Deserialize, de::SeqAccess};

use super::{
    conversation::Conversation,
    wording::{HELPERS, QUOTA, SUMMARY_ASKS, SUMMARY_BEGINS},
};
use crate::distil::{
    lax::{Lax, Shape, drain, object},
    words::Words,
};

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
    /// Whether the request's headers are Claude Code's.
    pub(super) is_claude_code: bool,
    /// Whether one of its agents asks: the main one by its role's prompt, another by the headers, either by how it has
    /// its context managed.
    pub(super) is_agents: bool,
    pub(super) conversation: &'s Conversation<'a>,
}

/// What a Messages request is for.
pub(super) fn classify(signals: &Signals<'_, '_>) -> Class {
    if signals.asks_for_quota() {
        Class::Probe
    } else if signals.tools.count == 0 && signals.asks_for_title {
        Class::Title
    } else if signals.tools.count == 1 && signals.searches() {
        Class::WebSearch
    } else if signals.asks_for_summary() {
        Class::Compaction
    } else if signals.is_helpers() {
        Class::Helper
    } else {
        Class::Turn
    }
}

impl Signals<'_, '_> {
    fn asks_for_quota(&self) -> bool {
        self.max_tokens == Some(1) && self.only_text().is_some_and(|text| text.is(QUOTA))
    }

    fn searches(&self) -> bool {
        let is_search = self.tools.first.as_deref().is_some_and(|kind| kind.starts_with(SEARCH_TOOL));
        is_search && self.forced_tool.is_some()
    }

    fn asks_for_summary(&self) -> bool {
        self.conversation.last_text.as_ref().is_some_and(|text| {
            let begins = text.starts_with(SUMMARY_BEGINS) && text.contains(SUMMARY_ASKS);
            begins || text.starts_with(SUMMARY_ASKS)
        })
    }

    /// Whether it is one of the client's small requests beside the conversation: by the helper's known wording, or
    /// because the client asks one thing without any tool, and not as an agent. Somebody else's request without tools
    /// is a turn.
    fn is_helpers(&self) -> bool {
        let begins =
            |pattern| self.conversation.last_text.as_ref().is_some_and(|text| text.starts_with(pattern));
        let is_fetched_page = begins(HELPERS[0]) && self.tools.count == 0 && self.only_text().is_some();
        let is_known = || HELPERS[1..].iter().any(|pattern| begins(pattern));
        let asks_one_thing = || self.tools.count == 0 && self.conversation.messages == 1 && !self.is_agents;
        is_fetched_page || self.is_claude_code && (is_known() || asks_one_thing())
    }

    /// The text that is the whole conversation.
    fn only_text(&self) -> Option<&Words<'_>> {
        let is_alone = self.conversation.only_text && self.conversation.messages == 1;
        self.conversation.last_text.as_ref().filter(|_| is_alone)
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
