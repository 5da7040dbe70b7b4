//! An entry: what the proxy writes down about one finished exchange.
//!
//! Facts only, as they were on the wire. No text of a request or an answer, no header value, no path (but for
//! the project directory), no command. One struct serves both sides: the proxy fills it, the exporter reads it
//! back with every name borrowed from the line.

mod parts;
mod words;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use self::{
    parts::{
        Agent, ContextHints, ErrorFacts, MAX_LISTED, ParseNote, RateLimit, ToolCall, ToolCalls, ToolResults,
    },
    words::{Class, DirSource, Outcome, Parse, Provider, Route, Trigger},
};
use crate::{Name, UnixMillis, usage::Usage};

/// A running number of a stream's entries, from 0, without holes: a hole that a reader sees is a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// One finished exchange. Fields without a value are left out of the line; a reader ignores fields that it
/// does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// The proxy's id of the exchange, 16 hex digits; also in the proxy's own log.
    #[serde(borrow)]
    pub id: Name<'a>,
    /// The running number in the stream; given by the writer.
    #[serde(default)]
    pub seq: Seq,
    /// When the request's head had been read.
    pub started_at: UnixMillis,
    /// When the last byte had been passed on, or the exchange had failed.
    pub ended_at: UnixMillis,
    /// Whose API.
    pub provider: Provider,
    /// The upstream's name in the proxy's routing table.
    #[serde(borrow)]
    pub upstream: Name<'a>,
    /// Which operation.
    pub route: Route,
    /// What for.
    pub class: Class,
    /// The version of the text-dependent rules that made this entry.
    #[serde(default)]
    pub rules_version: u32,
    /// The answer's status; absent if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Milliseconds from `started_at` to `ended_at` by the monotonic clock.
    pub latency_ms: u64,
    /// Milliseconds from `started_at` to the first event with content of a streamed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_content_ms: Option<u64>,
    /// Whether the answer was a stream of events, or (Gemini) an array sent piece by piece.
    #[serde(default, skip_serializing_if = "is_false")]
    pub streamed: bool,
    /// Whether a streamed answer came to its terminal event; absent where that has no meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<bool>,
    /// Bytes of the request's body as passed on.
    #[serde(default)]
    pub request_bytes: u64,
    /// Bytes of the answer's body as passed on.
    #[serde(default)]
    pub response_bytes: u64,
    /// The client and its version, `<name>/<version>` as it calls itself, if it is a known one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Name<'a>>,
    /// The model that was asked for.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Name<'a>>,
    /// The model that the answer names.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub model_served: Option<Name<'a>>,
    /// Usage as sent; absent if the wire did not state it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage<'a>>,
    /// The stop reason as sent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<Name<'a>>,
    /// The error as sent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFacts<'a>>,
    /// Tool calls of the answer.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolCalls<'a>>,
    /// Tool results that this request reported for the first time.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub results: Option<ToolResults<'a>>,
    /// The skills that the user activated with this request, reported for the first time; at most [`MAX_LISTED`].
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Name<'a>>,
    /// Keyed hash of the client's session id; where Gemini CLI sends none, of how the conversation begins.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Name<'a>>,
    /// Which of the client's agents asked.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent<'a>>,
    /// Of a compaction: what set it off. Absent on another attempt at one that failed: those entries that have it count
    /// each compaction once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compaction: Option<Trigger>,
    /// Hints at the size of the session's context window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextHints>,
    /// The permission or sandbox mode, where the wire shows it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<Name<'a>>,
    /// Rate limits as the answer's headers state them.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimit<'a>>,
    /// Keyed digest of the request's body: equal bodies have equal digests.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<Name<'a>>,
    /// How many earlier exchanges of this session this proxy saw with the same request body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeats: u32,
    /// Whether the last of those had failed: this is another attempt.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retry: bool,
    /// The project directory, absolute. The only path in an entry; it never leaves the machine.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<Cow<'a, str>>,
    /// Where `dir` is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir_source: Option<DirSource>,
    /// The directory that the client stated, where the stamp in `dir` says another.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub stated_dir: Option<Cow<'a, str>>,
    /// The highest consent tier that the stamp allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_cap: Option<u8>,
    /// Whether the stamp says that the agent's own telemetry is on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub agent_otel: bool,
    /// How far the parser came.
    pub parse: Parse,
    /// What it did not understand, in closed words.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ParseNote<'a>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(crate) fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(b: &bool) -> bool {
    !*b
}
