//! An answer that is a stream of events.
//!
//! ```text
//! message_start (content_block_start content_block_delta* content_block_stop)* message_delta+ message_stop
//! ```
//!
//! with `ping` anywhere and `error` instead of an end. Blocks are told apart by their index and may interleave.

use std::{borrow::Cow, time::Instant};

use ccxray_shared::{Name, entry::ErrorFacts, usage::Usage};
use serde::Deserialize;

use super::{
    PARSER,
    answer::Message,
    block::{Block, BlockCalls},
    error::WireError,
    usage::WireUsage,
};
use crate::distil::{
    answer::{AnswerFacts, if_stated},
    calls::Place,
    lax::{Lax, object},
    notes::Notes,
    sse::Event,
    stream::EventStream,
};

/// The most bytes of one call's arguments that are kept to find a name in them.
const MAX_INPUT: usize = 64 * 1024;

/// Follows a stream.
#[derive(Debug, Default)]
pub(crate) struct MessageStream {
    model: Option<Name<'static>>,
    usage: Usage<'static>,
    stop_reason: Option<Name<'static>>,
    error: Option<ErrorFacts<'static>>,
    calls: BlockCalls,
    open: Vec<OpenInput>,
    first_content: Option<Instant>,
    stopped: bool,
    notes: Notes,
}

/// The arguments of a call under way.
#[derive(Debug)]
struct OpenInput {
    index: u64,
    place: Place,
    json: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StreamEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    index: Lax<u64>,
    #[serde(borrow)]
    message: Lax<Message<'a>>,
    #[serde(borrow)]
    content_block: Lax<Block<'a>>,
    #[serde(borrow)]
    delta: Lax<Delta<'a>>,
    #[serde(borrow)]
    usage: Lax<WireUsage<'a>>,
    #[serde(borrow)]
    error: Lax<WireError<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Delta<'a> {
    #[serde(borrow)]
    partial_json: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    stop_reason: Lax<Cow<'a, str>>,
}

object!(Delta<'a>);

impl EventStream for MessageStream {
    fn event(&mut self, event: Event<'_>, at: Instant) {
        if event.name == b"content_block_delta" && self.open.is_empty() {
            // Most events are these, and nothing in them is kept.
            self.first_content.get_or_insert(at);
            return;
        }
        match serde_json::from_slice(event.data) {
            Ok(parsed) => self.take(parsed, event.name, at),
            Err(_) => self.notes.add(PARSER, "bad_event_json"),
        }
    }

    fn finish(self: Box<Self>) -> AnswerFacts {
        let (tools, learnt) = self.calls.into_parts();
        AnswerFacts {
            model_served: self.model,
            usage: if_stated(self.usage),
            stop_reason: self.stop_reason,
            error: self.error,
            tools,
            streamed: true,
            terminal: Some(self.stopped),
            first_content: self.first_content,
            learnt,
            notes: self.notes,
        }
    }
}

impl MessageStream {
    fn take(&mut self, event: StreamEvent<'_>, name: &[u8], at: Instant) {
        let kind = event.kind.0.as_deref().map_or(name, str::as_bytes);
        match kind {
            b"message_start" => self.start(event.message.0.unwrap_or_default()),
            b"content_block_start" => self.start_block(event, at),
            b"content_block_delta" => {
                self.first_content.get_or_insert(at);
                self.extend_block(&event);
            }
            b"content_block_stop" => self.stop_block(event.index.0),
            b"message_delta" => self.update(event),
            b"message_stop" => self.stopped = true,
            b"error" => self.error = Some(event.error.0.unwrap_or_default().facts(true)),
            b"ping" => {}
            _ => self.notes.add(PARSER, "unknown_event"),
        }
    }

    fn start(&mut self, message: Message<'_>) {
        self.model = message.model.name();
        self.usage = message.usage.0.unwrap_or_default().stated();
        // A placeholder of a few tokens; the deltas state the true number.
        self.usage.counts.output_tokens = None;
    }

    fn start_block(&mut self, event: StreamEvent<'_>, at: Instant) {
        let block = event.content_block.0.unwrap_or_default();
        if block.kind().is_call() {
            // The name of the tool is content; the start of any other block is empty.
            self.first_content.get_or_insert(at);
        }
        let place = self.calls.add(&block, &mut self.notes);
        if let (Some(place), Some(index)) = (place, event.index.0) {
            self.open.push(OpenInput { index, place, json: String::new() });
        }
    }

    fn extend_block(&mut self, event: &StreamEvent<'_>) {
        let part = event.delta.0.as_ref().and_then(|delta| delta.partial_json.0.as_deref());
        let open = self.open.iter_mut().find(|open| Some(open.index) == event.index.0);
        let (Some(part), Some(open)) = (part, open) else { return };
        if open.json.len() + part.len() <= MAX_INPUT {
            open.json.push_str(part);
        } else {
            self.open.retain(|open| Some(open.index) != event.index.0);
            self.notes.add(PARSER, "tool_input_too_long");
        }
    }

    fn stop_block(&mut self, index: Option<u64>) {
        let Some(at) = self.open.iter().position(|open| Some(open.index) == index) else { return };
        let OpenInput { place, json, .. } = self.open.swap_remove(at);
        match serde_json::from_str(&json) {
            Ok(Lax(Some(input))) => self.calls.add_input(place, &input),
            Ok(Lax(None)) | Err(_) if !json.is_empty() => self.notes.add(PARSER, "bad_tool_input"),
            Ok(Lax(None)) | Err(_) => {}
        }
        self.calls.end(place, &mut self.notes);
    }

    fn update(&mut self, event: StreamEvent<'_>) {
        if let Some(usage) = event.usage.0 {
            self.usage.overwrite_with(&usage.stated());
        }
        if let Some(reason) = event.delta.0.and_then(|delta| delta.stop_reason.name()) {
            self.stop_reason = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::distil::stream::testing;

    const TOOLS: &[u8] = include_bytes!("../../../fixtures/tools.answer.sse");
    const ERROR_INSIDE: &[u8] = include_bytes!("../../../fixtures/error_inside.answer.sse");

    fn read(pieces: &[&[u8]], at: Instant) -> AnswerFacts {
        testing::read::<MessageStream>(pieces, at)
    }

    fn events(events: &[&str]) -> AnswerFacts {
        testing::events::<MessageStream>(events)
    }

    #[test]
    fn a_stream_tells_the_same_however_it_is_cut() {
        for stream in [TOOLS, ERROR_INSIDE] {
            testing::assert_same_however_cut::<MessageStream>(stream);
        }
    }

    #[test]
    fn events_without_names_are_told_by_their_type() {
        let at = Instant::now();
        let text = String::from_utf8(TOOLS.to_vec()).unwrap();
        let nameless: String =
            text.split_inclusive('\n').filter(|line| !line.starts_with("event:")).collect();
        assert_eq!(read(&[nameless.as_bytes()], at), read(&[TOOLS], at));
    }

    #[test]
    fn the_first_content_is_a_delta_or_a_call_and_not_the_start() {
        let begun = Instant::now();
        let later = begun + Duration::from_secs(1);
        let mut stream = Box::<MessageStream>::default();
        for (at, name, data) in [
            (begun, "message_start", r#"{"type":"message_start","message":{}}"#),
            (begun, "ping", r#"{"type":"ping"}"#),
            (
                begun,
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            ),
            (later, "content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{}}"#),
        ] {
            stream.event(Event { name: name.as_bytes(), data: data.as_bytes() }, at);
        }
        assert_eq!(stream.finish().first_content, Some(later));
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts = events(&[
            r#"{"type":"message_start","message":{"model":7,"usage":{"input_tokens":"12","cache_read_input_tokens":3,"cache_creation":[1]}}}"#,
            r#"{"type":"content_block_start","index":"0","content_block":{"type":"tool_use","name":null,"input":3}}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"Skill","input":{}}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"partial_json":{"skill":"x"}}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"hologram"}}"#,
            r#"{"type":"message_delta","delta":"stop","usage":{"output_tokens":-4}}"#,
        ]);
        let usage = facts.usage.unwrap();
        assert_eq!((usage.counts.input_tokens, usage.counts.cache_read_input_tokens), (None, Some(3)));
        assert_eq!((usage.counts.output_tokens, facts.model_served, facts.stop_reason), (None, None, None));
        let tools = facts.tools.unwrap();
        assert_eq!((tools.blocks, tools.calls.len(), tools.calls[0].skill.as_ref()), (2, 1, None));
        let reasons: Vec<_> = facts.notes.into_list().iter().map(|note| note.reason.to_string()).collect();
        assert_eq!(reasons, ["tool_without_name", "skill_without_name", "unknown_block"]);
    }

    #[test]
    fn arguments_without_bound_are_given_up_and_the_call_is_kept() {
        let part = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"partial_json":"{}"}}}}"#,
            "x".repeat(MAX_INPUT / 2 + 1)
        );
        let facts = events(&[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"Agent","input":{}}}"#,
            &part,
            &part,
            &part,
            r#"{"type":"content_block_stop","index":0}"#,
        ]);
        assert_eq!(facts.tools.unwrap().calls.len(), 1);
        let notes: Vec<_> =
            facts.notes.into_list().iter().map(|note| (note.reason.to_string(), note.count)).collect();
        assert_eq!(notes, [("tool_input_too_long".to_owned(), 1)]);
    }

    #[test]
    fn calls_beyond_the_list_are_still_counted() {
        let start =
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"Bash"}}"#;
        let tools = events(&[start; 200]).tools.unwrap();
        assert_eq!((tools.blocks, tools.calls.len()), (200, 128));
    }

    proptest! {
        #[test]
        fn a_spoilt_stream_never_panics(at in 0..TOOLS.len(), with in any::<[u8; 3]>(), end in 0..TOOLS.len()) {
            let mut spoilt = TOOLS.to_vec();
            for (i, byte) in with.into_iter().enumerate() {
                let at = (at + i * i) % spoilt.len();
                spoilt[at] = byte;
            }
            read(&[&spoilt], Instant::now());
            read(&[&spoilt[..end]], Instant::now());
        }
    }
}
