//! The body of a Messages request, read in one pass and without its texts.

use std::borrow::Cow;

use ccxray_shared::{
    entry::ContextHints,
    key::{HashOf, Key},
};
use serde::{
    Deserialize,
    de::{IgnoredAny, SeqAccess},
};

use super::{
    PARSER, agents,
    class::{self, Signals, Tools},
    conversation::Conversation,
    session,
    wording::STATED_DIR,
};
use crate::distil::{
    lax::{Lax, Shape, drain, object},
    memory::Memory,
    request::RequestFacts,
};

/// Adds what `body` tells to `facts`, which hold what the headers told.
pub(crate) fn read(body: &[u8], key: &Key, memory: &mut Memory, facts: &mut RequestFacts) {
    let Ok(body) = serde_json::from_slice::<Body<'_>>(body) else {
        facts.notes.add(PARSER, "bad_request_json");
        return;
    };
    let role_prompt = body.system.0.as_ref().map_or("", |system| &system.role_prompt);
    let conversation = body.messages.0.unwrap_or_else(|| {
        facts.notes.add(PARSER, "no_messages");
        Conversation::default()
    });
    facts.model = body.model.name();
    let is_claude_code = facts.session.is_some();
    if facts.session.is_none() {
        let user_id = body.metadata.0.and_then(|metadata| metadata.user_id.0);
        let id = user_id.as_deref().and_then(session_in);
        facts.session = id.map(|id| key.hash(HashOf::Session, id.as_bytes()));
    }
    if facts.session.is_none() {
        let begins = conversation.opening.first();
        facts.conversation = begins.map(|text| key.hash(HashOf::Prompt, text.text().as_bytes()));
    }
    facts.agent = agents::agent(facts.agent.take(), role_prompt);
    facts.class = class::classify(&Signals {
        max_tokens: body.max_tokens.0,
        tools: body.tools.0.unwrap_or_default(),
        forced_tool: body.tool_choice.0.and_then(|choice| choice.name.0).as_deref(),
        asks_for_title: body.output_config.0.is_some_and(OutputConfig::asks_for_title),
        is_claude_code,
        is_agents: facts.agent.is_some() || body.context_management.is_some(),
        conversation: &conversation,
    });
    facts.context.get_or_insert_with(ContextHints::default).messages = conversation.messages;
    facts.stated_dir = stated_dir(role_prompt);
    session::add(&conversation, key, memory, facts);
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    model: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Lax<Conversation<'a>>,
    #[serde(borrow)]
    system: Lax<System<'a>>,
    #[serde(borrow)]
    tools: Lax<Tools<'a>>,
    #[serde(borrow)]
    tool_choice: Lax<ToolChoice<'a>>,
    #[serde(borrow)]
    metadata: Lax<Metadata<'a>>,
    max_tokens: Lax<u64>,
    #[serde(borrow)]
    output_config: Lax<OutputConfig<'a>>,
    context_management: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ToolChoice<'a> {
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    user_id: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputConfig<'a> {
    #[serde(borrow)]
    format: Lax<Format<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Format<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    schema: Lax<Schema>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Schema {
    properties: Lax<Properties>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Properties {
    title: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct UserId<'a> {
    #[serde(borrow)]
    session_id: Lax<Cow<'a, str>>,
}

object!(ToolChoice<'a>, Metadata<'a>, OutputConfig<'a>, Format<'a>, Schema, Properties);

impl OutputConfig<'_> {
    fn asks_for_title(self) -> bool {
        let Some(format) = self.format.0 else { return false };
        let properties = format.schema.0.and_then(|schema| schema.properties.0);
        format.kind.0.as_deref() == Some("json_schema")
            && properties.is_some_and(|properties| properties.title.is_some())
    }
}

/// The system prompt: billing line, identity, and the prompt of the role, of which only the last is looked at.
#[derive(Default)]
struct System<'a> {
    role_prompt: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TextBlock<'a> {
    #[serde(borrow)]
    text: Lax<Cow<'a, str>>,
}

object!(TextBlock<'a>);

impl<'de: 'a, 'a> Shape<'de> for System<'a> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        for _ in 0..2 {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let block = seq.next_element::<Lax<TextBlock<'a>>>()?;
        drain(seq)?;
        let text = block.and_then(|block| block.0).and_then(|block| block.text.0);
        Ok(text.map(|role_prompt| Self { role_prompt }))
    }
}

/// The session in `metadata.user_id`: a JSON text with `session_id`; before that it was
/// `user_…_account_…_session_<id>`.
fn session_in(user_id: &str) -> Option<Cow<'_, str>> {
    if let Ok(UserId { session_id: Lax(Some(id)) }) = serde_json::from_str(user_id) {
        return Some(id).filter(|id| !id.is_empty());
    }
    user_id.rsplit_once("_session_").map(|(_, id)| Cow::Borrowed(id)).filter(|id| !id.is_empty())
}

/// The one working directory that the role's prompt states; none if it states two.
fn stated_dir(role_prompt: &str) -> Option<String> {
    let mut dirs = role_prompt.lines().filter_map(|line| line.strip_prefix(STATED_DIR));
    let dir = dirs.next()?;
    (dir.starts_with('/') && dirs.all(|other| other == dir)).then(|| dir.to_owned())
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{Class, Parse, Route};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TURN: &[u8] = include_bytes!("../../../fixtures/turn.request.json");

    fn facts_of(body: &[u8]) -> RequestFacts {
        let mut facts = RequestFacts::of_route(Route::Messages);
        read(body, &Key::from_bytes([7; 32]), &mut Memory::default(), &mut facts);
        facts
    }

    fn facts(body: &Value) -> RequestFacts {
        facts_of(body.to_string().as_bytes())
    }

    fn system(role_prompt: &str) -> Value {
        json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "text", "text": role_prompt}])
    }

    #[test]
    fn the_session_is_found_in_both_forms_of_the_user_id() {
        assert_eq!(session_in(r#"{"device_id":"d","session_id":"s-1"}"#).as_deref(), Some("s-1"));
        assert_eq!(session_in("user_abc_account_1_session_s-1").as_deref(), Some("s-1"));
        for none in ["", "somebody", r#"{"session_id":""}"#, "user_1_session_"] {
            assert_eq!(session_in(none), None);
        }
        let by = |user_id: &str| facts(&json!({"messages": [], "metadata": {"user_id": user_id}})).session;
        assert_eq!(by(r#"{"session_id":"s-1"}"#), by("user_x_account__session_s-1"));
        assert_eq!(by("somebody"), None);
    }

    #[test]
    fn the_directory_is_stated_in_one_place_only() {
        let line = " - Primary working directory: /home/dev/a b";
        assert_eq!(stated_dir(&format!("x\n{line}\ny")).as_deref(), Some("/home/dev/a b"));
        assert_eq!(stated_dir(&format!("{line}\n{line}")).as_deref(), Some("/home/dev/a b"));
        assert_eq!(stated_dir(&format!("{line}\n - Primary working directory: /other")), None);
        assert_eq!(stated_dir(" - Primary working directory: not a path"), None);
        assert_eq!(stated_dir(&format!("see{line}")), None);
        let elsewhere = json!({"messages": [{"role": "user", "content": line}], "system": [{"type": "text", "text": line}]});
        assert_eq!(facts(&elsewhere).stated_dir, None);
        let here = json!({"messages": [], "system": system(line)});
        assert_eq!(facts(&here).stated_dir.as_deref(), Some("/home/dev/a b"));
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts = facts(
            &json!({"model": "m", "messages": [7, {"role": 3}, {"role": "user", "content": [null, {"type": "text", "text": {}}]}],
            "system": "text", "tools": {"a": 1}, "tool_choice": [], "metadata": null, "max_tokens": "1", "output_config": {"format": 3}}),
        );
        assert_eq!(facts.model.as_deref(), Some("m"));
        assert_eq!((facts.context.unwrap().messages, facts.class), (3, Class::Turn));
        assert_eq!(facts.notes.parse(), Parse::Ok);
    }

    proptest! {
        #[test]
        fn a_spoilt_request_never_panics(at in 0..TURN.len(), with: u8, end in 0..TURN.len()) {
            let mut spoilt = TURN.to_vec();
            spoilt[at] = with;
            facts_of(&spoilt);
            facts_of(&spoilt[..end]);
        }
    }
}
