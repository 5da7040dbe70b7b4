//! A completion: chunks of a stream, or one object of the same shape.
//!
//! Usage is in a last chunk without choices, and only if the request asked for it; then comes `[DONE]`.

use std::{collections::BTreeMap, time::Instant};

use super::chunk::{Called, Choice, Chunk, says_something};
use crate::distil::{
    answer::{AnswerFacts, if_stated},
    calls::{self, Calls},
    lax::Lax,
    notes::Notes,
    openai::PARSER,
    sse::Event,
    stream::EventStream,
};
use ccxray_shared::{
    Name,
    entry::{ErrorFacts, ToolCall},
    usage::Usage,
};

/// The most calls that are told apart.
const MAX_CALLS: usize = 1024;

/// The index of the choice, and the index of the call in it.
type CallKey = (u64, u64);

/// Follows a completion.
#[derive(Debug, Default)]
pub(crate) struct ChatStream {
    model: Option<Name<'static>>,
    usage: Usage<'static>,
    finish_reason: Option<Name<'static>>,
    refused: bool,
    error: Option<ErrorFacts<'static>>,
    calls: Calls,
    /// The calls that have begun, and whether the name was among what came of each.
    begun: BTreeMap<CallKey, bool>,
    first_content: Option<Instant>,
    done: bool,
    notes: Notes,
}

impl EventStream for ChatStream {
    fn event(&mut self, event: Event<'_>, at: Instant) {
        if event.data == b"[DONE]" {
            self.done = true;
            return;
        }
        match serde_json::from_slice(event.data) {
            Ok(Lax(Some(chunk))) => self.take(chunk, true, at),
            Ok(Lax(None)) | Err(_) => self.notes.add(PARSER, "bad_event_json"),
        }
    }

    fn finish(self: Box<Self>) -> AnswerFacts {
        AnswerFacts {
            streamed: true,
            terminal: Some(self.done),
            first_content: self.first_content,
            ..self.into_facts()
        }
    }
}

impl ChatStream {
    fn take(&mut self, chunk: Chunk<'_>, in_stream: bool, at: Instant) {
        self.model = chunk.model.name().or(self.model.take());
        if let Some(usage) = chunk.usage.0 {
            self.usage.counts.overwrite_with(&usage.counts());
            self.usage.service_tier = chunk.service_tier.name();
        }
        if let Some(error) = chunk.error.0 {
            self.error = Some(error.facts(in_stream));
        }
        for choice in chunk.choices.0.unwrap_or_default() {
            self.take_choice(choice.0.unwrap_or_default(), at);
        }
    }

    fn take_choice(&mut self, choice: Choice<'_>, at: Instant) {
        self.finish_reason = choice.finish_reason.name().or(self.finish_reason.take());
        let Some(message) = choice.delta.0.or(choice.message.0) else { return };
        if message.has_content() {
            self.first_content.get_or_insert(at);
        }
        self.refused |= says_something(message.refusal);
        let choice = choice.index.0.unwrap_or(0);
        for (place, call) in (0..).zip(message.tool_calls.0.unwrap_or_default()) {
            let call = call.0.unwrap_or_default();
            let called = call.function.0.or(call.custom.0).unwrap_or_default();
            self.take_call((choice, call.index.0.unwrap_or(place)), &called);
        }
        if let Some(called) = message.function_call.0 {
            self.take_call((choice, u64::MAX), &called);
        }
    }

    /// The name comes with the first piece of a call; the others add to its arguments.
    fn take_call(&mut self, key: CallKey, called: &Called<'_>) {
        let is_new = !self.begun.contains_key(&key);
        if is_new && self.begun.len() == MAX_CALLS {
            self.notes.add(PARSER, "too_many_calls");
            return;
        }
        if is_new {
            self.calls.count();
        }
        let is_named = self.begun.entry(key).or_default();
        if let Some(name) = called.name.0.as_deref().filter(|name| !name.is_empty() && !*is_named) {
            *is_named = true;
            self.calls.list(ToolCall { writes_file: name == "apply_patch", ..calls::plain(name) });
        }
    }

    fn into_facts(mut self) -> AnswerFacts {
        for _ in self.begun.values().filter(|is_named| !**is_named) {
            self.calls.unreadable();
            self.notes.add(PARSER, "tool_without_name");
        }
        AnswerFacts {
            model_served: self.model,
            usage: if_stated(self.usage),
            stop_reason: self.finish_reason.map(|reason| match reason.as_str() {
                "stop" if self.refused => Name::from_wire("stop:refusal"),
                _ => reason,
            }),
            error: self.error,
            tools: self.calls.into_facts(),
            notes: self.notes,
            ..AnswerFacts::default()
        }
    }
}

/// Reads the body of an answer that is not a stream.
pub(crate) fn read_completion(body: &[u8]) -> AnswerFacts {
    let mut whole = ChatStream::default();
    match serde_json::from_slice(body) {
        Ok(Lax(Some(completion))) => whole.take(completion, false, Instant::now()),
        Ok(Lax(None)) | Err(_) => whole.notes.add(PARSER, "bad_answer_json"),
    }
    whole.into_facts()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::distil::stream::testing::{assert_same_however_cut, events, read};

    const TOOLS: &[u8] = include_bytes!("../../../../fixtures/chat.answer.sse");

    #[test]
    fn a_stream_tells_the_same_however_it_is_cut() {
        assert_same_however_cut::<ChatStream>(TOOLS);
    }

    #[test]
    fn the_first_content_is_not_the_empty_text_at_the_start() {
        let begun = Instant::now();
        let later = begun + Duration::from_secs(1);
        let mut stream = Box::<ChatStream>::default();
        for (at, data) in [
            (begun, r#"{"choices":[{"delta":{"role":"assistant","content":"","refusal":null}}]}"#),
            (later, r#"{"choices":[{"delta":{"content":"x"}}]}"#),
        ] {
            stream.event(Event { name: b"", data: data.as_bytes() }, at);
        }
        assert_eq!(stream.finish().first_content, Some(later));
    }

    #[test]
    fn usage_that_was_not_asked_for_is_unknown() {
        let facts = events::<ChatStream>(&[
            r#"{"model":"m","choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":null}"#,
            "[DONE]",
        ]);
        assert_eq!((facts.usage, facts.terminal), (None, Some(true)));
        assert_eq!(facts.stop_reason.as_deref(), Some("stop"));
    }

    #[test]
    fn a_refusal_is_told_beside_the_finish_reason() {
        let streamed = events::<ChatStream>(&[
            r#"{"choices":[{"delta":{"refusal":"CANARY"}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        ]);
        let whole = read_completion(
            br#"{"choices":[{"message":{"content":null,"refusal":"CANARY"},"finish_reason":"stop"}]}"#,
        );
        for facts in [streamed, whole] {
            assert_eq!(facts.stop_reason.as_deref(), Some("stop:refusal"));
        }
    }

    #[test]
    fn an_error_in_the_stream_or_as_the_body_is_an_error() {
        let error = r#"{"error":{"message":"m","type":"server_error","code":502}}"#;
        let streamed = events::<ChatStream>(&[error]);
        let whole = read_completion(error.as_bytes());
        for (facts, in_stream) in [(streamed, true), (whole, false)] {
            let error = facts.error.unwrap();
            assert_eq!(
                (error.kind.as_deref(), error.code.as_deref(), error.in_stream),
                (Some("server_error"), Some("502"), in_stream)
            );
        }
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts = events::<ChatStream>(&[
            "7",
            r#"{"model":[],"choices":[null,{"index":"0","delta":{"content":{},"tool_calls":[3,{"index":1,"function":"f"}]}}],"usage":{"prompt_tokens":"1","completion_tokens":2}}"#,
        ]);
        assert_eq!(facts.usage.unwrap().counts.completion_tokens, Some(2));
        let tools = facts.tools.unwrap();
        assert_eq!((tools.blocks, tools.calls.len()), (2, 0));
        let notes: Vec<_> =
            facts.notes.into_list().iter().map(|note| (note.reason.to_string(), note.count)).collect();
        assert_eq!(notes, [("bad_event_json".to_owned(), 1), ("tool_without_name".to_owned(), 2)]);
    }

    proptest! {
        #[test]
        fn a_spoilt_stream_never_panics(at in 0..TOOLS.len(), with in any::<[u8; 3]>(), end in 0..TOOLS.len()) {
            let mut spoilt = TOOLS.to_vec();
            for (i, byte) in with.into_iter().enumerate() {
                let at = (at + i * i) % spoilt.len();
                spoilt[at] = byte;
            }
            read::<ChatStream>(&[&spoilt], Instant::now());
            read::<ChatStream>(&[&spoilt[..end]], Instant::now());
            read_completion(&spoilt);
        }
    }
}
