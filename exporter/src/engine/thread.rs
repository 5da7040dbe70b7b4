//! The engine's thread: the IO around [`Core`].

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use ccxray_shared::{Entry, UnixMillis, daemon::log::with_causes, segment::StreamId, state_dir::StateDir};

use super::{
    Core,
    commands::{Command, Order, Orders},
};
use crate::{
    checkpoint::Store,
    deliver::{SelfTelemetry, Snapshot},
    drift::{DriftLog, Met},
    source::Source,
};

/// How often the spool is looked at without a hint.
const POLL: Duration = Duration::from_secs(1);
/// How long after its end an entry may still be on its way into the spool.
pub const SETTLING: Duration = Duration::from_secs(2);
/// While there is something to do, a checkpoint covers at most this much time …
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// … or this many snapshots.
const CHECKPOINT_SNAPSHOTS: usize = 256;
/// Without anything to do, a checkpoint says this often that the exporter is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(30);

/// What the engine works with.
pub struct EngineOptions {
    /// Where the state lies.
    pub state_dir: StateDir,
    /// The windows and the pipelines.
    pub core: Core,
    /// The spool, at the positions of the checkpoint that `core` was started with.
    pub source: Source,
    /// Where the snapshots go.
    pub deliver: Box<dyn FnMut(Snapshot) + Send>,
    /// What the engine tells of itself as metrics.
    pub telemetry: Arc<SelfTelemetry>,
}

/// The engine.
pub struct Engine {
    pub(super) core: Core,
    pub(super) source: Source,
    store: Store,
    drift_log: DriftLog,
    deliver: Box<dyn FnMut(Snapshot) + Send>,
    pub(super) telemetry: Arc<SelfTelemetry>,
    /// Entries that the telemetry has not been told of.
    pub(super) entries: u64,
    pub(super) dirty: bool,
    save_failed: bool,
    last_checkpoint: Instant,
    pub(super) last_saved: Instant,
    pub(super) last_complaint: Option<Instant>,
    pub(super) skipped: u64,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// How a round of reading ended.
enum Round {
    /// All that may be counted by now has been counted.
    Complete,
    /// There may be more, but a checkpoint was due, and commands may be waiting.
    CutShort,
}

impl Engine {
    /// An engine that has not read anything yet.
    pub fn new(options: EngineOptions) -> Self {
        let EngineOptions { state_dir, core, source, deliver, telemetry } = options;
        let store = Store::new(&state_dir.exporter());
        let drift_log = DriftLog::new(&state_dir.exporter());
        let now = Instant::now();
        Self {
            core,
            source,
            store,
            drift_log,
            deliver,
            telemetry,
            entries: 0,
            dirty: true,
            save_failed: false,
            last_checkpoint: now,
            last_saved: now,
            last_complaint: None,
            skipped: 0,
        }
    }

    /// Makes the beginning durable: what ends from now on is counted, even if this process dies at once.
    pub fn remember_beginning(&mut self) {
        self.checkpoint();
    }

    /// Works until it is told to stop, or until nobody is left to tell it. Blocks; to be run on a thread of its own.
    pub fn run(mut self, orders: &Orders) {
        let vitals = orders.own_vitals();
        loop {
            vitals.get_on();
            let read = self.read();
            let patience = if matches!(read, Ok(Round::CutShort)) { Duration::ZERO } else { self.wait() };
            let problem = read.err().map(|error| format!("failed to read the spool: {error}"));
            if let Some(problem) = &problem {
                self.complain(problem);
            }
            self.checkpoint_if_due();
            vitals.set(problem, self.core.health(), self.source.lag_bytes());
            self.tell();
            self.drift_log.write_due(UnixMillis::now());
            let flow = match orders.wait(patience) {
                Order::Command(command) => self.obey_all(command, orders),
                Order::Look => Flow::Continue,
                Order::Orphaned => self.obey(Command::Stop { flush: false }),
            };
            if flow == Flow::Stop {
                return;
            }
        }
    }

    /// Reads all that is there and may be counted by now, or as much of it as one checkpoint covers.
    fn read(&mut self) -> io::Result<Round> {
        if self.core.ready() >= CHECKPOINT_SNAPSHOTS {
            // They wait for a checkpoint that cannot be written; the spool keeps the rest.
            return Ok(Round::Complete);
        }
        // What cannot be seen by this look at the directory ended after this moment, less the time it takes to arrive.
        let now = UnixMillis::now();
        let settled = now.before(SETTLING);
        self.source.refresh()?;
        self.core.set_active_requests(self.source.active_requests());
        if self.core.renew_if_clock_fell_back(now, random_bits) {
            tracing::warn!("the clock has fallen behind what was already sent; the series start anew");
        }
        loop {
            let head = self.source.peek();
            self.count_findings(now);
            let Some((_, ended_at)) = head else {
                self.core.advance(settled);
                return Ok(Round::Complete);
            };
            let time = Core::event_time(ended_at, now);
            self.core.advance(time.min(settled));
            if time >= self.core.window().end() {
                return Ok(Round::Complete);
            }
            if let Some((stream, line)) = self.source.advance() {
                self.count(stream, line.entry(), now);
                self.source.recycle(stream, line);
            }
            let long_since = self.last_checkpoint.elapsed() >= CHECKPOINT_EVERY;
            if self.core.ready() >= CHECKPOINT_SNAPSHOTS || long_since {
                self.count_findings(now);
                self.checkpoint();
                return Ok(Round::CutShort);
            }
        }
    }

    fn count(&mut self, stream: StreamId, entry: &Entry<'_>, now: UnixMillis) {
        self.dirty = true;
        self.entries += 1;
        let drifts = self.core.count(entry);
        if !drifts.is_empty() {
            let proxy_version = self.source.proxy_version(stream);
            let (at, rules_version) = (Core::event_time(entry.ended_at, now), entry.rules_version);
            self.drift_log.note(&drifts, &Met { at, now, rules_version, proxy_version });
        }
    }

    /// Obeys `first` and whatever else waits.
    fn obey_all(&mut self, first: Command, orders: &Orders) -> Flow {
        let mut next = Some(first);
        while let Some(command) = next {
            if self.obey(command) == Flow::Stop {
                return Flow::Stop;
            }
            next = orders.next();
        }
        Flow::Continue
    }

    fn obey(&mut self, command: Command) -> Flow {
        match command {
            Command::Acked(cut) => {
                self.core.acked(cut);
                self.dirty = true;
            }
            Command::Health(health) => {
                self.core.note_health(health);
                self.dirty = true;
            }
            Command::Delivery(counts) => {
                self.core.note_delivery(counts, UnixMillis::now());
                self.dirty = true;
            }
            Command::Collect(reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(self.core.peek_local(UnixMillis::now()));
            }
            Command::Stop { flush } => {
                self.stop(flush);
                return Flow::Stop;
            }
        }
        Flow::Continue
    }

    fn stop(&mut self, flush: bool) {
        if flush {
            self.core.close_early(UnixMillis::now());
        }
        self.checkpoint();
        self.drift_log.finish(UnixMillis::now());
    }

    fn checkpoint_if_due(&mut self) {
        let since = self.last_checkpoint.elapsed();
        let due = if self.dirty { CHECKPOINT_EVERY } else { ALIVE_EVERY };
        let has_waiting = self.core.ready() > 0 && !self.save_failed;
        if has_waiting || since >= due {
            self.checkpoint();
        }
    }

    /// Writes the checkpoint, then hands over the snapshots that it holds. While it cannot be written they wait: a
    /// restart goes on from the last checkpoint, and what was sent must never be ahead of it.
    fn checkpoint(&mut self) {
        let state = self.core.to_state(self.source.positions(), UnixMillis::now());
        match self.store.save(&state) {
            Ok(()) => {
                self.dirty = false;
                self.save_failed = false;
                self.last_saved = Instant::now();
                for snapshot in self.core.take_ready() {
                    (self.deliver)(snapshot);
                }
            }
            Err(error) => {
                self.save_failed = true;
                self.complain(&format!("{}; nothing is sent until it can be", with_causes(&error)));
            }
        }
        self.last_checkpoint = Instant::now();
    }

    /// How long nothing can happen that the engine is not told of.
    fn wait(&self) -> Duration {
        let closes = self.core.window().end().after(SETTLING).since(UnixMillis::now());
        // A window that is over and still open waits for something else, such as a directory that can be read again.
        if closes.is_zero() { POLL } else { closes.min(POLL) }
    }
}

/// Random bits for an instance id.
pub fn random_bits() -> u128 {
    let mut bytes = [0; 16];
    // Without randomness the time at least differs from start to start.
    if getrandom::fill(&mut bytes).is_err() {
        return u128::from(UnixMillis::now().0) << 64 | u128::from(std::process::id());
    }
    u128::from_le_bytes(bytes)
}
