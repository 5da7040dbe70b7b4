//! One exchange, put together from its messages.

use std::{ops::Range, sync::Arc, time::Instant};

use bytes::Bytes;
use ccxray_shared::{
    Name,
    entry::Outcome,
    key::{HashOf, Key},
};
use hyper::header::CONTENT_ENCODING;

use super::{
    channel::CopyPermit,
    exchange::{Closing, Opening, ResponseHead},
    websocket::Connection,
};
use crate::{
    decode::{ContentDecoder, Fault},
    distil::{
        answer::{AnswerFacts, AnswerReader},
        dialect::Dialect,
        memory::Memory,
        request::{Head, RequestFacts},
    },
};

/// The longest request that is read, decoded. No provider takes one of this size.
pub(super) const MAX_REQUEST: usize = 64 << 20;

/// What the distilling of every exchange shares.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: Key,
    pub(super) memory: Memory,
}

/// An exchange that is not over.
pub(super) enum Assembly {
    /// As far as it has been seen.
    Following(Box<Following>),
    /// It has become a WebSocket with exchanges of its own in it.
    Connected(Box<Connection>),
    /// A parser has panicked on it.
    Failed,
    /// Its entry is written, but the client may still be sending its request.
    Over(Arc<Opening>),
}

impl Default for Assembly {
    fn default() -> Self {
        Self::Following(Box::default())
    }
}

impl Assembly {
    pub(super) fn request_chunk(
        &mut self,
        opening: &Opening,
        chunk: Bytes,
        at: Instant,
        permit: CopyPermit,
        shared: &mut Shared,
    ) {
        match self {
            Self::Following(following) => following.request_chunk(opening, chunk, permit),
            Self::Connected(connection) => connection.client_chunk(&chunk, at, permit, shared),
            Self::Failed | Self::Over(_) => {}
        }
    }

    pub(super) fn request_end(&mut self, opening: &Opening, shared: &mut Shared) {
        match self {
            Self::Following(following) => following.request_end(opening, shared),
            Self::Connected(connection) => connection.client_ended(),
            Self::Failed | Self::Over(_) => {}
        }
    }

    pub(super) fn response_head(&mut self, opening: &Arc<Opening>, answer: &ResponseHead, shared: &Shared) {
        match self {
            Self::Following(_) if Connection::begins(opening, answer) => {
                *self = Self::Connected(Box::new(Connection::new(opening.clone(), answer, &shared.key)));
            }
            Self::Following(following) => following.response_head(opening, answer),
            Self::Connected(_) | Self::Failed | Self::Over(_) => {}
        }
    }

    pub(super) fn response_chunk(
        &mut self,
        chunk: &[u8],
        at: Instant,
        permit: CopyPermit,
        shared: &mut Shared,
    ) {
        match self {
            Self::Following(following) => following.response_chunk(chunk, at),
            Self::Connected(connection) => connection.upstream_chunk(chunk, at, permit, shared),
            Self::Failed | Self::Over(_) => {}
        }
    }

    pub(super) fn response_end(&mut self) {
        match self {
            Self::Connected(connection) => connection.upstream_ended(),
            Self::Following(_) | Self::Failed | Self::Over(_) => {}
        }
    }
}

/// Both directions of an exchange.
#[derive(Default)]
pub(super) struct Following {
    request: Request,
    answer: Option<AnswerReader>,
}

enum Request {
    /// Its chunks, whose memory counts against the cap until it is read.
    Collecting(Vec<(Bytes, CopyPermit)>),
    Read(Box<RequestSide>),
}

impl Default for Request {
    fn default() -> Self {
        Self::Collecting(Vec::new())
    }
}

/// What is known of a request.
#[derive(Debug)]
pub(super) struct RequestSide {
    pub(super) facts: RequestFacts,
    pub(super) digest: Option<Name<'static>>,
    pub(super) repeats: u32,
    /// Whether the last exchange with the same body failed.
    pub(super) retry: bool,
}

impl Following {
    fn request_chunk(&mut self, opening: &Opening, chunk: Bytes, permit: CopyPermit) {
        match &mut self.request {
            Request::Collecting(chunks) if head(opening).dialect() != Dialect::Unread => {
                chunks.push((chunk, permit));
            }
            Request::Collecting(_) | Request::Read(_) => {}
        }
    }

    fn request_end(&mut self, opening: &Opening, shared: &mut Shared) {
        if let Request::Collecting(chunks) = &mut self.request {
            let chunks = std::mem::take(chunks);
            self.request = Request::Read(Box::new(read_request(opening, &chunks, shared)));
        }
    }

    fn response_head(&mut self, opening: &Opening, answer: &ResponseHead) {
        let dialect = head(opening).dialect();
        self.answer = Some(AnswerReader::new(dialect, answer.status, &answer.headers));
    }

    fn response_chunk(&mut self, chunk: &[u8], at: Instant) {
        if let Some(answer) = &mut self.answer {
            answer.feed(chunk, at);
        }
    }

    /// The exchange is over. Nothing is told from the copy of a body that has holes.
    pub(super) fn finish(mut self, closing: &Closing, shared: &mut Shared) -> (RequestSide, AnswerFacts) {
        let is_whole = closing.outcome == Outcome::Complete;
        if !closing.shed {
            self.request_end(&closing.opening, shared);
        }
        let mut request = match self.request {
            Request::Read(side) => *side,
            Request::Collecting(_) => RequestSide::of_head(&closing.opening, &shared.key),
        };
        let mut answer = match self.answer {
            Some(answer) if !closing.shed => answer.finish(is_whole, closing.ended),
            Some(_) | None => AnswerFacts::default(),
        };
        request.facts.servers.add_to(&mut answer);
        request.learn(closing, &answer, shared);
        (request, answer)
    }
}

impl RequestSide {
    pub(super) fn of_head(opening: &Opening, key: &Key) -> Self {
        Self { facts: RequestFacts::of_head(head(opening), key), digest: None, repeats: 0, retry: false }
    }

    /// Adds what the decoded body tells, and looks for earlier attempts.
    fn add_body(&mut self, opening: &Opening, body: &[u8], shared: &mut Shared) {
        self.facts.add_body(head(opening), &shared.key, body, &mut shared.memory);
        self.compare(digest(body, &self.facts.passing, &shared.key), &mut shared.memory);
    }

    /// Looks for earlier exchanges with the same body.
    pub(super) fn compare(&mut self, digest: Name<'static>, memory: &mut Memory) {
        let scope = self.facts.scope();
        self.repeats = scope.map_or(0, |scope| memory.bodies.see(scope, digest.as_bytes()));
        self.retry = scope.is_some_and(|scope| memory.failed.has_seen(scope, digest.as_bytes()));
        if self.retry {
            // What set it off, the attempt before it has said.
            self.facts.compaction = None;
        }
        self.digest = Some(digest);
    }

    /// Remembers what the exchange teaches and how it ended, for the requests that follow.
    pub(super) fn learn(&mut self, closing: &Closing, answer: &AnswerFacts, shared: &mut Shared) {
        let Shared { key, memory } = shared;
        memory.learn(key, &mut self.facts, answer);
        let (Some(scope), Some(digest)) = (self.facts.scope(), &self.digest) else { return };
        if has_failed(closing, answer) {
            memory.failed.see(scope, digest.as_bytes());
        } else {
            memory.failed.forget(scope, digest.as_bytes());
        }
    }

    /// What can be said when even looking at the headers has failed.
    pub(super) fn unread(opening: &Opening) -> Self {
        Self { facts: RequestFacts::of_route(opening.route), digest: None, repeats: 0, retry: false }
    }
}

/// Whether the client got less than it asked for: an error, no answer, or a part of one.
fn has_failed(closing: &Closing, answer: &AnswerFacts) -> bool {
    match (closing.outcome, answer.terminal) {
        (Outcome::Complete | Outcome::ClientAbort, Some(true)) => answer.error.is_some(),
        (Outcome::Complete, None) => {
            answer.error.is_some() || closing.head.as_ref().is_none_or(|head| !head.status.is_success())
        }
        (Outcome::Complete, Some(false)) | (_, _) => true,
    }
}

pub(super) fn head(opening: &Opening) -> Head<'_> {
    Head {
        provider: opening.provider,
        route: opening.route,
        path_model: opening.path_model.as_deref(),
        headers: &opening.headers,
    }
}

fn read_request(opening: &Opening, chunks: &[(Bytes, CopyPermit)], shared: &mut Shared) -> RequestSide {
    let mut side = RequestSide::of_head(opening, &shared.key);
    if chunks.iter().all(|(chunk, _)| chunk.is_empty()) {
        return side;
    }
    let encoding = opening.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let decoder = ContentDecoder::new(encoding.unwrap_or_default());
    if let ([(only, _)], true) = (chunks, decoder.is_identity()) {
        side.add_body(opening, only, shared);
    } else {
        let (body, fault) = decoded(decoder, chunks);
        side.add_body(opening, &body, shared);
        if let Some(fault) = fault {
            side.facts.notes.add("decode", fault.as_str());
        }
    }
    side
}

/// The whole body, as far as it can be decoded.
fn decoded(mut decoder: ContentDecoder, chunks: &[(Bytes, CopyPermit)]) -> (Vec<u8>, Option<Fault>) {
    let mut body = Vec::with_capacity(chunks.iter().map(|(chunk, _)| chunk.len()).sum());
    let mut keep = |plain: &[u8]| {
        if body.len() + plain.len() <= MAX_REQUEST {
            body.extend_from_slice(plain);
        }
    };
    for (chunk, _) in chunks {
        decoder.feed(chunk, &mut keep);
    }
    let fault = decoder.finish(&mut keep);
    (body, fault)
}

/// What stands for the body: equal for all attempts at the same request.
fn digest(body: &[u8], passing: &Range<usize>, key: &Key) -> Name<'static> {
    let mut hasher = key.hasher(HashOf::Body);
    let (before, after) = (body.get(..passing.start), body.get(passing.end..));
    for part in [before, after].into_iter().flatten() {
        hasher.update(part);
    }
    hasher.finish()
}
