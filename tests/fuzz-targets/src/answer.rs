//! Answers, by API.
//!
//! The first byte chooses what the answer's head says: a stream, an object, an error.

use std::time::Instant;

use ccxray_proxy::distil::{
    answer::{AnswerFacts, AnswerReader},
    dialect::Dialect,
};
use ccxray_shared::entry::MAX_LISTED;
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

use crate::cuts::{same_however_cut, split, ways};

/// Anthropic Messages.
pub fn anthropic(data: &[u8]) {
    check(data, &[Dialect::AnthropicMessages, Dialect::AnthropicCount]);
}

/// OpenAI Responses.
pub fn responses(data: &[u8]) {
    check(data, &[Dialect::Responses]);
}

/// OpenAI Chat Completions.
pub fn chat(data: &[u8]) {
    check(data, &[Dialect::ChatCompletions]);
}

/// Gemini, in events and as an array.
pub fn gemini(data: &[u8]) {
    check(data, &[Dialect::GeminiStream, Dialect::GeminiContent, Dialect::GeminiCount]);
}

/// The facts are the same however the answer is cut, and lists in them are short.
fn check(data: &[u8], dialects: &[Dialect]) {
    let Some((choice, body)) = split(data) else { return };
    let (content_type, status) = match choice % 4 {
        0 => ("text/event-stream", StatusCode::OK),
        1 => ("application/json", StatusCode::OK),
        2 => ("application/json; charset=utf-8", StatusCode::BAD_REQUEST),
        _ => ("text/event-stream;charset=utf-8", StatusCode::OK),
    };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    let at = Instant::now();
    for &dialect in dialects {
        let read = |pieces: &[&[u8]], whole: bool| {
            let mut reader = AnswerReader::new(dialect, status, &headers);
            for piece in pieces {
                reader.feed(piece, at);
            }
            reader.finish(whole, at)
        };
        let facts = same_however_cut(body, choice, |pieces| read(pieces, true));
        are_bounded(&facts);
        let [broken_off, ..] = ways(body, choice);
        are_bounded(&read(&broken_off, false));
    }
}

fn are_bounded(facts: &AnswerFacts) {
    let Some(tools) = &facts.tools else { return };
    assert!(tools.calls.len() <= MAX_LISTED);
    assert!(tools.calls.len() <= tools.blocks as usize, "{tools:?}");
    assert!(tools.calls.iter().all(|call| call.patterns.len() <= MAX_LISTED));
}
