//! What passes the proxies: requests as a coding agent sends them and answers as its provider gives them, so that
//! whoever reads along has real work to do.

use std::{fmt::Write, iter};

use serde_json::{Value, json};

/// Where a request bears the number of its connection.
const SESSION: &str = "~~~~";
/// Where a request bears its own number, so that no two are equal.
const NUMBER: &str = "@@@@@@@@@@@@";
/// Where a paced event bears the moment of its sending.
pub(crate) const STAMP: &str = "@00000000000000000000";

const PROSE: &str = "The queue is drained before the lock is taken, so \"nothing\" can be lost here.\nNext: look at `drain()`. ";

/// A request, but for its numbers.
pub(crate) struct Request {
    bytes: Vec<u8>,
    numbers: Vec<usize>,
}

impl Request {
    /// A short request: one turn in a conversation that has just begun, 2 KB with its head.
    pub(crate) fn short(stream: bool) -> Self {
        Self::with_messages(stream, 1, 300)
    }

    /// A long one: the same after many turns, 200 KB.
    pub(crate) fn long() -> Self {
        Self::with_messages(true, 50, 3400)
    }

    fn with_messages(stream: bool, turns: usize, length: usize) -> Self {
        let body = json!({
            "model": "claude-sonnet-4-5-20250929",
            "max_tokens": 8192,
            "stream": stream,
            "system": [{"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude."}],
            "metadata": {"user_id": format!("user_{}_account__session_0a1b2c3d-0000-4000-8000-00000000{SESSION}", "ab".repeat(32))},
            "tools": [{"name": "Read", "description": "Reads a file.", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}],
            "messages": messages(turns, length),
        });
        Self::of_body(&body.to_string())
    }

    fn of_body(body: &str) -> Self {
        let head = format!(
            "POST /v1/messages?beta=true HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n\
             User-Agent: claude-cli/2.0.14 (external, cli)\r\nx-api-key: sk-ant-none\r\nanthropic-version: 2023-06-01\r\n\
             anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14\r\nx-app: cli\r\n\
             x-stainless-lang: js\r\nx-stainless-runtime: node\r\nx-stainless-timeout: 600\r\nAccept: application/json\r\n\
             Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), body.as_bytes()].concat();
        Self { numbers: places(&bytes, NUMBER), bytes }
    }

    /// The same, from this connection to this host.
    pub(crate) fn of_connection(&self, number: usize, host: &str) -> Self {
        let session = format!("{number:0width$}", width = SESSION.len());
        let text = String::from_utf8(self.bytes.clone()).expect("a request is text");
        let bytes = text.replacen("HOST", host, 1).replace(SESSION, &session).into_bytes();
        Self { numbers: places(&bytes, NUMBER), bytes }
    }

    /// The bytes of the `number`th request.
    pub(crate) fn numbered(&mut self, number: u64) -> &[u8] {
        let digits = format!("{number:0width$}", width = NUMBER.len());
        for &place in &self.numbers {
            self.bytes[place..place + NUMBER.len()].copy_from_slice(digits.as_bytes());
        }
        &self.bytes
    }
}

fn places(bytes: &[u8], marker: &str) -> Vec<usize> {
    let starts = bytes.windows(marker.len()).enumerate();
    starts.filter(|(_, window)| *window == marker.as_bytes()).map(|(place, _)| place).collect()
}

/// A conversation in which a tool is called in each turn; the last result and its call are new in each request.
fn messages(turns: usize, length: usize) -> Vec<Value> {
    let mut messages = vec![json!({"role": "user", "content": "Why does the test hang?"})];
    for turn in 1..=turns {
        let id = if turn == turns { format!("toolu_{NUMBER}") } else { format!("toolu_{turn:012}") };
        let call = json!({"type": "tool_use", "id": id, "name": "Read", "input": {"path": "/src/queue.rs"}});
        let text = json!({"type": "text", "text": "I shall look at the queue first."});
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": prose(length)});
        messages.push(json!({"role": "assistant", "content": [text, call]}));
        messages.push(json!({"role": "user", "content": [result]}));
    }
    messages
}

fn prose(length: usize) -> String {
    PROSE.chars().cycle().take(length).collect()
}

const ANSWER_HEADERS: &str = "request-id: req_011CTaaaaaaaaaaaaaaaaaaa\r\nanthropic-ratelimit-requests-limit: 4000\r\n\
    anthropic-ratelimit-requests-remaining: 3999\r\nanthropic-organization-id: 00000000-0000-4000-8000-000000000000\r\n\
    server: cloudflare\r\ncf-ray: 90000000aaaaaaaa-FRA\r\ndate: Mon, 06 Oct 2025 10:00:00 GMT\r\n";

/// An answer on the wire.
#[derive(Clone)]
pub(crate) enum Answer {
    /// All at once.
    AtOnce(Vec<u8>),
    /// Its head, and then its chunks one by one with a pause before each; see [`STAMP`].
    Paced(Vec<Vec<u8>>),
}

impl Answer {
    /// A message as one JSON object, 1 KB with its head.
    pub(crate) fn json() -> Self {
        let call =
            json!({"type": "tool_use", "id": "toolu_01", "name": "Read", "input": {"path": "/src/lock.rs"}});
        let body = json!({
            "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
            "content": [{"type": "text", "text": prose(250)}, call],
            "stop_reason": "tool_use", "stop_sequence": null, "usage": usage(),
        })
        .to_string();
        let length = body.len();
        Self::AtOnce(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{ANSWER_HEADERS}Content-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }

    /// A message as so many events, each in a chunk of its own, that come all at once.
    pub(crate) fn burst(events: usize) -> Self {
        Self::AtOnce([stream_head(), chunks(events, &prose(90)).concat()].concat())
    }

    /// A message as so many events that come one by one.
    pub(crate) fn paced(events: usize) -> Self {
        let text = format!("{STAMP} {}", prose(60));
        Self::Paced(iter::once(stream_head()).chain(chunks(events, &text)).collect())
    }
}

fn usage() -> Value {
    json!({"input_tokens": 12, "cache_creation_input_tokens": 340, "cache_read_input_tokens": 18000, "output_tokens": 97, "service_tier": "standard"})
}

fn stream_head() -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n{ANSWER_HEADERS}Transfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes()
}

/// The chunks of a stream of so many events; the last one ends the body.
fn chunks(events: usize, text: &str) -> Vec<Vec<u8>> {
    let deltas = events.checked_sub(5).expect("a stream has at least five events");
    let delta =
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
    let before = [
        json!({"type": "message_start", "message": {"id": "msg_01", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5-20250929", "content": [], "stop_reason": null, "usage": usage()}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ];
    let after = [
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 97}}),
        json!({"type": "message_stop"}),
    ];
    let events = before.into_iter().chain(iter::repeat_n(delta, deltas)).chain(after);
    let mut chunks: Vec<Vec<u8>> = events.map(|event| chunk(&event)).collect();
    chunks.last_mut().expect("there are events").extend_from_slice(b"0\r\n\r\n");
    chunks
}

fn chunk(event: &Value) -> Vec<u8> {
    let mut text = String::new();
    let kind = event["type"].as_str().unwrap_or_default();
    let event = format!("event: {kind}\ndata: {event}\n\n");
    write!(text, "{:x}\r\n{event}\r\n", event.len()).expect("a string takes everything");
    text.into_bytes()
}
