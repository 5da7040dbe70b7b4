//! The work that all peers do in turns, and what it costs each.

use std::time::Duration;

use crate::{
    content::{Answer, Request},
    load::{self, Connection, Seen},
    peer::{Kind, Peer},
    statistics::{median, quantile},
    upstream::Upstream,
};

/// How long a peer may finish what it does in the background before its CPU time is read.
const SETTLE: Duration = Duration::from_millis(20);

/// The chunks of a paced stream.
pub(crate) const PACED: usize = 100;

/// One kind of work.
pub(crate) struct Work {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// The letter that selects it.
    pub(crate) letter: char,
    /// What the clients send.
    pub(crate) request: Request,
    /// What comes back.
    pub(crate) answer: Answer,
    /// How many clients ask at the same time.
    pub(crate) clients: usize,
    /// How often each asks in a round.
    pub(crate) times: usize,
    /// Whether the peer has one core only.
    pub(crate) one_core: bool,
}

/// What a peer took for it.
pub(crate) struct Cost {
    /// What was measured.
    pub(crate) kind: Kind,
    /// CPU time per request, in nanoseconds, of each round.
    pub(crate) cpu: Vec<f64>,
    /// The median latency of a request, in nanoseconds, of each round.
    pub(crate) latency: Vec<f64>,
    /// The 99th percentile of the same.
    pub(crate) late: Vec<f64>,
    /// How long a chunk was under way, in nanoseconds: the median of each round.
    pub(crate) transit: Vec<f64>,
    /// The 99th percentile of the same.
    pub(crate) late_transit: Vec<f64>,
    /// The most memory that was resident, in bytes.
    pub(crate) memory: u64,
}

/// A peer at work.
pub(crate) struct Turn {
    peer: Peer,
    connections: Vec<Connection>,
    cpu_before: u64,
    requests: usize,
}

impl Work {
    /// All of it.
    pub(crate) fn all() -> Vec<Self> {
        let all = |name, letter, request, answer| Self {
            name,
            letter,
            request,
            answer,
            clients: 32,
            times: 40,
            one_core: false,
        };
        vec![
            all("2 KB → 1 KB JSON, 32 connections", 'a', Request::short(false), Answer::json()),
            Self {
                clients: 1,
                times: 400,
                one_core: true,
                ..all("the same, 1 connection, one core", 'b', Request::short(false), Answer::json())
            },
            Self {
                clients: 8,
                times: 20,
                one_core: true,
                ..all("200 KB → stream of 50 chunks, one core", 'c', Request::long(), Answer::burst(50))
            },
            Self {
                times: 6,
                one_core: true,
                ..all("burst stream, 200 chunks, one core", 'd', Request::short(true), Answer::burst(200))
            },
            Self {
                clients: 4,
                times: 1,
                ..all("paced stream, 6 ms between chunks", 'e', Request::short(true), Answer::paced(PACED))
            },
        ]
    }

    /// Lets the peers of these kinds do it, in turns, and one round more for warming up.
    pub(crate) async fn compare(&self, kinds: &[Kind], rounds: usize) -> Vec<Cost> {
        let upstream = Upstream::start(self.answer.clone());
        let mut turns = Vec::new();
        for kind in kinds {
            let peer = kind.start(upstream.address(), self.one_core).await;
            turns.push((Turn::new(peer, &self.request, self.clients, &self.answer).await, Cost::of(kind)));
        }
        for round in 0..=rounds {
            // There and back, so that nobody always has the same neighbour.
            turns.reverse();
            for (turn, cost) in &mut turns {
                turn.take(self.times, (round > 0).then_some(cost)).await;
            }
        }
        if rounds.is_multiple_of(2) {
            turns.reverse();
        }
        let mut costs = Vec::new();
        for (turn, cost) in turns {
            costs.push(Cost { memory: turn.end().await, ..cost });
        }
        costs
    }
}

impl Cost {
    /// Nothing yet.
    pub(crate) fn of(kind: &Kind) -> Self {
        Self {
            kind: kind.clone(),
            cpu: Vec::new(),
            latency: Vec::new(),
            late: Vec::new(),
            transit: Vec::new(),
            late_transit: Vec::new(),
            memory: 0,
        }
    }

    fn add(&mut self, cpu: u64, seen: Seen) {
        let nanos =
            |times: Vec<Duration>| times.iter().map(|time| time.as_secs_f64() * 1e9).collect::<Vec<_>>();
        let (latencies, transits) = (nanos(seen.latencies), nanos(seen.transits));
        self.cpu.push(cpu as f64 / latencies.len() as f64);
        self.latency.push(median(&latencies));
        self.late.push(quantile(&latencies, 0.99));
        self.transit.push(median(&transits));
        self.late_transit.push(quantile(&transits, 0.99));
    }
}

impl Turn {
    /// Connects the clients, and checks that what passes the peer is not changed.
    pub(crate) async fn new(peer: Peer, request: &Request, clients: usize, answer: &Answer) -> Self {
        let mut connections = load::connect(peer.address(), request, clients).await;
        let mut requests = 0;
        if let Answer::AtOnce(whole) = answer {
            let came = connections[0].next_body().await;
            assert!(came == load::body(whole), "{} changes what passes", peer.kind().name());
            requests += 1;
        }
        Self { peer, connections, cpu_before: 0, requests }
    }

    /// The peer.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Lets each client ask so many times, and adds what that took to the costs, if it counts.
    pub(crate) async fn take(&mut self, times: usize, cost: Option<&mut Cost>) {
        let seen = load::round(&mut self.connections, times).await;
        tokio::time::sleep(SETTLE).await;
        self.requests += seen.latencies.len();
        // From round to round, so that what is done in between counts too.
        let cpu = self.peer.cpu();
        let before = std::mem::replace(&mut self.cpu_before, cpu);
        if let Some(cost) = cost {
            cost.add(cpu - before, seen);
        }
    }

    /// Ends the peer, and says how much memory it took at most.
    pub(crate) async fn end(self) -> u64 {
        let memory = self.peer.peak_memory();
        drop(self.connections);
        self.peer.end(self.requests).await;
        memory
    }
}
