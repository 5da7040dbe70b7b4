//! The body of a Chat Completions request.

use std::borrow::Cow;

use ccxray_shared::{
    entry::ContextHints,
    key::{HashOf, Key},
};
use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use crate::distil::{
    lax::{Lax, Shape, object},
    memory::Memory,
    openai::PARSER,
    request::RequestFacts,
    results::{self, Reported},
};

/// Adds what `body` tells to `facts`, which hold what the headers told.
pub(crate) fn read(body: &[u8], key: &Key, memory: &mut Memory, facts: &mut RequestFacts) {
    let Ok(Lax(Some(body))) = serde_json::from_slice::<Lax<Body<'_>>>(body) else {
        facts.notes.add(PARSER, "bad_request_json");
        return;
    };
    let messages = body.messages.0.unwrap_or_else(|| {
        facts.notes.add(PARSER, "no_messages");
        Messages::default()
    });
    facts.model = body.model.name();
    facts.conversation = messages.first_text.map(|text| key.hash(HashOf::Prompt, text.get().as_bytes()));
    facts.context = Some(ContextHints { window: None, messages: messages.count });
    // The wire has no mark for a failure.
    let fresh = messages.fresh.into_iter().map(|call| Reported { call, failed: false });
    results::add(fresh, |_| None, memory, PARSER, facts);
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    model: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Lax<Messages<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Lax<Cow<'a, str>>,
}

object!(Body<'a>, Message<'a>);

/// What is kept of a request's messages, borrowed from its body.
#[derive(Default)]
struct Messages<'a> {
    count: u32,
    /// The calls whose results are behind the last message of the model.
    fresh: Vec<Cow<'a, str>>,
    /// The content of the user's first message.
    first_text: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Shape<'de> for Messages<'a> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut messages = Self::default();
        while let Some(message) = seq.next_element::<Lax<Message<'a>>>()? {
            messages.add(message.0.unwrap_or_default());
        }
        Ok(Some(messages))
    }
}

impl<'a> Messages<'a> {
    fn add(&mut self, message: Message<'a>) {
        self.count = self.count.saturating_add(1);
        match message.role.0.as_deref() {
            Some("assistant") => self.fresh.clear(),
            Some("tool" | "function") => {
                let id = message.tool_call_id.0.filter(|id| !id.is_empty());
                // The older kind has no id; its place in the conversation stays the same.
                self.fresh.push(id.unwrap_or_else(|| self.count.to_string().into()));
            }
            Some("user") => self.first_text = self.first_text.or(message.content),
            // Instructions.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{Parse, Route};
    use proptest::prelude::*;

    use super::*;

    const TURN: &[u8] = include_bytes!("../../../../fixtures/chat.request.json");

    fn facts_of(body: &[u8], memory: &mut Memory) -> RequestFacts {
        let mut facts = RequestFacts::of_route(Route::ChatCompletions);
        read(body, &Key::from_bytes([7; 32]), memory, &mut facts);
        facts
    }

    #[test]
    fn results_behind_the_last_message_of_the_model_count_once() {
        let mut memory = Memory::default();
        let mut results = || facts_of(TURN, &mut memory).results;
        let first = results().unwrap();
        assert_eq!((first.count, first.failed), (2, 0));
        assert_eq!(results(), None);
    }

    #[test]
    fn results_without_ids_are_told_apart_by_their_places() {
        let mut memory = Memory::default();
        let begin = r#"{"messages":[{"role":"user","content":"CANARY"},{"role":"assistant"}"#;
        let result = r#",{"role":"function","name":"f","content":"CANARY"}"#;
        let first = format!("{begin}{result}]}}");
        let second = format!("{begin}{result},{{\"role\":\"assistant\"}}{result}]}}");
        let mut count = |body: &str| facts_of(body.as_bytes(), &mut memory).results.map_or(0, |it| it.count);
        assert_eq!([count(&first), count(&first), count(&second)], [1, 0, 1]);
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let body = br#"{"model":"m","messages":[null,{"role":7},{"role":"tool","tool_call_id":[]}]}"#;
        let facts = facts_of(body, &mut Memory::default());
        assert_eq!((facts.model.as_deref(), facts.context.unwrap().messages), (Some("m"), 3));
        assert_eq!((facts.results.unwrap().count, facts.notes.parse()), (1, Parse::Ok));
    }

    proptest! {
        #[test]
        fn a_spoilt_request_never_panics(at in 0..TURN.len(), with: u8, end in 0..TURN.len()) {
            let mut spoilt = TURN.to_vec();
            spoilt[at] = with;
            facts_of(&spoilt, &mut Memory::default());
            facts_of(&spoilt[..end], &mut Memory::default());
        }
    }
}
