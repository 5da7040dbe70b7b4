//! The exchanges under way: each message goes to its exchange, and each exchange that ends leaves an entry.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ccxray_shared::{Entry, key::Key};

use super::{
    assembly::{Assembly, RequestSide, Shared},
    exchange::{Closing, ExchangeId, Message, Opening},
    summary::{self, Dirs},
    websocket::Connection,
};
use crate::distil::{answer::AnswerFacts, memory::Memory};

/// The fewest exchanges in memory at which those that are over for good are looked for.
const FORGET_AT: usize = 256;

/// All exchanges that are not over for good.
pub(super) struct Exchanges {
    under_way: HashMap<ExchangeId, Assembly>,
    forget_at: usize,
    shared: Shared,
    dirs: Dirs,
    panics: u64,
}

impl Exchanges {
    pub(super) fn new(key: Key, dirs: Dirs) -> Self {
        let shared = Shared { key, memory: Memory::default() };
        Self { under_way: HashMap::new(), forget_at: FORGET_AT, shared, dirs, panics: 0 }
    }

    /// Makes hashes with `key` from now on.
    pub(super) fn use_key(&mut self, key: Key) {
        self.shared.key = key;
    }

    /// Panics caught so far.
    pub(super) fn panics(&self) -> u64 {
        self.panics
    }

    /// Takes in the next message; `on_entry` gets the entry of an exchange that it ends.
    pub(super) fn take(&mut self, message: Message, on_entry: &mut dyn FnMut(Entry<'_>)) {
        match message {
            Message::RequestChunk(opening, chunk, at, mut permit) => {
                permit.received();
                let step = |exchange: &mut Assembly, shared: &mut Shared| {
                    exchange.request_chunk(&opening, chunk, at, permit, shared);
                };
                self.guarded(opening.id, step, on_entry);
            }
            Message::RequestEnd(opening, mut permit) => {
                permit.received();
                let step = |exchange: &mut Assembly, shared: &mut Shared| {
                    exchange.request_end(&opening, shared);
                };
                self.guarded(opening.id, step, on_entry);
            }
            Message::ResponseHead(opening, head, mut permit) => {
                permit.received();
                let step = |exchange: &mut Assembly, shared: &mut Shared| {
                    exchange.response_head(&opening, &head, shared);
                };
                self.guarded(opening.id, step, on_entry);
            }
            Message::ResponseChunk(opening, chunk, at, mut permit) => {
                permit.received();
                let step = |exchange: &mut Assembly, shared: &mut Shared| {
                    exchange.response_chunk(&chunk, at, permit, shared);
                };
                self.guarded(opening.id, step, on_entry);
            }
            Message::ResponseEnd(opening, mut permit) => {
                permit.received();
                self.guarded(opening.id, |exchange, _| exchange.response_end(), on_entry);
            }
            Message::Finish(closing, slot) => {
                self.finish(&closing, on_entry);
                drop(slot);
            }
        }
    }

    /// Lets `step` work on an exchange, and tells of the turns of a WebSocket that it ends. If it panics, the exchange
    /// has failed: its entry will say no more than what the forwarding side knows.
    fn guarded(
        &mut self,
        id: ExchangeId,
        step: impl FnOnce(&mut Assembly, &mut Shared),
        on_entry: &mut dyn FnMut(Entry<'_>),
    ) {
        let assembly = self.under_way.entry(id).or_default();
        let shared = &mut self.shared;
        if catch_unwind(AssertUnwindSafe(|| step(assembly, shared))).is_err() {
            *assembly = Assembly::Failed;
            self.panics += 1;
        }
        if let Assembly::Connected(connection) = assembly {
            for turn in connection.over() {
                turn.tell(self.dirs, on_entry);
            }
        }
    }

    fn finish(&mut self, closing: &Closing, on_entry: &mut dyn FnMut(Entry<'_>)) {
        let known = match self.under_way.remove(&closing.opening.id).unwrap_or_default() {
            Assembly::Following(following) => self.caught(|shared| following.finish(closing, shared)),
            Assembly::Connected(connection) => self.disconnected(*connection, closing, on_entry),
            Assembly::Failed | Assembly::Over(_) => None,
        };
        let failed = known.is_none();
        let (request, answer) =
            known.unwrap_or_else(|| (RequestSide::unread(&closing.opening), AnswerFacts::default()));
        on_entry(summary::entry(closing, request, answer, self.dirs, failed));
        self.remember_over(&closing.opening);
    }

    /// Whatever still comes of a request that was answered early must not be taken for a new exchange.
    fn remember_over(&mut self, opening: &Arc<Opening>) {
        if Arc::strong_count(opening) == 1 {
            return;
        }
        self.under_way.insert(opening.id, Assembly::Over(opening.clone()));
        if self.under_way.len() >= self.forget_at {
            let is_gone = |assembly: &Assembly| matches!(assembly, Assembly::Over(opening) if Arc::strong_count(opening) == 1);
            self.under_way.retain(|_, assembly| !is_gone(assembly));
            self.forget_at = FORGET_AT.max(2 * self.under_way.len());
        }
    }

    /// What is known of a connection itself, after its last turns have been told of.
    fn disconnected(
        &mut self,
        mut connection: Connection,
        closing: &Closing,
        on_entry: &mut dyn FnMut(Entry<'_>),
    ) -> Option<(RequestSide, AnswerFacts)> {
        let known = self.caught(|shared| connection.finish(closing, shared))?;
        for turn in known.1 {
            turn.tell(self.dirs, on_entry);
        }
        Some((known.0, AnswerFacts::default()))
    }

    fn caught<T>(&mut self, step: impl FnOnce(&mut Shared) -> T) -> Option<T> {
        let shared = &mut self.shared;
        let done = catch_unwind(AssertUnwindSafe(|| step(shared)));
        self.panics += u64::from(done.is_err());
        done.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ccxray_shared::{
        UnixMillis,
        entry::{Outcome, Parse, Provider, Route},
    };
    use hyper::HeaderMap;

    use super::*;
    use crate::route::stamp::Attribution;

    fn closing(id: u64) -> Closing {
        let opening = Opening {
            id: ExchangeId(id),
            started_at: UnixMillis(1),
            started: Instant::now(),
            provider: Provider::Anthropic,
            upstream: "anthropic".into(),
            route: Route::Messages,
            path_model: None,
            headers: HeaderMap::new(),
            attribution: Attribution::default(),
        };
        Closing {
            ended: opening.started,
            opening: Arc::new(opening),
            head: None,
            outcome: Outcome::Complete,
            request_bytes: 5,
            response_bytes: 6,
            shed: false,
        }
    }

    #[test]
    fn a_panic_in_a_parser_costs_the_facts_of_one_exchange() {
        let mut exchanges = Exchanges::new(Key::from_bytes([7; 32]), Dirs::Keep);
        let mut entries = Vec::new();
        exchanges.guarded(ExchangeId(1), |_, _| panic!("a parser's mistake"), &mut |_| {});
        for id in [1, 2] {
            exchanges.finish(&closing(id), &mut |entry| entries.push((entry.parse, entry.response_bytes)));
        }
        assert_eq!(entries, [(Parse::Error, 6), (Parse::Ok, 6)]);
        assert_eq!(exchanges.panics(), 1);
    }

    #[test]
    fn exchanges_that_are_over_for_good_are_forgotten() {
        let mut exchanges = Exchanges::new(Key::from_bytes([7; 32]), Dirs::Keep);
        let mut openings = Vec::new();
        for id in 0..10_000 {
            let closing = closing(id);
            openings.push(closing.opening.clone());
            exchanges.finish(&closing, &mut |_| {});
            openings.truncate(100);
        }
        assert!(exchanges.under_way.len() <= 2 * FORGET_AT, "{}", exchanges.under_way.len());
        assert!((0..100).all(|id| exchanges.under_way.contains_key(&ExchangeId(id))));
    }
}
