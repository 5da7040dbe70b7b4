//! A connection from its upgrade to its end.
//!
//! An event belongs to the turn that was asked for first and is not over: a server answers one after the other, and a
//! turn is over at the latest when the next response begins. The copies of both directions are in the order in which
//! they were passed on, so a request is seen before its answer, and an answer's end before the request that it leads to.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use ccxray_shared::{
    entry::{Class, Outcome},
    key::Key,
};
use hyper::{HeaderMap, StatusCode, header::SEC_WEBSOCKET_EXTENSIONS};

use super::turn::{Asked, End, Known, Turn, TurnOver};
use crate::{
    decode::websocket::{Content, Deflate, Fault, Message, MessageReader, Side, extension},
    distil::{
        dialect::Dialect,
        notes::Notes,
        openai::socket::{ClientMessage, History, ServerEvent},
        sse::MAX_EVENT,
    },
    record::{
        assembly::{MAX_REQUEST, RequestSide, Shared, head},
        channel::CopyPermit,
        exchange::{Closing, Opening, ResponseHead},
    },
};

/// The name of this parser in an entry's notes.
pub(super) const PARSER: &str = "websocket";
/// The most turns that may have been asked for and not be over.
const MAX_UNDER_WAY: usize = 16;

/// A connection with turns on it.
pub(crate) struct Connection {
    client: Lane,
    upstream: Lane,
    talk: Talk,
    /// What one of the readers stumbled over. Nothing is read from then on: half a conversation has no meaning.
    fault: Option<Fault>,
}

/// One direction.
struct Lane {
    reader: MessageReader,
    /// Of the copies that a message whose end has not come is in: its memory counts against the cap.
    held: Vec<CopyPermit>,
}

/// What has been said.
struct Talk {
    upgrade: Arc<Opening>,
    known: Known,
    history: History,
    turns: u64,
    under_way: VecDeque<Turn>,
    over: Vec<TurnOver>,
    /// How it looks for the turns under way: who was the first to end the connection.
    left: Option<Outcome>,
    notes: Notes,
}

impl Connection {
    /// Whether this answer makes a connection of an exchange.
    pub(crate) fn begins(opening: &Opening, answer: &ResponseHead) -> bool {
        answer.status == StatusCode::SWITCHING_PROTOCOLS && head(opening).dialect() == Dialect::Responses
    }

    /// The connection that this answer begins.
    pub(crate) fn new(opening: Arc<Opening>, answer: &ResponseHead, key: &Key) -> Self {
        let (deflate, fault) = match agreed(&answer.headers) {
            Ok(deflate) => (deflate, None),
            Err(fault) => (None, Some(fault)),
        };
        Self {
            client: Lane::new(Side::Client, deflate, MAX_REQUEST),
            upstream: Lane::new(Side::Server, deflate, MAX_EVENT),
            talk: Talk::new(opening, key),
            fault,
        }
    }

    /// The client's next bytes.
    pub(crate) fn client_chunk(
        &mut self,
        chunk: &[u8],
        at: Instant,
        permit: CopyPermit,
        shared: &mut Shared,
    ) {
        if self.fault.is_none() {
            let talk = &mut self.talk;
            let read = self.client.feed(chunk, at, permit, &mut |message| talk.asked(message, shared));
            self.fault = read.err();
        }
    }

    /// The upstream's next bytes.
    pub(crate) fn upstream_chunk(
        &mut self,
        chunk: &[u8],
        at: Instant,
        permit: CopyPermit,
        shared: &mut Shared,
    ) {
        if self.fault.is_none() {
            let talk = &mut self.talk;
            let read =
                self.upstream.feed(chunk, at, permit, &mut |message| talk.answered(message, at, shared));
            self.fault = read.err();
        }
    }

    /// The client has ended its stream.
    pub(crate) fn client_ended(&mut self) {
        self.talk.left.get_or_insert(Outcome::ClientAbort);
    }

    /// The upstream has.
    pub(crate) fn upstream_ended(&mut self) {
        self.talk.left.get_or_insert(Outcome::UpstreamAbort);
    }

    /// The turns that are over and have not been told of.
    pub(crate) fn over(&mut self) -> Vec<TurnOver> {
        std::mem::take(&mut self.talk.over)
    }

    /// The connection is over: what is known of it, and the turns that end with it.
    pub(crate) fn finish(&mut self, closing: &Closing, shared: &mut Shared) -> (RequestSide, Vec<TurnOver>) {
        let broken = match closing.outcome {
            Outcome::Complete => Outcome::UpstreamAbort,
            outcome => outcome,
        };
        let broken = self.talk.left.unwrap_or(broken);
        let fault = self.fault.map(Fault::as_str);
        let end = match (closing.shed, fault) {
            (false, None) => End::Broken(broken, closing.ended),
            (shed, fault) => End::Unseen { outcome: closing.outcome, shed, fault },
        };
        if let (Some(turn), Some(bytes)) =
            (self.talk.under_way.front_mut(), self.upstream.reader.unfinished())
        {
            turn.arrived(bytes, closing.ended);
        }
        let over = self.talk.under_way.drain(..).map(|turn| turn.end(end, shared)).collect();
        let mut side = RequestSide::of_head(&self.talk.upgrade, &shared.key);
        side.facts.class = Class::Connection;
        side.facts.notes.append(std::mem::take(&mut self.talk.notes));
        if let Some(fault) = fault {
            side.facts.notes.add(PARSER, fault);
        }
        (side, over)
    }
}

fn agreed(headers: &HeaderMap) -> Result<Option<Deflate>, Fault> {
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
    extension::agreed(values.map(|value| value.to_str().unwrap_or("unreadable")))
}

impl Lane {
    fn new(side: Side, deflate: Option<Deflate>, limit: usize) -> Self {
        Self { reader: MessageReader::new(side, deflate, limit), held: Vec::new() }
    }

    fn feed(
        &mut self,
        chunk: &[u8],
        at: Instant,
        permit: CopyPermit,
        on_message: &mut dyn FnMut(Message<'_>),
    ) -> Result<(), Fault> {
        let held = &mut self.held;
        // What stands before the end of a message belongs to no later one.
        let read = self.reader.feed(chunk, at, &mut |message| {
            held.clear();
            on_message(message);
        });
        match (read, self.reader.unfinished()) {
            (Ok(()), Some(_)) => held.push(permit),
            (Ok(()), None) | (Err(_), _) => held.clear(),
        }
        read
    }
}

impl Talk {
    fn new(upgrade: Arc<Opening>, key: &Key) -> Self {
        Self {
            known: Known::of_upgrade(&upgrade, key),
            upgrade,
            history: History::default(),
            turns: 0,
            under_way: VecDeque::new(),
            over: Vec::new(),
            left: None,
            notes: Notes::default(),
        }
    }

    /// The client has said something.
    fn asked(&mut self, message: Message<'_>, shared: &mut Shared) {
        match message.content {
            Content::Text(text) => match ClientMessage::read(text) {
                Some(ClientMessage::Create(create)) => {
                    let Message { begun, wire_bytes, .. } = message;
                    self.begin(&Asked { text, create, begun, wire_bytes }, shared);
                }
                Some(ClientMessage::Other) => {}
                None => self.notes.add(PARSER, "bad_message_json"),
            },
            Content::Binary => self.notes.add(PARSER, "binary_message"),
            Content::TooLong => self.notes.add(PARSER, "message_too_long"),
            Content::Close => drop(self.left.get_or_insert(Outcome::ClientAbort)),
        }
    }

    fn begin(&mut self, asked: &Asked<'_>, shared: &mut Shared) {
        if self.under_way.len() == MAX_UNDER_WAY {
            return self.notes.add(PARSER, "too_many_at_once");
        }
        self.turns += 1;
        let memory = (&mut self.known, &mut self.history);
        self.under_way.push_back(Turn::begin(&self.upgrade, self.turns, asked, memory, shared));
    }

    /// The upstream has said something.
    fn answered(&mut self, message: Message<'_>, at: Instant, shared: &mut Shared) {
        if message.content == Content::Close {
            self.left.get_or_insert(Outcome::UpstreamAbort);
            return;
        }
        // What comes between two turns, such as the state of limits, is nobody's answer.
        let Some(turn) = self.under_way.front_mut() else { return };
        let Content::Text(text) = message.content else {
            turn.arrived(message.wire_bytes, at);
            return turn.note(match message.content {
                Content::TooLong => "message_too_long",
                Content::Text(_) | Content::Binary | Content::Close => "binary_message",
            });
        };
        let Some(event) = ServerEvent::read(text) else {
            turn.arrived(message.wire_bytes, at);
            return turn.note("bad_message_json");
        };
        if turn.is_behind(&event) {
            self.end_turn(End::Missed, shared);
        }
        let Some(turn) = self.under_way.front_mut() else { return };
        self.history.event(&event);
        if turn.event(&event, text, at, message.wire_bytes).is_some() {
            self.end_turn(End::Told, shared);
        }
    }

    fn end_turn(&mut self, end: End, shared: &mut Shared) {
        self.over.extend(self.under_way.pop_front().map(|turn| turn.end(end, shared)));
    }
}
