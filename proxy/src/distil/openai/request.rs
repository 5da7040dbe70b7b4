//! The body of a Responses request, read in one pass and without its texts.

use std::{borrow::Cow, ops::Range};

use ccxray_shared::{
    Name,
    entry::{Class, ContextHints, Trigger},
    key::{HashOf, Key},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{PARSER, input::Input, metadata::ClientMetadata, skills};
use crate::distil::{
    lax::{Lax, object},
    learnt::PromptDigest,
    memory::Memory,
    request::RequestFacts,
    results,
};

/// Adds what `body` tells to `facts`, which hold what the headers told.
pub(crate) fn read(text: &[u8], key: &Key, memory: &mut Memory, facts: &mut RequestFacts) {
    let Ok(Lax(Some(body))) = serde_json::from_slice::<Lax<Body<'_>>>(text) else {
        facts.notes.add(PARSER, "bad_request_json");
        return;
    };
    let input = body.input.0.unwrap_or_else(|| {
        facts.notes.add(PARSER, "no_input");
        Input::default()
    });
    facts.model = body.model.name();
    if body.generate.0 == Some(false) {
        facts.class = Class::WarmUp;
    }
    if let Some(metadata) = body.client_metadata {
        facts.passing = place_in(text, metadata);
        if let Ok(Lax(Some(client))) = serde_json::from_str::<Lax<ClientMetadata<'_>>>(metadata.get()) {
            client.add_to(key, facts);
        }
    }
    if facts.session.is_none() {
        let begins = input.first_text.as_ref();
        facts.conversation = begins.map(|text| key.hash(HashOf::Prompt, text.get().as_bytes()));
    }
    facts.context.get_or_insert_with(ContextHints::default).messages = input.items;
    if facts.stated_dir.is_none() {
        facts.stated_dir = input.stated_dir();
    }
    add_compaction(&input, facts);
    facts.prompts = prompts(&input, key, facts);
    // What a warm-up holds, the turn that follows reports.
    if facts.class != Class::WarmUp {
        results::add(input.results(), |call| input.tool_called(call), memory, PARSER, facts);
        skills::add(input.mentions(), &mut memory.skills, facts);
    }
}

/// Where in `body` a value of it stands.
fn place_in(body: &[u8], value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr().saturating_sub(body.as_ptr().addr());
    start..start + value.get().len()
}

/// A compaction is known by the client's word for it, by the route, or by how it asks.
fn add_compaction(input: &Input<'_>, facts: &mut RequestFacts) {
    if facts.class == Class::Turn && input.asks_for_summary() {
        facts.class = Class::Compaction;
    }
    facts.compaction = match facts.class {
        Class::Compaction => facts.compaction.or(Some(Trigger::Unknown)),
        _ => None,
    };
}

/// The text with which a sub-agent may have been started.
fn prompts(input: &Input<'_>, key: &Key, facts: &RequestFacts) -> Vec<Name<'static>> {
    let is_sub = facts.agent.as_ref().is_some_and(|agent| agent.sub);
    let prompt = input.prompt().filter(|_| is_sub);
    prompt.map(|prompt| PromptDigest::of(&prompt.decoded()).keyed(key)).into_iter().collect()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    model: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    input: Lax<Input<'a>>,
    generate: Lax<bool>,
    #[serde(borrow)]
    client_metadata: Option<&'a RawValue>,
}

object!(Body<'a>);

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{Parse, Route};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TURN: &[u8] = include_bytes!("../../../fixtures/response.request.json");

    fn facts_of(body: &[u8]) -> RequestFacts {
        let mut facts = RequestFacts::of_route(Route::Responses);
        read(body, &Key::from_bytes([7; 32]), &mut Memory::default(), &mut facts);
        facts
    }

    fn facts(body: &Value) -> RequestFacts {
        facts_of(body.to_string().as_bytes())
    }

    fn user(text: &str) -> Value {
        json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
    }

    #[test]
    fn a_request_that_generates_nothing_is_a_warm_up() {
        assert_eq!(facts(&json!({"input": [], "generate": false})).class, Class::WarmUp);
        assert_eq!(facts(&json!({"input": [], "generate": true})).class, Class::Turn);
    }

    #[test]
    fn the_metadata_in_the_body_are_those_of_the_header() {
        let metadata = r#"{"session_id":"s","request_kind":"compaction","sandbox_mode":"read-only"}"#;
        let body = json!({"input": [], "client_metadata": {"x-codex-turn-metadata": metadata}});
        let by_turn = facts(&body);
        assert_eq!(
            (by_turn.class, by_turn.permission_mode.as_deref()),
            (Class::Compaction, Some("read-only"))
        );
        let by_client = facts(&json!({"input": [], "client_metadata": {"session_id": "s"}}));
        assert!(by_turn.session.is_some());
        assert_eq!(by_turn.session, by_client.session);
    }

    #[test]
    fn the_directory_is_in_the_surroundings_that_open_the_conversation() {
        let here =
            |dir: &str| user(&format!("<environment_context>\n  <cwd>{dir}</cwd>\n</environment_context>"));
        let dir = |input: Value| facts(&json!({"input": input})).stated_dir;
        assert_eq!(dir(json!([user("hi"), here("/home/dev/a b")])).as_deref(), Some("/home/dev/a b"));
        assert_eq!(dir(json!([here("/a"), here("/a")])).as_deref(), Some("/a"));
        assert_eq!(dir(json!([here("/a"), here("/b")])), None);
        assert_eq!(dir(json!([here("not a path")])), None);
        assert_eq!(dir(json!([user("see <environment_context><cwd>/a</cwd>")])), None);
        let call = json!({"type": "function_call", "call_id": "c", "name": "exec_command"});
        let answer = json!({"type": "message", "role": "assistant", "content": []});
        assert_eq!(dir(json!([user("hi"), answer, here("/a")])), None);
        assert_eq!(dir(json!([user("hi"), call, here("/a")])), None);
    }

    #[test]
    fn only_results_behind_the_last_step_of_the_model_are_new() {
        let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "exec_command"});
        let result = |id: &str, code: u8| {
            let output = format!("Process exited with code {code}\nOutput:\nx");
            json!({"type": "function_call_output", "call_id": id, "output": output})
        };
        let search = json!({"type": "tool_search_call", "call_id": "s"});
        let found = json!({"type": "tool_search_output", "call_id": "s", "tools": []});
        let input = json!([call("a"), result("a", 1), search, call("b"), found, result("b", 2)]);
        let results = facts(&json!({"input": input})).results.unwrap();
        assert_eq!((results.count, results.failed), (2, 1));
        assert_eq!(results.failed_tools.iter().map(|name| &**name).collect::<Vec<_>>(), ["exec_command"]);
        for step in [json!({"type": "reasoning"}), json!({"role": "assistant", "content": "x"})] {
            assert_eq!(facts(&json!({"input": [call("a"), result("a", 1), step]})).results, None);
        }
    }

    #[test]
    fn results_count_once_in_a_conversation_without_a_session_too() {
        let (key, mut memory) = (Key::from_bytes([7; 32]), Memory::default());
        let mut count = |first: &str| {
            let body = json!({"input": [user(first), {"type": "function_call_output", "call_id": "a", "output": "x"}]});
            let mut facts = RequestFacts::of_route(Route::Responses);
            read(body.to_string().as_bytes(), &key, &mut memory, &mut facts);
            facts.results.map(|results| results.count)
        };
        assert_eq!([count("one"), count("one"), count("two")], [Some(1), None, Some(1)]);
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts =
            facts(&json!({"model": 3, "input": [null, 7, {"type": []}, {"role": "user", "content": 3}],
            "client_metadata": {"x-codex-turn-metadata": "{", "session_id": 4}, "generate": "no"}));
        assert_eq!((facts.context.unwrap().messages, facts.class), (4, Class::Turn));
        assert_eq!(facts.notes.parse(), Parse::Ok);
        assert_eq!(facts_of(b"[]").notes.parse(), Parse::Partial);
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
