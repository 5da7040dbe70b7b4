//! An answer that is one JSON object: a message, an error, or a count of tokens.

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    PARSER,
    block::{Block, BlockCalls},
    error::WireError,
    usage::WireUsage,
};
use crate::distil::{
    answer::{AnswerFacts, if_stated},
    lax::{Lax, object},
};

/// A whole message, or the beginning of one in a stream.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) model: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    content: Lax<Vec<Lax<Block<'a>>>>,
    #[serde(borrow)]
    stop_reason: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) usage: Lax<WireUsage<'a>>,
    #[serde(borrow)]
    error: Lax<WireError<'a>>,
}

object!(Message<'a>);

/// Reads the body of an answer that is not a stream.
pub(crate) fn read_message(body: &[u8]) -> AnswerFacts {
    let mut facts = AnswerFacts::default();
    let Ok(message) = serde_json::from_slice::<Message<'_>>(body) else {
        facts.notes.add(PARSER, "bad_answer_json");
        return facts;
    };
    facts.error = message.error.0.map(|error| error.facts(false));
    if facts.error.is_some() || message.kind.0.as_deref() != Some("message") {
        return facts;
    }
    facts.model_served = message.model.name();
    facts.stop_reason = message.stop_reason.name();
    facts.usage = message.usage.0.map(WireUsage::stated).and_then(if_stated);
    let mut calls = BlockCalls::default();
    for block in message.content.0.unwrap_or_default() {
        if let Some(place) = calls.add(&block.0.unwrap_or_default(), &mut facts.notes) {
            calls.end(place, &mut facts.notes);
        }
    }
    (facts.tools, facts.learnt) = calls.into_parts();
    facts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESSAGE: &[u8] = include_bytes!("../../../fixtures/message.answer.json");

    #[test]
    fn a_count_of_tokens_is_no_usage() {
        assert_eq!(read_message(br#"{"input_tokens":2095}"#), AnswerFacts::default());
    }

    #[test]
    fn an_error_of_another_shape_is_still_an_error() {
        let facts = read_message(br#"{"type":"error","error":{"message":["prompt is too long"]}}"#);
        let error = facts.error.unwrap();
        assert_eq!((error.kind, error.context_length, error.in_stream), (None, true, false));
        assert_eq!(read_message(br#"{"error":"not an object"}"#).error, None);
    }

    #[test]
    fn a_providers_own_call_is_not_taken_for_the_clients_tool_of_that_name() {
        let patterns = |kind: &str| {
            let body = format!(
                r#"{{"type":"message","content":[{{"type":"{kind}","name":"Bash","input":{{"command":"rm -rf x"}}}}]}}"#
            );
            let call = read_message(body.as_bytes()).tools.unwrap().calls.remove(0);
            (call.hosted, call.patterns.len())
        };
        assert_eq!(["tool_use", "mcp_tool_use"].map(patterns), [(false, 1), (true, 0)]);
    }

    #[test]
    fn usage_that_states_nothing_is_absent() {
        let facts = read_message(br#"{"type":"message","usage":{"new_tokens":3},"content":null}"#);
        assert_eq!((facts.usage, facts.tools), (None, None));
    }

    proptest! {
        #[test]
        fn a_spoilt_message_never_panics(at in 0..MESSAGE.len(), with: u8, end in 0..MESSAGE.len()) {
            let mut spoilt = MESSAGE.to_vec();
            spoilt[at] = with;
            read_message(&spoilt);
            read_message(&spoilt[..end]);
        }
    }
}
