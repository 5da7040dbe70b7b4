//! The engine's thread: the IO around [`Core`].

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use ccxray_shared::{Entry, UnixMillis, daemon::log::with_causes, segment::StreamId, state_dir::StateDir};

use super::{
    Core, Lack, Outlet, PipelineId, Route, SETTLING, Sending,
    commands::{Command, Order, Orders},
    core::Agreement,
    ledgering::Ledgering,
};
use crate::{
    checkpoint::Store,
    deliver::{CutId, Figures, FromWorker, tally::Counts},
    drift::{DriftLog, Met},
    source::Source,
};

/// How often the spool is looked at without a hint.
const POLL: Duration = Duration::from_secs(1);
/// While there is something to do, a checkpoint covers at most this much time …
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// … or this many snapshots.
const CHECKPOINT_SNAPSHOTS: usize = 256;
/// An entry may name two directories to be looked at, and need a pipeline that was not there. Then it is told where it
/// counts; if not, it counts nowhere but on the local page.
const ATTEMPTS: usize = 4;
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
    /// Where consent comes from and the snapshots go.
    pub outlet: Box<dyn Outlet>,
    /// What the engine tells of itself as metrics.
    pub figures: Arc<Figures>,
}

/// The engine.
pub struct Engine {
    pub(super) core: Core,
    pub(super) ledgering: Ledgering,
    pub(super) source: Source,
    store: Store,
    drift_log: DriftLog,
    pub(super) outlet: Box<dyn Outlet>,
    pub(super) figures: Arc<Figures>,
    /// Entries that the telemetry has not been told of.
    pub(super) entries: u64,
    pub(super) dirty: bool,
    pub(super) save_failed: bool,
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
        let EngineOptions { state_dir, core, source, outlet, figures } = options;
        let store = Store::new(&state_dir.exporter());
        let drift_log = DriftLog::new(&state_dir.exporter());
        let now = Instant::now();
        let ledgering = Ledgering::new(&state_dir, &core, &source.positions());
        Self {
            core,
            ledgering,
            source,
            store,
            drift_log,
            outlet,
            figures,
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
            self.take_changes();
            let read = self.read();
            let patience = if matches!(read, Ok(Round::CutShort)) { Duration::ZERO } else { self.wait() };
            let problem = read.err().map(|error| format!("failed to read the spool: {error}"));
            if let Some(problem) = &problem {
                self.complain(problem);
            }
            self.checkpoint_if_due();
            vitals.set(problem, self.sending(), self.source.lag_bytes());
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
        self.refresh()?;
        self.core.set_active_requests(self.source.active_requests());
        if self.core.renew_if_clock_fell_back(now, random_bits) {
            tracing::warn!("the clock has fallen behind what was already sent; the series start anew");
        }
        loop {
            let head = self.source.peek();
            self.count_findings(now);
            let Some((_, ended_at)) = head else {
                self.advance(settled);
                return Ok(Round::Complete);
            };
            let time = Core::event_time(ended_at, now);
            self.advance(time.min(settled));
            if time >= self.core.horizon() {
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
        let at = Core::event_time(entry.ended_at, now);
        let route = self.route(entry, (now, at));
        let drifts = self.core.count(entry, at, route);
        if !drifts.is_empty() {
            let proxy_version = self.source.proxy_version(stream);
            let rules_version = entry.rules_version;
            self.drift_log.note(&drifts, &Met { at, now, rules_version, proxy_version });
        }
    }

    /// Where an entry counts. What must happen for that happens here: it is rare.
    fn route(&mut self, entry: &Entry<'_>, times: (UnixMillis, UnixMillis)) -> Route {
        for _ in 0..ATTEMPTS {
            match self.core.route(entry) {
                Ok(route) => return route,
                Err(Lack::Directory(dir)) => {
                    self.outlet.explore(dir);
                    self.take_changes();
                }
                Err(Lack::Pipeline(grant)) => {
                    let opened = self.core.open(grant, times, random_bits);
                    self.tell_outlet(&Agreement { opened: opened.into_iter().collect(), closed: Vec::new() });
                }
            }
        }
        Route::LOCAL
    }

    /// Takes over what is agreed to by now, step by step: what was withdrawn for a moment begins anew.
    fn take_changes(&mut self) {
        for consents in self.outlet.changes() {
            let agreement = self.core.agree(&consents, UnixMillis::now(), random_bits);
            self.tell_outlet(&agreement);
        }
    }

    fn tell_outlet(&mut self, agreement: &Agreement) {
        self.dirty |= *agreement != Agreement::default();
        agreement.closed.iter().for_each(|&id| self.outlet.close(id));
        for exported in agreement.opened.iter().filter_map(|&id| self.core.get(id)) {
            self.outlet.open(exported);
        }
    }

    fn sending(&self) -> Vec<Sending> {
        let sending = |exported: &super::Exported| Sending {
            summary: exported.grant().summary(),
            state: exported.health().state,
        };
        self.core.exported().iter().map(sending).collect()
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
            Command::Worker(pipeline, event) => self.hear(pipeline, event),
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

    fn hear(&mut self, pipeline: PipelineId, event: FromWorker) {
        self.dirty = true;
        let mut note = |counts| self.core.note_delivery(pipeline, counts, UnixMillis::now());
        match event {
            FromWorker::Acked { cut, rejected: _ } => {
                note(Counts::SUCCEEDED);
                self.arrived(pipeline, cut);
            }
            FromWorker::Failed => note(Counts::FAILED),
            FromWorker::Dropped { snapshots } => note(Counts::dropped(snapshots)),
            FromWorker::Health(health) => self.core.note_health(pipeline, health),
            FromWorker::Rejected { .. } => {}
        }
    }

    /// The destination of `pipeline` has everything up to `cut`.
    fn arrived(&mut self, pipeline: PipelineId, cut: CutId) {
        self.core.acked(pipeline, cut);
        self.ledgering.note_ack(&self.core, pipeline, cut);
    }

    fn stop(&mut self, flush: bool) {
        if flush {
            self.close_early();
        }
        self.ledgering.hurry();
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

    /// Writes the checkpoint, then the ledger, then hands over the snapshots that both hold. While one of them cannot be
    /// written they wait: a restart goes on from the last checkpoint, and what was sent must never be ahead of it.
    fn checkpoint(&mut self) {
        let state = self.core.to_state(self.source.positions(), UnixMillis::now());
        match self.store.save(&state) {
            Ok(()) => {
                self.dirty = false;
                self.save_failed = false;
                self.last_saved = Instant::now();
                self.hand_over();
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
        let closes = self.core.horizon().after(SETTLING).since(UnixMillis::now());
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
