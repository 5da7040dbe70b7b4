//! The body of a Messages request, read in one pass and without its texts.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{Agent, ContextHints, MAX_LISTED, ToolResults},
    key::{HashOf, Key},
};
use serde::{
    Deserialize,
    de::{IgnoredAny, SeqAccess},
};

use super::{
    PARSER,
    class::{self, Signals, Tools},
    conversation::{Conversation, drain},
};
use crate::distil::{
    lax::{Lax, Shape, object},
    request::{Memory, RequestFacts},
};

/// Where Claude Code states its working directory: a line of the third system block.
const STATED_DIR: &str = " - Primary working directory: ";

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
    facts.model = body.model.0.map(|model| Name::from_wire(&model).into_owned());
    if facts.session.is_none() {
        let user_id = body.metadata.0.and_then(|metadata| metadata.user_id.0);
        facts.session =
            user_id.as_deref().and_then(session_in).map(|id| key.hash(HashOf::Session, id.as_bytes()));
    }
    facts.class = class::classify(&Signals {
        max_tokens: body.max_tokens.0,
        tools: body.tools.0.unwrap_or_default(),
        forced_tool: body.tool_choice.0.and_then(|choice| choice.name.0).as_deref(),
        asks_for_title: body.output_config.0.is_some_and(OutputConfig::asks_for_title),
        conversation: &conversation,
    });
    facts.agent = agent(facts.agent.take(), role_prompt);
    facts.context.get_or_insert_with(ContextHints::default).messages = conversation.messages;
    facts.stated_dir = stated_dir(role_prompt);
    facts.results = results(&conversation, memory, facts);
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
        return Some(id);
    }
    user_id.rsplit_once("_session_").map(|(_, id)| Cow::Borrowed(id))
}

/// The one working directory that the role's prompt states; none if it states two.
fn stated_dir(role_prompt: &str) -> Option<String> {
    let mut dirs = role_prompt.lines().filter_map(|line| line.strip_prefix(STATED_DIR));
    let dir = dirs.next()?;
    (dir.starts_with('/') && dirs.all(|other| other == dir)).then(|| dir.to_owned())
}

fn agent(known: Option<Agent<'static>>, role_prompt: &str) -> Option<Agent<'static>> {
    let mut agent = known.unwrap_or_default();
    agent.kind = class::agent_type(agent.sub, role_prompt).map(Name::from_wire);
    (agent != Agent::default()).then_some(agent)
}

/// Results that no earlier request of the session reported: a retry, a fallback to another model or a request
/// for a summary reports the same ones again.
fn results(
    conversation: &Conversation<'_>,
    memory: &mut Memory,
    facts: &mut RequestFacts,
) -> Option<ToolResults<'static>> {
    let mut results = ToolResults::default();
    for result in &conversation.fresh {
        let session = facts.session.as_ref();
        if session.is_some_and(|session| memory.results.see(session, result.call.as_bytes()) > 0) {
            continue;
        }
        results.count += 1;
        if !result.failed {
            continue;
        }
        results.failed += 1;
        match conversation.tool_called(&result.call) {
            Some(name) if results.failed_tools.len() < MAX_LISTED => {
                results.failed_tools.push(Name::from_wire(name).into_owned());
            }
            Some(_) => {}
            None => facts.notes.add(PARSER, "result_without_call"),
        }
    }
    (results.count > 0).then_some(results)
}
