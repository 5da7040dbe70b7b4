//! The body of a request for content, read in one pass and without its texts.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{Class, ContextHints, Trigger},
    key::Key,
};
use hyper::header::USER_AGENT;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    PARSER,
    class::{self, Signals},
    conversation::Conversation,
    mode,
    servers::Servers,
    session,
    tools::Tools,
};
use crate::distil::{
    lax::{Lax, object},
    learnt::PromptDigest,
    memory::Memory,
    request::{Head, RequestFacts},
    results,
    turns::LastTurn,
    words::Words,
};

/// Half of the window, in tokens, that Gemini CLI counts with for every model.
const ROOM: u64 = 1_048_576 / 2;

/// Adds what `body` tells to `facts`, which hold what the path told.
pub(crate) fn read(head: Head<'_>, body: &[u8], key: &Key, memory: &mut Memory, facts: &mut RequestFacts) {
    let Ok(Lax(Some(outer))) = serde_json::from_slice::<Lax<Body<'_>>>(body) else {
        facts.notes.add(PARSER, "bad_request_json");
        return;
    };
    if let Some(model) = outer.model.name().filter(|_| facts.model.is_none()) {
        facts.model = Some(model);
    }
    let Some(inner) = outer.request else { return read_content(head, outer, key, memory, facts) };
    match serde_json::from_str(inner.get()) {
        Ok(Lax(Some(inner))) => read_content(head, inner, key, memory, facts),
        Ok(Lax(None)) | Err(_) => facts.notes.add(PARSER, "bad_request"),
    }
}

/// The request, or the wrapper around it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    model: Lax<Cow<'a, str>>,
    /// After a Google log-in everything but the model is in here.
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow, rename = "session_id")]
    session_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    contents: Lax<Conversation<'a>>,
    #[serde(borrow)]
    system_instruction: Lax<Instruction<'a>>,
    #[serde(borrow)]
    tools: Lax<Tools<'a>>,
    #[serde(borrow)]
    generation_config: Lax<GenerationConfig<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Instruction<'a> {
    #[serde(borrow)]
    parts: Lax<Vec<Lax<Part<'a>>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct GenerationConfig<'a> {
    #[serde(borrow)]
    response_mime_type: Lax<Cow<'a, str>>,
}

object!(Body<'a>, Instruction<'a>, Part<'a>, GenerationConfig<'a>);

impl<'a> Instruction<'a> {
    fn text(&self) -> Option<Words<'a>> {
        let parts = self.parts.0.as_deref().unwrap_or_default();
        parts.first()?.0.as_ref()?.text.map(Words::Raw)
    }
}

fn read_content(head: Head<'_>, body: Body<'_>, key: &Key, memory: &mut Memory, facts: &mut RequestFacts) {
    let conversation = body.contents.0.unwrap_or_else(|| {
        facts.notes.add(PARSER, "no_contents");
        Conversation::default()
    });
    let system = body.system_instruction.0.and_then(|instruction| instruction.text());
    let tools = body.tools.0.unwrap_or_default();
    let mime_type = body.generation_config.0.and_then(|config| config.response_mime_type.0);
    facts.class = class::classify(&Signals {
        route: head.route,
        system: system.as_ref(),
        tools: &tools,
        asks_for_json: mime_type.as_deref() == Some("application/json"),
        last_text: conversation.last_text.as_ref(),
        from_cli: is_cli(head),
    });
    facts.agent = class::agent(facts.class, system.as_ref(), &tools);
    if facts.class == Class::Turn && facts.agent.as_ref().is_some_and(|agent| !agent.sub) {
        facts.permission_mode = mode::shown(system.as_ref(), &tools).map(Name::from_wire);
    }
    facts.context = Some(ContextHints { window: None, messages: conversation.contents });
    facts.stated_dir = conversation.first_texts.first().and_then(session::stated_dir);
    session::name(body.session_id.0.as_deref(), &conversation, key, facts);
    facts.prompts = prompts(&conversation, key, facts);
    if facts.class == Class::Compaction {
        facts.compaction = trigger(memory, facts);
    }
    let servers = if is_cli(head) { Servers::of(tools.names()) } else { Servers::default() };
    let shown = |call: &str| conversation.tool_called(call).map(|name| servers.reported_name(name).into());
    results::add(conversation.results(), shown, memory, PARSER, facts);
    facts.servers = servers;
}

/// The texts with which a sub-agent may have been started.
fn prompts(conversation: &Conversation<'_>, key: &Key, facts: &RequestFacts) -> Vec<Name<'static>> {
    let is_sub = facts.agent.as_ref().is_some_and(|agent| agent.sub);
    let texts = conversation.first_texts.iter().filter(|_| is_sub);
    texts.map(|text| PromptDigest::of(&text.decoded()).keyed(key)).collect()
}

/// Gemini CLI makes room by itself from half of its window on, if the user has not set another limit. What is not so
/// large, the user has asked for, or the limit is another: it does not show. None: it is another attempt.
fn trigger(memory: &Memory, facts: &RequestFacts) -> Option<Trigger> {
    let last = facts.scope().and_then(|scope| memory.turns.get(scope, facts.agent_id()));
    match last {
        Some(LastTurn::Overflowed) => Some(Trigger::Auto),
        Some(LastTurn::Answered { context, .. }) if *context >= ROOM => Some(Trigger::Auto),
        Some(LastTurn::Answered { .. } | LastTurn::Compacted) | None => Some(Trigger::Unknown),
        Some(LastTurn::CompactionFailed) => None,
    }
}

fn is_cli(head: Head<'_>) -> bool {
    let agent = head.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    agent.is_some_and(|agent| agent.starts_with("GeminiCLI"))
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{Parse, Provider, Route};
    use hyper::{HeaderMap, header::HeaderValue};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TURN: &[u8] = include_bytes!("../../../fixtures/content.request.json");

    fn facts_of(route: Route, body: &[u8], memory: &mut Memory) -> RequestFacts {
        let agent = HeaderValue::from_static("GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)");
        let headers = HeaderMap::from_iter([(USER_AGENT, agent)]);
        let head = Head { provider: Provider::Gemini, route, path_model: None, headers: &headers };
        let mut facts = RequestFacts::of_route(route);
        read(head, body, &Key::from_bytes([7; 32]), memory, &mut facts);
        facts
    }

    fn facts(body: &Value) -> RequestFacts {
        facts_of(Route::GenerateContent, body.to_string().as_bytes(), &mut Memory::default())
    }

    fn user(texts: &[&str]) -> Value {
        let parts: Vec<_> = texts.iter().map(|text| json!({"text": text})).collect();
        json!({"role": "user", "parts": parts})
    }

    fn asked(system: &str, last: &str, tools: &Value, mime_type: &str) -> Class {
        facts(&json!({"contents": [user(&[last])], "systemInstruction": {"parts": [{"text": system}]},
            "tools": tools, "generationConfig": {"responseMimeType": mime_type}}))
        .class
    }

    #[test]
    fn what_is_not_streamed_is_mostly_the_clients_own() {
        let summary = "You are a component responsible for distilling chat history into a structured XML <state_snapshot>.";
        let (none, functions) = (json!([]), json!([{"functionDeclarations": [{"name": "glob"}]}]));
        let search = json!([{"googleSearch": {}}]);
        assert_eq!(asked(summary, "Generate a new <state_snapshot>", &none, ""), Class::Compaction);
        assert_eq!(asked(summary, "Critically evaluate the <state_snapshot> x", &none, ""), Class::Helper);
        assert_eq!(asked("You are Gemini CLI", "x", &search, ""), Class::WebSearch);
        assert_eq!(asked("a router", "x", &none, "application/json"), Class::Helper);
        assert_eq!(asked("a summariser", "x", &none, ""), Class::Helper);
        assert_eq!(asked("You are Gemini CLI", "x", &functions, ""), Class::Turn);
    }

    #[test]
    fn agents_are_known_by_their_prompts_and_by_the_tool_that_ends_their_work() {
        let agent = |system: &str, tool: &str| {
            let agent = facts(&json!({"contents": [], "systemInstruction": {"parts": [{"text": system}]},
                "tools": [{"functionDeclarations": [{"name": tool}]}]}));
            agent.agent.map(|agent| (agent.kind.map(|kind| kind.to_string()), agent.sub))
        };
        let kind = |kind: &str| Some(kind.to_owned());
        assert_eq!(agent("You are Gemini CLI, an agent", "glob"), Some((kind("main"), false)));
        assert_eq!(
            agent("You are a non-interactive CLI agent", "complete_task"),
            Some((kind("generalist"), true))
        );
        assert_eq!(
            agent("You are **Codebase Investigator**, x", "complete_task"),
            Some((kind("codebase_investigator"), true))
        );
        assert_eq!(agent("You are a poet", "complete_task"), Some((None, true)));
        assert_eq!(agent("You are a poet", "glob"), None);
    }

    #[test]
    fn the_session_is_stated_or_inferred_from_how_the_conversation_begins() {
        let of = |contents: Value| facts(&json!({"contents": contents}));
        let context = "<session_context>\nx\n</session_context>";
        let begun = of(json!([user(&[context, "fix it"])]));
        assert!(begun.session.is_some());
        // The router sees the same two texts in two contents.
        assert_eq!(of(json!([user(&[context]), user(&["fix it"])])).session, begun.session);
        assert_ne!(of(json!([user(&[context, "do it"])])).session, begun.session);
        let summed_up = of(json!([user(&[context, "<state_snapshot>x"])]));
        assert_eq!((summed_up.session, summed_up.conversation.is_some()), (None, true));
        let other = of(json!([user(&["fix it"])]));
        assert_eq!((other.session, other.conversation.is_some()), (None, true));
        let stated = facts(&json!({"model": "gemini-3", "project": "p",
            "request": {"session_id": "s", "contents": [user(&[context, "fix it"])]}}));
        assert_eq!((stated.session.is_some(), stated.conversation), (true, None));
        assert_ne!(stated.session, begun.session);
        assert_eq!(stated.model.as_deref(), Some("gemini-3"));
    }

    #[test]
    fn the_directory_is_the_only_workspace_of_the_session_context() {
        let dir = |dirs: &str, lead: &str| {
            let text =
                format!("{lead}\nx\n- **Workspace Directories:**\n{dirs}- **Directory Structure:**\n  - /no");
            facts(&json!({"contents": [user(&[&text])]})).stated_dir
        };
        assert_eq!(dir("  - /home/dev/a b\n", "<session_context>").as_deref(), Some("/home/dev/a b"));
        assert_eq!(dir("  - /a\n  - /b\n", "<session_context>"), None);
        assert_eq!(dir("  - a\n", "<session_context>"), None);
        assert_eq!(dir("", "<session_context>"), None);
        assert_eq!(dir("  - /a\n", "see"), None);
    }

    #[test]
    fn results_behind_the_models_last_content_count_once_with_or_without_ids() {
        let mut memory = Memory::default();
        let model = json!({"role": "model", "parts": [{"functionCall": {"name": "glob"}}]});
        let result = |id: Value, response: Value| json!({"functionResponse": {"id": id, "name": "glob", "response": response}});
        let results = json!({"role": "user", "parts": [
            result(json!("a"), json!({"output": "x"})), result(Value::Null, json!({"error": "CANARY"}))]});
        let body = json!({"contents": [user(&["hi"]), model, results]}).to_string();
        let mut count = || {
            let facts = facts_of(Route::StreamGenerateContent, body.as_bytes(), &mut memory);
            facts.results.map(|results| (results.count, results.failed, results.failed_tools.len()))
        };
        assert_eq!([count(), count()], [Some((2, 1, 1)), None]);
        let later = json!({"contents": [user(&["hi"]), results, model]});
        assert_eq!(facts(&later).results, None);
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let odd = facts(
            &json!({"model": 1, "contents": [null, {"role": 2, "parts": [7, {"text": {}}, {"functionResponse": []}]}],
            "systemInstruction": "x", "tools": [1, {"functionDeclarations": [2]}], "generationConfig": []}),
        );
        assert_eq!((odd.context.unwrap().messages, odd.notes.parse()), (2, Parse::Ok));
        assert_eq!(facts(&json!({"request": 7})).notes.parse(), Parse::Partial);
        assert_eq!(facts(&json!([])).notes.parse(), Parse::Partial);
    }

    proptest! {
        #[test]
        fn a_spoilt_request_never_panics(at in 0..TURN.len(), with: u8, end in 0..TURN.len()) {
            let mut spoilt = TURN.to_vec();
            spoilt[at] = with;
            facts_of(Route::GenerateContent, &spoilt, &mut Memory::default());
            facts_of(Route::GenerateContent, &spoilt[..end], &mut Memory::default());
        }
    }
}
