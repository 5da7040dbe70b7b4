//! What a client has when an exchange is over.

use std::{fmt, io::Read};

use serde_json::{Value, json};

/// How an answer ended for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As HTTP says that it ends.
    Clean,
    /// In the middle: the client cannot take it for a whole answer.
    Broken,
    /// No answer came.
    NoAnswer,
}

/// An answer, as far as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its status; 0 if none came.
    pub status: u16,
    /// Its headers in their order, names in lower case, without those that each hop makes for itself.
    pub headers: Vec<(String, String)>,
    /// The bytes of its body, in their content encoding.
    pub body: Vec<u8>,
    /// How it ended.
    pub end: End,
}

/// For people: the body's length and, if it is text, its last characters, where a difference mostly is.
impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.body);
        let end: String = text.chars().skip(text.chars().count().saturating_sub(60)).collect();
        write!(f, "{} {:?} {:?}, {} bytes, …{end:?}", self.status, self.headers, self.end, self.body.len())
    }
}

impl Answered {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body without its content encoding. Panics if it does not decode.
    pub fn decoded(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        let body = self.body.as_slice();
        let read = match self.header("content-encoding") {
            None => return self.body.clone(),
            Some("gzip") => flate2::read::GzDecoder::new(body).read_to_end(&mut plain),
            Some("deflate") => flate2::read::ZlibDecoder::new(body).read_to_end(&mut plain),
            Some("br") => brotli::Decompressor::new(body, 4096).read_to_end(&mut plain),
            Some("zstd") => zstd::Decoder::new(body).and_then(|mut decoder| decoder.read_to_end(&mut plain)),
            Some(other) => panic!("no answer is encoded as {other}"),
        };
        read.expect("a whole answer decodes");
        plain
    }

    /// The blocks of the message, streamed or not.
    pub fn content(&self) -> Vec<Value> {
        let plain = self.decoded();
        if self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return joined(&String::from_utf8(plain).expect("events are UTF-8"));
        }
        let message: Value = serde_json::from_slice(&plain).expect("an answer that is no stream is JSON");
        message["content"].as_array().cloned().unwrap_or_default()
    }
}

/// The blocks that the events of a stream make.
fn joined(events: &str) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    let mut input = String::new();
    for data in events.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: Value = serde_json::from_str(data).expect("an event's data is JSON");
        match event["type"].as_str() {
            Some("content_block_start") => blocks.push(event["content_block"].clone()),
            Some("content_block_delta") => {
                let block = blocks.last_mut().expect("a delta follows a start");
                for field in ["text", "thinking"] {
                    if let Some(more) = event["delta"][field].as_str() {
                        block[field] = json!(block[field].as_str().unwrap_or_default().to_owned() + more);
                    }
                }
                input.push_str(event["delta"]["partial_json"].as_str().unwrap_or_default());
            }
            Some("content_block_stop") if !input.is_empty() => {
                let block = blocks.last_mut().expect("a stop follows a start");
                block["input"] = serde_json::from_str(&input).expect("a tool's whole input is JSON");
                input.clear();
            }
            _ => {}
        }
    }
    blocks
}
