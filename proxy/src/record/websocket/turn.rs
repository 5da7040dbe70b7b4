//! One turn on a WebSocket: a message that asks for a response, and the events up to its end.

use std::{sync::Arc, time::Instant};

use ccxray_shared::{
    Entry,
    entry::{ContextHints, Outcome},
    key::{HashOf, Key},
};
use hyper::{HeaderMap, StatusCode};

use crate::{
    distil::{
        answer::AnswerFacts,
        openai::{
            ResponseStream,
            socket::{Create, Ending, History, ServerEvent},
        },
        request::RequestFacts,
        sse::Event,
        stream::EventStream,
    },
    record::{
        assembly::{RequestSide, Shared, head},
        exchange::{Closing, Opening, ResponseHead},
        summary::{self, Dirs},
    },
};

/// What the turns of a connection have in common and not every one of them says. It is what the last one said that
/// said it, and before that what the upgrade's headers did.
#[derive(Debug)]
pub(super) struct Known(RequestFacts);

impl Known {
    pub(super) fn of_upgrade(opening: &Opening, key: &Key) -> Self {
        Self(RequestSide::of_head(opening, key).facts)
    }

    /// Adds what `facts` do not say, and remembers what they do.
    fn share(&mut self, facts: &mut RequestFacts) {
        fn share<T: Clone>(known: &mut Option<T>, said: &mut Option<T>) {
            match said {
                Some(said) => *known = Some(said.clone()),
                None => said.clone_from(known),
            }
        }
        let known = &mut self.0;
        share(&mut known.session, &mut facts.session);
        share(&mut known.conversation, &mut facts.conversation);
        share(&mut known.agent, &mut facts.agent);
        share(&mut known.permission_mode, &mut facts.permission_mode);
        share(&mut known.stated_dir, &mut facts.stated_dir);
    }
}

/// A message that asks for a response.
pub(super) struct Asked<'a> {
    /// Its text.
    pub(super) text: &'a [u8],
    /// What it is.
    pub(super) create: Create<'a>,
    /// When it had begun.
    pub(super) begun: Instant,
    /// The bytes of its frames.
    pub(super) wire_bytes: u64,
}

/// A turn that is not over.
pub(super) struct Turn {
    opening: Arc<Opening>,
    request: RequestSide,
    request_bytes: u64,
    events: Box<ResponseStream>,
    /// Whether its response has begun.
    begun: bool,
    status: Option<StatusCode>,
    response_bytes: u64,
    seen: Instant,
}

/// A turn that is.
pub(crate) struct TurnOver {
    closing: Closing,
    request: RequestSide,
    answer: AnswerFacts,
}

/// Why no more of a turn will be seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// Its last event came.
    Told,
    /// Its last event did not come, or could not be read: another response has begun.
    Missed,
    /// The connection has ended.
    Broken(Outcome, Instant),
    /// From some moment on nothing of the connection was seen.
    Unseen {
        outcome: Outcome,
        shed: bool,
        /// What the reader stumbled over.
        fault: Option<&'static str>,
    },
}

impl Turn {
    /// The `number`th turn of the connection that `upgrade` began.
    pub(super) fn begin(
        upgrade: &Opening,
        number: u64,
        asked: &Asked<'_>,
        (known, history): (&mut Known, &mut History),
        shared: &mut Shared,
    ) -> Self {
        let since = asked.begun.saturating_duration_since(upgrade.started);
        let opening = Opening {
            id: upgrade.id.within(number),
            started_at: upgrade.started_at.after(since),
            started: asked.begun,
            provider: upgrade.provider,
            upstream: upgrade.upstream.clone(),
            route: upgrade.route,
            path_model: None,
            // Those of the upgrade say what held before the first turn.
            headers: HeaderMap::new(),
            attribution: upgrade.attribution.clone(),
        };
        let request = read(&opening, asked, known, history, shared);
        Self {
            opening: Arc::new(opening),
            request,
            request_bytes: asked.wire_bytes,
            events: Box::default(),
            begun: false,
            status: None,
            response_bytes: 0,
            seen: asked.begun,
        }
    }

    /// Whether `event` is another response's: this one has begun, and its end was not seen.
    pub(super) fn is_behind(&self, event: &ServerEvent<'_>) -> bool {
        self.begun && event.begins()
    }

    /// The next event of the response, and how it ends with it, if it does.
    pub(super) fn event(
        &mut self,
        event: &ServerEvent<'_>,
        data: &[u8],
        at: Instant,
        wire_bytes: u64,
    ) -> Option<Ending> {
        self.begun |= event.begins();
        let ends = event.ends();
        let first = match ends {
            Some(Ending::Error) => event.status().and_then(|status| StatusCode::from_u16(status).ok()),
            Some(Ending::Whole | Ending::Failed) | None => None,
        };
        self.status.get_or_insert(first.unwrap_or(StatusCode::OK));
        self.arrived(wire_bytes, at);
        self.events.event(Event { name: event.kind().as_bytes(), data }, at);
        ends
    }

    /// Bytes of the answer came.
    pub(super) fn arrived(&mut self, wire_bytes: u64, at: Instant) {
        self.response_bytes += wire_bytes;
        self.seen = at;
    }

    /// Notes something that was not understood.
    pub(super) fn note(&mut self, reason: &'static str) {
        self.request.facts.notes.add(super::connection::PARSER, reason);
    }

    pub(super) fn end(mut self, end: End, shared: &mut Shared) -> TurnOver {
        let (outcome, ended, shed) = match end {
            End::Told => (Outcome::Complete, self.seen, false),
            End::Missed => (Outcome::Unknown, self.seen, false),
            // No answer ever began.
            End::Broken(Outcome::UpstreamAbort, at) if self.status.is_none() => {
                (Outcome::UpstreamUnreachable, at, false)
            }
            End::Broken(outcome, at) => (outcome, at, false),
            End::Unseen { outcome, shed, fault } => {
                if let Some(fault) = fault {
                    self.note(fault);
                }
                (outcome, self.seen, shed)
            }
        };
        let head = self.status.map(|status| Arc::new(ResponseHead { status, headers: HeaderMap::new() }));
        let closing = Closing {
            opening: self.opening,
            head,
            outcome,
            ended,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            shed,
        };
        let answer = if shed { AnswerFacts::default() } else { facts(self.events.finish(), self.status) };
        self.request.learn(&closing, &answer, shared);
        TurnOver { closing, request: self.request, answer }
    }
}

impl TurnOver {
    /// Gives `on_entry` its entry.
    pub(crate) fn tell(self, dirs: Dirs, on_entry: &mut dyn FnMut(Entry<'_>)) {
        on_entry(summary::entry(&self.closing, self.request, self.answer, dirs, false));
    }
}

/// An error instead of a response is no stream that lacks its end, but what an answer with its status would be.
fn facts(mut answer: AnswerFacts, status: Option<StatusCode>) -> AnswerFacts {
    match (status, &mut answer.error) {
        (None, _) => AnswerFacts::default(),
        (Some(status), Some(error)) if !status.is_success() => {
            error.in_stream = false;
            AnswerFacts { streamed: false, terminal: None, ..answer }
        }
        (Some(_), _) => answer,
    }
}

fn read(
    opening: &Opening,
    asked: &Asked<'_>,
    known: &mut Known,
    history: &mut History,
    shared: &mut Shared,
) -> RequestSide {
    let mut side = RequestSide::of_head(opening, &shared.key);
    if !asked.create.says_session {
        side.facts.session.clone_from(&known.0.session);
    }
    side.facts.add_body(head(opening), &shared.key, asked.text, &mut shared.memory);
    let messages = &mut side.facts.context.get_or_insert_with(ContextHints::default).messages;
    *messages = messages.saturating_add(history.ask(&asked.create));
    known.share(&mut side.facts);
    let mut hasher = shared.key.hasher(HashOf::Body);
    hasher.update(asked.create.identity());
    side.compare(hasher.finish(), &mut shared.memory);
    side
}
