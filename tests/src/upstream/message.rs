//! What a model answers, and how Anthropic sends it: as a stream of events, and as one JSON object.

use serde_json::{Value, json};

use super::{Answer, Call, Milestone, Piece};

/// What an answer used, in parts of the input that do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input neither read from nor written to a cache.
    pub input: u64,
    /// All output.
    pub output: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Written to a cache for five minutes.
    pub write_5m: u64,
    /// Written to a cache for an hour.
    pub write_1h: u64,
    /// The part of the output that was reasoning; Anthropic does not state it.
    pub reasoning: u64,
    /// Searches in the web that the provider made.
    pub searches: u64,
}

impl Usage {
    /// Numbers that differ from each other and from those of any other `n`, so that none can stand in for
    /// another.
    pub const fn sample(n: u64) -> Self {
        Self {
            input: 1_001 + 7 * n,
            output: 211 + 3 * n,
            cache_read: 9_013 + 11 * n,
            write_5m: 401 + 5 * n,
            write_1h: 53 + 13 * n,
            reasoning: 0,
            searches: 0,
        }
    }

    fn input_json(&self, output: u64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.write_5m + self.write_1h,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.write_5m,
                "ephemeral_1h_input_tokens": self.write_1h,
            },
            "output_tokens": output,
            "service_tier": "standard",
            "server_tool_use": {"web_search_requests": self.searches, "web_fetch_requests": 0},
        })
    }
}

/// One block of an answer.
#[expect(clippy::large_enum_variant, reason = "an answer has a handful of them")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Thinking.
    Thinking(String),
    /// Text.
    Text(String),
    /// A tool call.
    Tool(Call),
    /// What the call before it, which the provider did itself, has found.
    Found(String),
    /// The conversation so far, in short; where a provider keeps it for itself, as something that only it can read.
    Summary(String),
}

/// The output tokens that a stream names at its start; no client may count them.
const PLACEHOLDER: u64 = 3;

/// An answer to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) blocks: Vec<Block>,
    pub(super) stop_reason: String,
    pub(super) usage: Usage,
}

impl Message {
    /// An answer of `model` without any block yet.
    pub fn of(model: &str) -> Self {
        Self {
            id: "msg_0123456789abcdef".into(),
            model: model.into(),
            blocks: Vec::new(),
            stop_reason: "end_turn".into(),
            usage: Usage::default(),
        }
    }

    /// Thinks.
    #[must_use]
    pub fn thinking(self, text: &str) -> Self {
        self.block(Block::Thinking(text.into()))
    }

    /// Says something.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.block(Block::Text(text.into()))
    }

    /// Calls a tool, and stops for its result.
    #[must_use]
    pub fn tool(self, name: &str, input: Value) -> Self {
        self.call(Call::new(name, input))
    }

    /// Makes this call.
    #[must_use]
    pub fn call(self, call: Call) -> Self {
        self.block(Block::Tool(call))
    }

    /// Has this id.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Used this much.
    #[must_use]
    pub fn usage(self, usage: Usage) -> Self {
        Self { usage, ..self }
    }

    /// Stops for this reason.
    #[must_use]
    pub fn stop_reason(self, reason: &str) -> Self {
        Self { stop_reason: reason.into(), ..self }
    }

    /// Has this block behind the others. A call makes it stop for the result, unless the provider has that already.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        if matches!(&block, Block::Tool(call) if !call.means.hosted) {
            self.stop_reason = "tool_use".into();
        }
        self.blocks.push(block);
        self
    }

    /// The answer as one JSON object.
    pub fn whole(&self) -> Answer {
        let content: Vec<_> =
            self.blocks.iter().enumerate().map(|(i, block)| self.whole_block(i, block)).collect();
        let body = json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": content,
            "stop_reason": self.stop_reason, "stop_sequence": null, "usage": self.usage.input_json(self.usage.output),
        });
        let mut tells = vec![self.started(), Milestone::Content];
        tells.extend(self.blocks.iter().enumerate().filter_map(|(i, block)| tool_of(block, self.tool_id(i))));
        tells.push(self.finished());
        Answer::new(200, "application/json", vec![Piece { bytes: body.to_string().into_bytes(), tells }])
    }

    /// The answer as a stream of events.
    pub fn streamed(&self) -> Answer {
        let mut pieces = vec![self.message_start()];
        for (index, block) in self.blocks.iter().enumerate() {
            self.stream_block(index, block, &mut pieces);
            if index == 0 {
                pieces.push(Piece::event("ping", &json!({"type": "ping"}), vec![]));
            }
        }
        pieces.push(self.message_delta());
        pieces.push(Piece::event(
            "message_stop",
            &json!({"type": "message_stop"}),
            vec![Milestone::Terminal],
        ));
        Answer::new(200, "text/event-stream; charset=utf-8", pieces)
    }

    fn started(&self) -> Milestone {
        Milestone::Started { model: self.model.clone(), usage: self.usage }
    }

    fn finished(&self) -> Milestone {
        Milestone::Finished { stop_reason: self.stop_reason.clone(), output: self.usage.output }
    }

    fn message_start(&self) -> Piece {
        let message = json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": self.usage.input_json(PLACEHOLDER),
        });
        let data = json!({"type": "message_start", "message": message});
        Piece::event("message_start", &data, vec![self.started()])
    }

    fn message_delta(&self) -> Piece {
        let data = json!({
            "type": "message_delta",
            "delta": {"stop_reason": self.stop_reason, "stop_sequence": null},
            "usage": {
                "input_tokens": self.usage.input,
                "cache_creation_input_tokens": self.usage.write_5m + self.usage.write_1h,
                "cache_read_input_tokens": self.usage.cache_read,
                "output_tokens": self.usage.output,
                "server_tool_use": {"web_search_requests": self.usage.searches, "web_fetch_requests": 0},
            },
        });
        Piece::event("message_delta", &data, vec![self.finished()])
    }

    fn stream_block(&self, index: usize, block: &Block, pieces: &mut Vec<Piece>) {
        let (start, deltas) = match block {
            Block::Found(_) => (self.whole_block(index, block), [Value::Null, Value::Null]),
            Block::Thinking(text) => (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                halves(text).map(|part| json!({"type": "thinking_delta", "thinking": part})),
            ),
            Block::Text(text) | Block::Summary(text) => (
                json!({"type": "text", "text": ""}),
                halves(text).map(|part| json!({"type": "text_delta", "text": part})),
            ),
            Block::Tool(call) => (
                json!({"type": call_type(call), "id": self.tool_id(index), "name": call.name, "input": {}}),
                halves(&call.input.to_string())
                    .map(|part| json!({"type": "input_json_delta", "partial_json": part})),
            ),
        };
        let start = json!({"type": "content_block_start", "index": index, "content_block": start});
        // The start of a call names the tool; the start of a text is empty.
        let call = tool_of(block, self.tool_id(index));
        let tells = call.into_iter().flat_map(|call| [Milestone::Content, call]).collect();
        pieces.push(Piece::event("content_block_start", &start, tells));
        pieces.extend(deltas.into_iter().filter(|delta| !delta.is_null()).map(|delta| {
            let data = json!({"type": "content_block_delta", "index": index, "delta": delta});
            Piece::event("content_block_delta", &data, vec![Milestone::Content])
        }));
        let stop = json!({"type": "content_block_stop", "index": index});
        pieces.push(Piece::event("content_block_stop", &stop, vec![]));
    }

    fn whole_block(&self, index: usize, block: &Block) -> Value {
        match block {
            Block::Thinking(text) => json!({"type": "thinking", "thinking": text, "signature": "c2ln"}),
            Block::Text(text) | Block::Summary(text) => json!({"type": "text", "text": text}),
            Block::Found(title) => json!({
                "type": "web_search_tool_result",
                "tool_use_id": self.tool_id(index.saturating_sub(1)),
                "content": [{"type": "web_search_result", "url": "https://example.invalid/", "title": title,
                    "encrypted_content": "c2ln", "page_age": null}],
            }),
            Block::Tool(call) => {
                let id = self.tool_id(index);
                json!({"type": call_type(call), "id": id, "name": call.name, "input": call.input})
            }
        }
    }

    /// Unique within a conversation, as long as its messages have ids of their own.
    fn tool_id(&self, index: usize) -> String {
        format!("toolu_{}_{index}", self.id.trim_start_matches("msg_"))
    }
}

fn call_type(call: &Call) -> &'static str {
    if call.means.hosted { "server_tool_use" } else { "tool_use" }
}

pub(super) fn tool_of(block: &Block, id: String) -> Option<Milestone> {
    match block {
        Block::Tool(call) => Some(Milestone::Tool(call.with_id(id))),
        Block::Thinking(_) | Block::Text(_) | Block::Found(_) | Block::Summary(_) => None,
    }
}

/// The text in two parts, so that a reader has to join them.
pub(super) fn halves(text: &str) -> [String; 2] {
    let middle = (text.len() / 2..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    [text[..middle].to_owned(), text[middle..].to_owned()]
}
