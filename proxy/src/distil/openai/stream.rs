//! A response that is a stream of events.
//!
//! ```text
//! response.created response.in_progress
//! (response.output_item.added response.*.delta* response.output_item.done)*
//! response.completed | response.incomplete | response.failed
//! ```
//!
//! with `error` instead of an end. Only the last event states usage.

use std::{borrow::Cow, time::Instant};

use ccxray_shared::{Name, entry::ErrorFacts, usage::Usage};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    PARSER,
    error::WireError,
    item::{Item, ItemCalls},
    response::Response,
};
use crate::distil::{
    answer::AnswerFacts,
    lax::{Lax, Word, object},
    notes::Notes,
    sse::Event,
    stream::EventStream,
};

/// Follows a stream.
#[derive(Debug, Default)]
pub(crate) struct ResponseStream {
    model: Option<Name<'static>>,
    usage: Option<Usage<'static>>,
    stop_reason: Option<Name<'static>>,
    error: Option<ErrorFacts<'static>>,
    calls: ItemCalls,
    first_content: Option<Instant>,
    ended: bool,
    notes: Notes,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StreamEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    output_index: Lax<u64>,
    #[serde(borrow)]
    item: Lax<Item<'a>>,
    #[serde(borrow)]
    response: Lax<Response<'a>>,
    #[serde(borrow)]
    error: Lax<WireError<'a>>,
    #[serde(borrow)]
    code: Lax<Word<'a>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

object!(StreamEvent<'a>);

impl EventStream for ResponseStream {
    fn event(&mut self, event: Event<'_>, at: Instant) {
        if event.name.ends_with(b".delta") {
            // Most events are these, and nothing in them is kept.
            self.first_content.get_or_insert(at);
            return;
        }
        match serde_json::from_slice::<Lax<StreamEvent<'_>>>(event.data) {
            Ok(Lax(Some(parsed))) => self.take(parsed, event.name, at),
            Ok(Lax(None)) | Err(_) => self.notes.add(PARSER, "bad_event_json"),
        }
    }

    fn finish(mut self: Box<Self>) -> AnswerFacts {
        let (tools, learnt) = self.calls.into_facts(&mut self.notes);
        AnswerFacts {
            model_served: self.model,
            usage: self.usage,
            stop_reason: self.stop_reason,
            error: self.error,
            tools,
            learnt,
            streamed: true,
            terminal: Some(self.ended),
            first_content: self.first_content,
            notes: self.notes,
        }
    }
}

impl ResponseStream {
    fn take(&mut self, event: StreamEvent<'_>, name: &[u8], at: Instant) {
        let kind = event.kind.0.as_deref().map_or(name, str::as_bytes);
        match kind {
            b"response.created" => self.model = event.response.0.and_then(|response| response.model.name()),
            b"response.output_item.added" => self.begin(&event, at),
            b"response.output_item.done" => {
                let item = event.item.0.unwrap_or_default();
                self.calls.done(event.output_index.0, &item, &mut self.notes);
            }
            b"response.completed"
            | b"response.incomplete"
            | b"response.failed"
            | b"response.done"
            | b"response.cancelled" => self.end(event.response.0.unwrap_or_default()),
            b"error" => {
                let error = event.error.0.unwrap_or(WireError::of_event(event.code, event.message));
                self.error = Some(error.facts(true));
            }
            _ if kind.ends_with(b".delta") => {
                self.first_content.get_or_insert(at);
            }
            _ if is_known(kind) => {}
            _ => self.notes.add(PARSER, "unknown_event"),
        }
    }

    fn begin(&mut self, event: &StreamEvent<'_>, at: Instant) {
        let Some(item) = &event.item.0 else { return };
        if item.is_call() {
            // The name of the tool is content; the beginning of any other item is empty.
            self.first_content.get_or_insert(at);
        }
        self.calls.begin(event.output_index.0, item);
    }

    fn end(&mut self, mut response: Response<'_>) {
        self.ended = true;
        self.calls.all_done(response.output.0.as_deref().unwrap_or_default(), &mut self.notes);
        if let Some(error) = &response.error.0 {
            self.error = Some(error.facts(true));
        }
        self.model = response.model.name().or(self.model.take());
        // One last event may follow another, and say less.
        self.stop_reason = response.stop_reason(self.calls.refused()).or(self.stop_reason.take());
        self.usage = response.take_usage().or(self.usage.take());
    }
}

/// Events that tell nothing: parts of items, states of hosted tools, keep-alives, quotas.
fn is_known(kind: &[u8]) -> bool {
    kind.starts_with(b"response.") || kind.starts_with(b"codex.") || matches!(kind, b"keepalive" | b"ping")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::distil::stream::testing::{assert_same_however_cut, events, read};

    const TURN: &[u8] = include_bytes!("../../../fixtures/response.answer.sse");
    const FAILED: &[u8] = include_bytes!("../../../fixtures/response_failed.answer.sse");

    #[test]
    fn a_stream_tells_the_same_however_it_is_cut() {
        for stream in [TURN, FAILED] {
            assert_same_however_cut::<ResponseStream>(stream);
        }
    }

    #[test]
    fn events_without_names_are_told_by_their_type() {
        let at = Instant::now();
        let text = str::from_utf8(TURN).unwrap();
        let nameless: String =
            text.split_inclusive('\n').filter(|line| !line.starts_with("event:")).collect();
        assert_eq!(read::<ResponseStream>(&[nameless.as_bytes()], at), read::<ResponseStream>(&[TURN], at));
    }

    #[test]
    fn the_first_content_is_a_delta_or_a_call_and_not_the_start() {
        let begun = Instant::now();
        let first = |data: &str| {
            let mut stream = Box::<ResponseStream>::default();
            for (at, data) in [
                (begun, r#"{"type":"response.created","response":{}}"#),
                (begun, r#"{"type":"response.output_item.added","item":{"type":"reasoning"}}"#),
                (begun + Duration::from_secs(1), data),
            ] {
                stream.event(Event { name: b"", data: data.as_bytes() }, at);
            }
            stream.finish().first_content.is_some()
        };
        assert!(first(r#"{"type":"response.output_text.delta","delta":"x"}"#));
        assert!(first(r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"a"}}"#));
        assert!(!first(r#"{"type":"response.output_item.done","item":{"type":"reasoning"}}"#));
    }

    #[test]
    fn a_second_last_event_takes_nothing_back() {
        let facts = events::<ResponseStream>(&[
            r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":9}}}"#,
            r#"{"type":"response.done","response":{"usage":null}}"#,
        ]);
        assert_eq!(facts.usage.unwrap().counts.input_tokens, Some(9));
        assert_eq!(facts.stop_reason.as_deref(), Some("completed"));
    }

    #[test]
    fn an_error_event_is_understood_in_both_its_forms() {
        for event in [
            r#"{"type":"error","code":"server_is_overloaded","message":"Selected model is at capacity","param":null}"#,
            r#"{"type":"error","status":503,"error":{"code":"server_is_overloaded","message":"m"}}"#,
        ] {
            let facts = events::<ResponseStream>(&[event]);
            let error = facts.error.unwrap();
            assert_eq!((error.code.as_deref(), error.in_stream), (Some("server_is_overloaded"), true));
            assert_eq!((facts.terminal, error.kind), (Some(false), None));
        }
    }

    #[test]
    fn calls_are_counted_once_whether_they_begin_are_done_or_are_only_in_the_last_event() {
        let call = r#"{"type":"function_call","name":"a"}"#;
        let event = |kind: &str, rest: &str| format!(r#"{{"type":"response.{kind}",{rest}}}"#);
        let added = event("output_item.added", &format!(r#""output_index":0,"item":{call}"#));
        let done = event("output_item.done", &format!(r#""output_index":0,"item":{call}"#));
        let nowhere = event("output_item.done", &format!(r#""item":{call}"#));
        let last = event("completed", &format!(r#""response":{{"status":"completed","output":[{call}]}}"#));
        for stream in
            [vec![&added], vec![&added, &done], vec![&done, &last], vec![&nowhere, &last], vec![&last]]
        {
            let stream: Vec<_> = stream.into_iter().map(String::as_str).collect();
            let tools = events::<ResponseStream>(&stream).tools.unwrap();
            assert_eq!((tools.blocks, tools.calls.len()), (1, 1), "{stream:?}");
        }
    }

    #[test]
    fn calls_beyond_the_list_are_still_counted() {
        let stream: Vec<_> = (0..200)
            .flat_map(|index| {
                ["added", "done"].map(|kind| {
                    format!(r#"{{"type":"response.output_item.{kind}","output_index":{index},"item":{{"type":"custom_tool_call","name":"exec"}}}}"#)
                })
            })
            .collect();
        let tools = events::<ResponseStream>(&stream.iter().map(String::as_str).collect::<Vec<_>>()).tools;
        let tools = tools.unwrap();
        assert_eq!((tools.blocks, tools.calls.len()), (200, 128));
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts = events::<ResponseStream>(&[
            "[]",
            r#"{"type":"response.created","response":{"model":7}}"#,
            r#"{"type":"response.output_item.done","output_index":"0","item":{"type":"function_call","name":[],"arguments":{}}}"#,
            r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"hologram"}}"#,
            r#"{"type":"tea"}"#,
            r#"{"type":"response.completed","response":{"status":[],"usage":{"input_tokens":"1","output_tokens":3,"output_tokens_details":[]},"output":{}}}"#,
        ]);
        let counts = facts.usage.unwrap().counts;
        assert_eq!((counts.input_tokens, counts.output_tokens), (None, Some(3)));
        assert_eq!((facts.terminal, facts.stop_reason), (Some(true), None));
        let tools = facts.tools.unwrap();
        assert_eq!((tools.blocks, tools.unreadable, &*tools.calls), (1, 1, &[][..]));
        let reasons: Vec<_> = facts.notes.into_list().iter().map(|note| note.reason.to_string()).collect();
        assert_eq!(reasons, ["bad_event_json", "unknown_item", "unknown_event", "tool_without_name"]);
    }

    proptest! {
        #[test]
        fn a_spoilt_stream_never_panics(at in 0..TURN.len(), with in any::<[u8; 3]>(), end in 0..TURN.len()) {
            let mut spoilt = TURN.to_vec();
            for (i, byte) in with.into_iter().enumerate() {
                let at = (at + i * i) % spoilt.len();
                spoilt[at] = byte;
            }
            read::<ResponseStream>(&[&spoilt], Instant::now());
            read::<ResponseStream>(&[&spoilt[..end]], Instant::now());
        }
    }
}
