//! What an answer tells, read as it passes by.

use std::time::Instant;

use ccxray_shared::{
    Name,
    entry::{ErrorFacts, ToolCalls},
    usage::Usage,
};
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{
    anthropic::{self, MessageStream},
    dialect::Dialect,
    notes::Notes,
    sse::SseParser,
};
use crate::decode::{ContentDecoder, Fault};

/// The longest JSON answer that is read.
const MAX_JSON: usize = 8 << 20;

/// The facts of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerFacts {
    /// The model that it names.
    pub model_served: Option<Name<'static>>,
    /// Its usage as stated.
    pub usage: Option<Usage<'static>>,
    /// Its stop reason as stated.
    pub stop_reason: Option<Name<'static>>,
    /// Its error as stated.
    pub error: Option<ErrorFacts<'static>>,
    /// Its tool calls; none if it has none.
    pub tools: Option<ToolCalls<'static>>,
    /// Whether it is a stream of events.
    pub streamed: bool,
    /// Whether the stream came to its terminal event.
    pub terminal: Option<bool>,
    /// When the first event with content came: the first delta of a content block, or the start of a tool call.
    pub first_content: Option<Instant>,
    /// What was not understood.
    pub notes: Notes,
}

/// Follows one answer from its head on.
pub struct AnswerReader {
    decoder: ContentDecoder,
    body: Body,
}

/// What the body is, as its head says.
enum Body {
    Events(Box<(SseParser, MessageStream)>),
    Json {
        bytes: Vec<u8>,
        overlong: bool,
        /// An error may come without a body, a success may not.
        may_be_empty: bool,
    },
    /// Nothing in it is looked at: another language, or an error page that somebody in between has written.
    Opaque {
        streamed: bool,
        unexpected: bool,
    },
}

impl AnswerReader {
    /// A reader for the answer to a request in `dialect`.
    pub fn new(dialect: Dialect, status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let decoder = ContentDecoder::new(text(CONTENT_ENCODING));
        Self { decoder, body: Body::new(dialect, status, text(CONTENT_TYPE)) }
    }

    /// The next piece of the body came at `at`.
    pub fn feed(&mut self, piece: &[u8], at: Instant) {
        let body = &mut self.body;
        if !matches!(body, Body::Opaque { .. }) {
            self.decoder.feed(piece, &mut |plain| body.feed(plain, at));
        }
    }

    /// The body is over; `whole` says that it came to its end.
    pub fn finish(mut self, whole: bool, at: Instant) -> AnswerFacts {
        let body = &mut self.body;
        let is_read = !matches!(body, Body::Opaque { .. });
        let fault = self.decoder.finish(&mut |plain| body.feed(plain, at));
        let mut facts = self.body.finish(whole);
        match fault {
            // That a broken-off body is not whole is known already.
            Some(Fault::Truncated) if !whole => {}
            Some(fault) if is_read => facts.notes.add("decode", fault.as_str()),
            Some(_) | None => {}
        }
        facts
    }
}

impl Body {
    fn new(dialect: Dialect, status: StatusCode, content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| media_type.eq_ignore_ascii_case(known);
        let streamed = is("text/event-stream");
        match dialect {
            Dialect::AnthropicMessages if streamed => Self::Events(Box::default()),
            Dialect::AnthropicMessages | Dialect::AnthropicCount if is("application/json") => {
                Self::Json { bytes: Vec::new(), overlong: false, may_be_empty: !status.is_success() }
            }
            Dialect::AnthropicMessages => Self::Opaque { streamed, unexpected: status.is_success() },
            Dialect::AnthropicCount | Dialect::Unread => Self::Opaque { streamed, unexpected: false },
        }
    }

    fn feed(&mut self, plain: &[u8], at: Instant) {
        match self {
            Self::Events(events) => {
                let (parser, stream) = &mut **events;
                parser.feed(plain, &mut |event| stream.event(event, at));
            }
            Self::Json { bytes, overlong, .. } => {
                *overlong |= bytes.len() + plain.len() > MAX_JSON;
                if !*overlong {
                    bytes.extend_from_slice(plain);
                }
            }
            Self::Opaque { .. } => {}
        }
    }

    fn finish(self, whole: bool) -> AnswerFacts {
        let mut facts = AnswerFacts::default();
        match self {
            Self::Events(events) => {
                let (parser, stream) = *events;
                facts = stream.finish();
                if parser.skipped() > 0 {
                    facts.notes.add("sse", "event_too_long");
                }
            }
            Self::Json { overlong: true, .. } => facts.notes.add("json", "answer_too_long"),
            // Half an object has no meaning.
            Self::Json { .. } if !whole => {}
            Self::Json { bytes, may_be_empty, .. } => {
                if !(bytes.is_empty() && may_be_empty) {
                    facts = anthropic::read_message(&bytes);
                }
            }
            Self::Opaque { streamed, unexpected } => {
                facts.streamed = streamed;
                if unexpected && whole {
                    facts.notes.add("anthropic", "unexpected_content_type");
                }
            }
        }
        facts
    }
}
