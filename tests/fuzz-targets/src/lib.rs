//! One function per parser: it takes any bytes and panics if the parser breaks a promise.
//!
//! `tests/corpus.rs` runs each over its directory in `tests/fuzz/corpus`; the programs in `tests/fuzz/fuzz_targets`
//! have a fuzzer run them over everything else.
//!
//! - [`framing`], [`websocket`]: what stands around a message.
//! - [`answer`], [`request`]: what providers and clients say, by API.
//! - [`command`]: commands within tool calls.
//! - [`spool`]: the lines between the two processes.
//! - [`exporter`]: files and replies that the exporter reads.

// A function that is given to a fuzzer has nothing but a panic to say that something is wrong.
#![allow(clippy::missing_panics_doc, reason = "panics are what these functions are for")]

pub mod answer;
pub mod command;
mod cuts;
pub mod exporter;
pub mod framing;
pub mod request;
pub mod spool;
pub mod websocket;

/// A parser's promises, asked for with any bytes.
pub type Target = fn(&[u8]);

/// All targets by name: the names of the fuzzer's programs and of the corpus' directories.
pub const TARGETS: [(&str, Target); 19] = [
    ("sse", framing::sse),
    ("objects", framing::objects),
    ("websocket", websocket::messages),
    ("content_encoding", framing::content_encoding),
    ("anthropic_answer", answer::anthropic),
    ("responses_answer", answer::responses),
    ("chat_answer", answer::chat),
    ("gemini_answer", answer::gemini),
    ("anthropic_request", request::anthropic),
    ("responses_request", request::responses),
    ("chat_request", request::chat),
    ("gemini_request", request::gemini),
    ("shell", command::shell),
    ("script", command::script),
    ("line", spool::line),
    ("prices", exporter::prices),
    ("retry_after", exporter::retry_after),
    ("reply", exporter::reply),
    ("checkpoint", exporter::checkpoint),
];
