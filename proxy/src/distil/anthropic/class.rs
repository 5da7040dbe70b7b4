//! The rules that tell what a request is for.

use std::borrow::Cow;

use ccxray_shared::entry::Class;
use serde::{Deserialize, de::SeqAccess};

use super::{
    conversation::Conversation,
    wording::{FETCHED_PAGE, HELPERS, QUOTA, SUMMARY_ASKS, SUMMARY_BEGINS},
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
            begins || self.is_claude_code && text.starts_with(SUMMARY_ASKS)
        })
    }

    /// Whether it is one of the client's small requests beside the conversation: by the helper's known wording, or
    /// because the client asks one thing without any tool, and not as an agent. Somebody else's request without tools
    /// is a turn.
    fn is_helpers(&self) -> bool {
        let begins =
            |pattern| self.conversation.last_text.as_ref().is_some_and(|text| text.starts_with(pattern));
        let is_fetched_page = begins(FETCHED_PAGE) && self.tools.count == 0 && self.only_text().is_some();
        let is_known = || HELPERS.iter().any(|pattern| begins(pattern));
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

#[cfg(test)]
mod tests {
    use ccxray_shared::{
        entry::{Agent, Route},
        key::Key,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::distil::{anthropic::request::read, memory::Memory, request::RequestFacts};

    fn facts_of(body: &Value, mut facts: RequestFacts) -> RequestFacts {
        read(body.to_string().as_bytes(), &Key::from_bytes([7; 32]), &mut Memory::default(), &mut facts);
        facts
    }

    /// Of a request without Claude Code's headers.
    fn facts(body: &Value) -> RequestFacts {
        facts_of(body, RequestFacts::of_route(Route::Messages))
    }

    #[test]
    fn a_title_is_a_request_without_tools_for_an_object_with_a_title() {
        let body = |property: &str, tools: Value| {
            let schema = json!({"type": "object", "properties": {property: {"type": "string"}}});
            json!({"messages": [{"role": "user", "content": "x"}], "tools": tools,
                "output_config": {"format": {"type": "json_schema", "schema": schema}}})
        };
        assert_eq!(facts(&body("title", json!([]))).class, Class::Title);
        assert_eq!(facts(&body("name", json!([]))).class, Class::Turn);
        assert_eq!(facts(&body("title", json!([{"name": "Bash"}]))).class, Class::Turn);
    }

    #[test]
    fn a_search_has_one_tool_and_must_use_it() {
        let tool = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 8});
        let body = |tools: Value, choice: Value| json!({"messages": [{"role": "user", "content": "x"}], "tools": tools, "tool_choice": choice});
        let forced = json!({"type": "tool", "name": "web_search"});
        assert_eq!(facts(&body(json!([tool]), forced.clone())).class, Class::WebSearch);
        assert_eq!(facts(&body(json!([tool]), json!({"type": "auto"}))).class, Class::Turn);
        assert_eq!(facts(&body(json!([tool, {"name": "Bash"}]), forced)).class, Class::Turn);
    }

    #[test]
    fn a_compaction_asks_for_a_summary_at_the_very_end() {
        let ask = "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nYour task is to create a detailed summary of the conversation so far";
        let user = |texts: &[&str]| {
            let blocks: Vec<_> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
            json!({"role": "user", "content": blocks})
        };
        let class =
            |messages: Value| facts(&json!({"messages": messages, "tools": [{"name": "Bash"}]})).class;
        assert_eq!(class(json!([user(&["hello", ask])])), Class::Compaction);
        assert_eq!(class(json!([{"role": "user", "content": ask}])), Class::Compaction);
        assert_eq!(class(json!([user(&[ask, "hello"])])), Class::Turn);
        let assistant = json!({"role": "assistant", "content": "a summary"});
        assert_eq!(class(json!([user(&[ask]), assistant, user(&["go on"])])), Class::Turn);
        assert_eq!(
            class(json!([user(&["CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."])])),
            Class::Turn
        );
    }

    #[test]
    fn a_single_quota_is_a_probe() {
        let body = |text: &str, max: u32| json!({"max_tokens": max, "messages": [{"role": "user", "content": text}]});
        assert_eq!(facts(&body("quota", 1)).class, Class::Probe);
        assert_eq!(facts(&body("quota", 100)).class, Class::Turn);
        assert_eq!(facts(&body("quota?", 1)).class, Class::Turn);
    }

    #[test]
    fn a_fetched_page_is_a_helper() {
        let body = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Web page content:\n---\nx"}]}]});
        assert_eq!(facts(&body).class, Class::Helper);
    }

    #[test]
    fn one_question_without_tools_is_claude_codes_helper_and_anybody_elses_turn() {
        let of_client = || {
            let session = Some(ccxray_shared::Name::from_wire("0123456789abcdef"));
            RequestFacts { session, ..RequestFacts::of_route(Route::Messages) }
        };
        let question = json!({"messages": [{"role": "user", "content": "x"}]});
        assert_eq!(facts(&question).class, Class::Turn);
        assert_eq!(facts_of(&question, of_client()).class, Class::Helper);
        let of_agent = RequestFacts { agent: Some(Agent { sub: true, ..Agent::default() }), ..of_client() };
        assert_eq!(facts_of(&question, of_agent).class, Class::Turn);
        let changed = |field: &str, value: Value| {
            let mut body = question.clone();
            body[field] = value;
            facts_of(&body, of_client()).class
        };
        assert_eq!(changed("context_management", json!({})), Class::Turn);
        assert_eq!(changed("tools", json!([{"name": "Bash"}])), Class::Turn);
        assert_eq!(changed("system", json!(["", "", {"text": super::super::wording::MAIN}])), Class::Turn);
        let said = json!({"role": "assistant", "content": "x"});
        assert_eq!(
            changed("messages", json!([question["messages"][0], said, question["messages"][0]])),
            Class::Turn
        );
    }

    #[test]
    fn the_recap_for_a_user_who_was_away_is_a_helper_whatever_tools_there_are() {
        let body = json!({"tools": [{"name": "Bash"}], "context_management": {}, "messages": [
            {"role": "user", "content": [{"type": "text", "text": "The user stepped away and is coming back. Recap in 40"}]}]});
        let session = Some(ccxray_shared::Name::from_wire("0123456789abcdef"));
        let of_client = RequestFacts { session, ..RequestFacts::of_route(Route::Messages) };
        assert_eq!((facts_of(&body, of_client).class, facts(&body).class), (Class::Helper, Class::Turn));
    }
}
