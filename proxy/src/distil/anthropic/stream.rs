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
    answer::{Message, if_stated, owned},
    block::{Block, Calls, Kind, Wanted},
    error::WireError,
    usage::WireUsage,
};
use crate::distil::{
    answer::AnswerFacts,
    lax::{Lax, object},
    notes::Notes,
    sse::Event,
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
    calls: Calls,
    open: Vec<OpenInput>,
    first_content: Option<Instant>,
    stopped: bool,
    notes: Notes,
}

/// The arguments of a call under way.
#[derive(Debug)]
struct OpenInput {
    index: u64,
    place: Wanted,
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

impl MessageStream {
    /// Takes in the next event, which came at `at`.
    pub(crate) fn event(&mut self, event: Event<'_>, at: Instant) {
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
        self.model = owned(&message.model);
        self.usage = message.usage.0.unwrap_or_default().stated();
        // A placeholder of a few tokens; the deltas state the true number.
        self.usage.counts.output_tokens = None;
    }

    fn start_block(&mut self, event: StreamEvent<'_>, at: Instant) {
        let block = event.content_block.0.unwrap_or_default();
        if block.kind() == Kind::ToolCall {
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
        if json.is_empty() {
            return;
        }
        match serde_json::from_str(&json) {
            Ok(Lax(Some(input))) => self.calls.add_input(place, &input),
            Ok(Lax(None)) | Err(_) => self.notes.add(PARSER, "bad_tool_input"),
        }
    }

    fn update(&mut self, event: StreamEvent<'_>) {
        if let Some(usage) = event.usage.0 {
            self.usage.overwrite_with(&usage.stated());
        }
        if let Some(reason) = event.delta.0.and_then(|delta| owned(&delta.stop_reason)) {
            self.stop_reason = Some(reason);
        }
    }

    /// The stream is over.
    pub(crate) fn finish(self) -> AnswerFacts {
        AnswerFacts {
            model_served: self.model,
            usage: if_stated(self.usage),
            stop_reason: self.stop_reason,
            error: self.error,
            tools: self.calls.into_facts(),
            streamed: true,
            terminal: Some(self.stopped),
            first_content: self.first_content,
            notes: self.notes,
        }
    }
}
