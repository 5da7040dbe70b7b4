//! The windows and the pipelines: everything between a decoded entry and a snapshot, without IO and without a clock.

mod agreement;

use std::{mem, ptr, sync::Arc, time::Duration};

use ccxray_shared::{Entry, UnixMillis};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

pub use self::agreement::Agreement;
use super::{BEHIND, Exported, Lack, PipelineId, Route, SETTLING, seen::Seen};
use crate::{
    checkpoint::{SavedPipeline, State, Writer},
    classify::{
        Classified, Rules,
        drift::{self, Drift},
        price_table::PriceTable,
    },
    consent::{Consents, Decision},
    deliver::{Snapshot, messages::CutId, record::HealthRecord, tally::Counts},
    ledger::Mark,
    pipeline::{
        self, Pipeline, Window,
        identity::{Identity, InstanceId, PipelineKey},
    },
    source::StreamPosition,
};

/// How far an entry's time may lie ahead of the clock before it says nothing.
const AHEAD: Duration = Duration::from_secs(5);

/// How the windows run and where the snapshots go.
#[derive(Debug)]
pub struct CoreOptions {
    /// The length of a window where nobody says otherwise.
    pub interval: Duration,
    /// How long the exporter may have been away before what was recorded meanwhile is withheld.
    pub resume_grace: Duration,
    /// What may leave the machine.
    pub consents: Arc<Consents>,
    /// What things cost.
    pub prices: PriceTable,
}

/// The windows and the pipelines.
#[derive(Debug)]
pub struct Core {
    options: CoreOptions,
    local: Pipeline,
    /// The local pipeline's.
    window: Window,
    exported: Vec<Exported>,
    /// The place in `exported` of each grant's pipeline.
    places: Vec<Option<usize>>,
    next_id: u64,
    /// Since when all of that has been agreed to: what is found out later of a directory was true since then.
    agreed_at: UnixMillis,
    /// Everything that ended before it has been counted.
    watermark: UnixMillis,
    seen: Seen,
    ready: Vec<(PipelineId, Snapshot)>,
    /// How far the export ledger has been written; the engine sees to it.
    pub(super) ledger: Mark,
}

impl Core {
    /// Goes on from `state` in a new process, or begins. A pipeline that the state does not know begins with nothing,
    /// now; one that is no longer agreed to is forgotten. `random` gives the bits of new instance ids.
    pub fn start(
        options: CoreOptions,
        state: Option<State>,
        now: UnixMillis,
        random: impl FnMut() -> u128,
    ) -> Self {
        let last_alive = state.as_ref().map(|state| state.last_alive);
        let mut core = Self::alongside(options, state, now, random);
        let absence = last_alive.filter(|&last| now.since(last) > core.options.resume_grace);
        for Exported { pipeline, .. } in &mut core.exported {
            pipeline.taken_over();
            if let Some(last_alive) = absence {
                pipeline.withhold(last_alive, now);
            }
        }
        core
    }

    /// Stands where the process that wrote `state` stood then, to see what it will do; otherwise as
    /// [`start`](Self::start).
    pub fn alongside(
        options: CoreOptions,
        state: Option<State>,
        now: UnixMillis,
        mut random: impl FnMut() -> u128,
    ) -> Self {
        let ledger = Mark::of(state.as_ref());
        let mut state = state.unwrap_or_default();
        let start = state.window_start;
        let local = take(&mut state.pipelines, &PipelineKey::local()).map_or_else(
            || {
                let instance = InstanceId::from_bits(random());
                Pipeline::new(Identity { key: PipelineKey::local(), instance }, UnixMillis(0))
            },
            |saved| Pipeline::from_state(saved.state),
        );
        let mut core = Self {
            local,
            window: Window::around(start, options.interval),
            exported: Vec::new(),
            places: Vec::new(),
            next_id: 0,
            agreed_at: now,
            watermark: start,
            seen: Seen::restore(state.directories),
            ready: Vec::new(),
            ledger,
            options,
        };
        let consents = Arc::clone(&core.options.consents);
        for grant in consents.grants() {
            let saved = take(&mut state.pipelines, &grant.key);
            if let Some(saved) = saved.filter(|saved| Exported::was_saved_as(saved, grant)) {
                let id = core.new_id();
                let interval = core.options.interval;
                core.exported.push(Exported::resume(id, grant.clone(), interval, saved, (now, start)));
            }
        }
        core.agree(&consents, now, random);
        core
    }

    /// The time at which an entry counts. One far ahead of the clock was made under another clock and counts at once:
    /// to wait for its time would hold up whatever its stream has behind it.
    pub fn event_time(ended_at: UnixMillis, now: UnixMillis) -> UnixMillis {
        if ended_at <= now.after(AHEAD) { ended_at } else { now.before(SETTLING) }
    }

    /// The end of the open window that ends first: what ends before it can be counted.
    pub fn horizon(&self) -> UnixMillis {
        let ends = self.exported.iter().map(|exported| exported.window().end());
        ends.fold(self.window.end(), Ord::min)
    }

    /// Everything that ended before `watermark` has been counted: closes the open windows that are over, and opens those
    /// that hold `watermark`. A window that followed directly is sent even if it brought nothing, as a sign of
    /// life; others only if they counted something.
    pub fn advance(&mut self, watermark: UnixMillis) {
        self.watermark = watermark;
        if watermark >= self.window.end() {
            self.local.roll(self.window);
            self.window = Window::around(watermark, self.options.interval);
        }
        for exported in &mut self.exported {
            let snapshot = exported.advance(watermark);
            self.ready.extend(snapshot.map(|snapshot| (exported.id(), snapshot)));
        }
    }

    /// Where an entry counts, or what must happen before that can be told.
    pub fn route<'e>(&'e self, entry: &'e Entry<'_>) -> Result<Route, Lack<'e>> {
        let grant = match self.options.consents.decide(entry) {
            Decision::Count(grant) => grant,
            Decision::Nothing(_) | Decision::StampedOut => return Ok(Route::LOCAL),
            Decision::Unexplored(dir) => return Err(Lack::Directory(dir)),
        };
        let mut grants = self.options.consents.grants().iter();
        let Some(number) = grants.position(|each| ptr::eq(each, grant)) else { return Ok(Route::LOCAL) };
        self.places[number].map(|place| Route(Some(place))).ok_or(Lack::Pipeline(number))
    }

    /// Counts an entry in the open windows of the local pipeline and of the one that it was
    /// [routed](Self::route) to. Its [`event_time`](Self::event_time), `at`, must lie before the
    /// [`horizon`](Self::horizon). Gives what in it was not as expected.
    pub fn count<'e>(&mut self, entry: &'e Entry<'e>, at: UnixMillis, route: Route) -> Vec<Drift<'e>> {
        let classified = Classified::of(entry, &self.options.prices);
        let drifts = drift::of(&classified);
        if let Some(dir) = &entry.dir {
            self.seen.note(dir, at);
        }
        let local = (&mut self.local, at < self.window.start);
        let exported = route.0.and_then(|place| self.exported.get_mut(place));
        let exported = exported.map(|exported| {
            exported.has_entries = true;
            if entry.agent_otel {
                exported.note_complement();
            }
            let is_late = at < exported.window().start;
            (&mut exported.pipeline, is_late)
        });
        pipeline::record(local, exported, &classified, (at, &drifts));
        drifts
    }

    /// How many exchanges are under way, as far as living proxies have told. A figure of the whole machine: it is for
    /// the local page and for the destination that the exporter's own command line names.
    pub fn set_active_requests(&mut self, active: Option<u64>) {
        self.local.set_active_requests(active);
        for exported in &mut self.exported {
            exported.pipeline.set_active_requests(active.filter(|_| exported.is_server));
        }
    }

    /// Counts entries that are known to be lost. Nobody knows of which project: as entries without one they are for
    /// the destination that the exporter's own command line names.
    pub fn count_loss(&mut self, reason: &str, entries: u64, now: UnixMillis) {
        self.local.record_loss(reason, entries, now);
        for exported in self.exported.iter_mut().filter(|exported| exported.is_server) {
            exported.has_entries = true;
            exported.pipeline.record_loss(reason, entries, now);
        }
    }

    /// How many snapshots wait for a checkpoint.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// The snapshots that may be sent now that a checkpoint holds them.
    pub fn take_ready(&mut self) -> Vec<(PipelineId, Snapshot)> {
        mem::take(&mut self.ready)
    }

    /// Closes the open windows early, at `now`, for last snapshots before a stop.
    pub fn close_early(&mut self, now: UnixMillis) {
        for exported in &mut self.exported {
            let snapshot = exported.close_early(now);
            self.ready.extend(snapshot.map(|snapshot| (exported.id(), snapshot)));
        }
    }

    /// Everything that must be remembered, with the spool read up to `streams`.
    pub fn to_state(&mut self, streams: Vec<StreamPosition>, now: UnixMillis) -> State {
        self.local.drain(self.window);
        let local = SavedPipeline::local(self.local.to_state(), self.window.start);
        let pipelines = [local].into_iter().chain(self.exported.iter_mut().map(Exported::save)).collect();
        let (directories, writer) = (self.seen.save(), Some(self.writer()));
        let (window_start, ledger) = (self.window.start, self.ledger.clone());
        State { last_alive: now, window_start, streams, pipelines, directories, writer, ledger }
    }

    fn writer(&self) -> Writer {
        Writer {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            interval_ms: u64::try_from(self.options.interval.as_millis()).unwrap_or(u64::MAX),
            prices: self.options.prices.origin().clone(),
            rules: Rules::current().files().to_vec(),
        }
    }

    /// How things stand for the local page.
    pub fn peek_local(&mut self, now: UnixMillis) -> ExportMetricsServiceRequest {
        self.local.peek(self.window, now)
    }

    /// The destination of a pipeline has everything up to `cut`.
    pub fn acked(&mut self, pipeline: PipelineId, cut: CutId) {
        if let Some(exported) = self.get_mut(pipeline) {
            exported.pipeline.acked(UnixMillis(cut.0));
        }
    }

    /// The health of a pipeline's destination changed.
    pub fn note_health(&mut self, pipeline: PipelineId, health: HealthRecord) {
        if let Some(exported) = self.get_mut(pipeline) {
            exported.history.note(&exported.health, &health);
            exported.health = health;
        }
    }

    /// Notes what became of a pipeline's snapshots.
    pub fn note_delivery(&mut self, pipeline: PipelineId, counts: Counts, now: UnixMillis) {
        if let Some(exported) = self.get_mut(pipeline) {
            exported.history.tally.add(counts, now);
        }
    }

    /// The pipelines that have a destination.
    pub fn exported(&self) -> &[Exported] {
        &self.exported
    }

    /// One of them, if it has not ended.
    pub fn get(&self, pipeline: PipelineId) -> Option<&Exported> {
        self.exported.iter().find(|exported| exported.id() == pipeline)
    }

    fn get_mut(&mut self, pipeline: PipelineId) -> Option<&mut Exported> {
        self.exported.iter_mut().find(|exported| exported.id() == pipeline)
    }

    /// Pipelines that for the first time hold an exchange of an agent whose own telemetry is on.
    pub fn take_complement_news(&mut self) -> impl Iterator<Item = &Exported> {
        self.exported.iter_mut().filter_map(|exported| {
            let is_news = exported.take_complement_news();
            is_news.then_some(&*exported)
        })
    }

    /// If the clock has fallen far behind the last snapshot of a pipeline, no later one could be sent for long: its
    /// series start anew, under a new instance id. Whether any did. If it has fallen far behind an open window only,
    /// that window follows it.
    pub fn renew_if_clock_fell_back(&mut self, now: UnixMillis, mut random: impl FnMut() -> u128) -> bool {
        if self.window.start > now.after(BEHIND) {
            self.window = Window::around(now, self.options.interval);
            self.local.come_back(self.window, now);
        }
        let mut any = false;
        for exported in &mut self.exported {
            if exported.renew_if_clock_fell_back(now, &mut random) {
                let id = exported.id();
                self.ready.retain(|(other, _)| *other != id);
                any = true;
            }
        }
        any
    }
}

/// Takes the pipeline of `key` out of `saved`.
fn take(saved: &mut Vec<SavedPipeline>, key: &PipelineKey) -> Option<SavedPipeline> {
    let found = saved.iter().position(|saved| saved.state.identity.key == *key)?;
    Some(saved.swap_remove(found))
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
