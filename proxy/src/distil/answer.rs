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
    dialect::Dialect,
    learnt::Learnt,
    notes::Notes,
    objects::ObjectSplitter,
    sse::{Event, SseParser},
    stream::EventStream,
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
    /// What it teaches for the requests that follow; never written down.
    pub learnt: Learnt,
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
    Events {
        parser: SseParser,
        stream: Box<dyn EventStream>,
    },
    /// The same as events, but as the elements of a JSON array.
    Objects {
        splitter: ObjectSplitter,
        stream: Box<dyn EventStream>,
    },
    Json {
        dialect: Dialect,
        bytes: Vec<u8>,
        overlong: bool,
        /// An error may come without a body, a success may not.
        may_be_empty: bool,
    },
    /// Nothing in it is looked at: another language, or an error page that somebody in between has written.
    Opaque {
        streamed: bool,
        /// The parser that would have read it, had it been as documented.
        missed_by: Option<&'static str>,
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
        let (streamed, json) = (is("text/event-stream"), is("application/json"));
        let ok = status.is_success();
        match dialect.stream() {
            Some(stream) if streamed => Self::Events { parser: SseParser::default(), stream },
            Some(stream) if json && ok && dialect == Dialect::GeminiStream => {
                Self::Objects { splitter: ObjectSplitter::default(), stream }
            }
            Some(_) | None if json && dialect != Dialect::Unread => {
                Self::Json { dialect, bytes: Vec::new(), overlong: false, may_be_empty: !ok }
            }
            Some(_) | None => {
                let missed_by = (dialect.is_expected() && ok).then(|| dialect.parser());
                Self::Opaque { streamed, missed_by }
            }
        }
    }

    fn feed(&mut self, plain: &[u8], at: Instant) {
        match self {
            Self::Events { parser, stream } => parser.feed(plain, &mut |event| stream.event(event, at)),
            Self::Objects { splitter, stream } => {
                splitter.feed(plain, &mut |data| stream.event(Event { name: b"", data }, at));
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
            Self::Events { parser, stream } => {
                facts = stream.finish();
                if parser.skipped() > 0 {
                    facts.notes.add("sse", "event_too_long");
                }
            }
            Self::Objects { splitter, stream } => {
                facts = stream.finish();
                if splitter.skipped() > 0 {
                    facts.notes.add("json", "object_too_long");
                }
            }
            Self::Json { overlong: true, .. } => facts.notes.add("json", "answer_too_long"),
            // Half an object has no meaning.
            Self::Json { .. } if !whole => {}
            Self::Json { dialect, bytes, may_be_empty, .. } => {
                if !(bytes.is_empty() && may_be_empty) {
                    facts = dialect.read_json(&bytes);
                }
            }
            Self::Opaque { streamed, missed_by } => {
                facts.streamed = streamed;
                if let Some(parser) = missed_by.filter(|_| whole) {
                    facts.notes.add(parser, "unexpected_content_type");
                }
            }
        }
        facts
    }
}

/// A usage object that states nothing is none.
pub(super) fn if_stated(usage: Usage<'static>) -> Option<Usage<'static>> {
    (usage != Usage::default()).then_some(usage)
}
