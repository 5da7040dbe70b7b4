//! The windows and the pipelines: everything between a decoded entry and a snapshot, without IO and without a clock.

use std::{mem, time::Duration};

use ccxray_shared::{Entry, UnixMillis};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use super::SETTLING;
use crate::{
    checkpoint::{SavedPipeline, State, Writer},
    classify::{
        Classified, Rules,
        drift::{self, Drift},
        price_table::PriceTable,
    },
    deliver::{
        History,
        messages::{CutId, Snapshot},
        record::HealthRecord,
        tally::Counts,
    },
    pipeline::{
        self, Pipeline, Window,
        identity::{Identity, InstanceId, PipelineKey},
    },
    source::StreamPosition,
};

/// How far an entry's time may lie ahead of the clock before it says nothing.
const AHEAD: Duration = Duration::from_secs(5);
/// How far behind the last snapshot the clock may fall before the series start anew.
const BEHIND: Duration = Duration::from_mins(5);

/// How the windows run and where the snapshots go.
#[derive(Debug)]
pub struct CoreOptions {
    /// The length of a window.
    pub interval: Duration,
    /// How long the exporter may have been away before what was recorded meanwhile is withheld.
    pub resume_grace: Duration,
    /// The destination, if there is consent for one.
    pub destination: Option<PipelineKey>,
    /// What things cost.
    pub prices: PriceTable,
}

/// The windows and the pipelines.
#[derive(Debug)]
pub struct Core {
    options: CoreOptions,
    window: Window,
    /// Whether the open window has counted anything.
    has_entries: bool,
    local: Pipeline,
    destination: Option<Exported>,
    ready: Vec<Snapshot>,
}

#[derive(Debug)]
struct Exported {
    pipeline: Pipeline,
    health: HealthRecord,
    history: History,
}

impl Core {
    /// Goes on from `state` in a new process, or begins. A destination that the state does not know begins with
    /// nothing, now. `random` gives the bits of new instance ids.
    pub fn start(
        options: CoreOptions,
        state: Option<State>,
        now: UnixMillis,
        random: impl FnMut() -> u128,
    ) -> Self {
        let last_alive = state.as_ref().map(|state| state.last_alive);
        let mut core = Self::alongside(options, state, now, random);
        if let Some(Exported { pipeline, .. }) = &mut core.destination {
            pipeline.taken_over();
            if let Some(last_alive) = last_alive
                && now.since(last_alive) > core.options.resume_grace
            {
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
        let (window_start, mut saved) =
            state.map_or((UnixMillis(0), Vec::new()), |state| (state.window_start, state.pipelines));
        let never_tried = HealthRecord { since: now, ..HealthRecord::default() };
        let mut resume = |key: PipelineKey, since: UnixMillis| {
            let found = saved.iter().position(|saved| saved.state.identity.key == key);
            match found.map(|i| saved.swap_remove(i)) {
                Some(saved) => Exported {
                    pipeline: Pipeline::from_state(saved.state),
                    health: saved.health.unwrap_or(never_tried),
                    history: saved.history,
                },
                None => Exported {
                    pipeline: Pipeline::new(
                        Identity { key, instance: InstanceId::from_bits(random()) },
                        since,
                    ),
                    health: never_tried,
                    history: History::default(),
                },
            }
        };
        let local = resume(PipelineKey::local(), UnixMillis(0)).pipeline;
        let destination = options.destination.clone().map(|key| resume(key, now));
        let last_cut = destination.as_ref().map_or(UnixMillis(0), |exported| exported.pipeline.last_cut());
        let window = Window::around(window_start.max(last_cut), options.interval);
        Self { options, window, has_entries: false, local, destination, ready: Vec::new() }
    }

    /// The time at which an entry counts. One far ahead of the clock was made under another clock and counts at once:
    /// to wait for its time would hold up whatever its stream has behind it.
    pub fn event_time(ended_at: UnixMillis, now: UnixMillis) -> UnixMillis {
        if ended_at <= now.after(AHEAD) { ended_at } else { now.before(SETTLING) }
    }

    /// The open window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Everything that ended before `watermark` has been counted: closes the open window if it is over, and opens the
    /// one that holds `watermark`. A window that followed directly is sent even if it brought nothing, as a sign of
    /// life; others only if they counted something.
    pub fn advance(&mut self, watermark: UnixMillis) {
        if watermark < self.window.end() {
            return;
        }
        let next = Window::around(watermark, self.options.interval);
        let is_live = next.start == self.window.end();
        self.local.roll(self.window);
        if let Some(Exported { pipeline, .. }) = &mut self.destination {
            if self.has_entries || is_live {
                let cut = CutId(self.window.end().0);
                self.ready.extend(pipeline.close(self.window).map(|request| Snapshot { cut, request }));
            } else {
                pipeline.roll(self.window);
            }
        }
        self.window = next;
        self.has_entries = false;
    }

    /// Counts an entry in the open window. Its [`event_time`](Self::event_time) must not lie behind that window. Gives
    /// what in it was not as expected.
    pub fn count<'e>(&mut self, entry: &'e Entry<'e>) -> Vec<Drift<'e>> {
        let classified = Classified::of(entry, &self.options.prices);
        let late = entry.ended_at < self.window.start;
        self.has_entries = true;
        let destination = self.destination.as_mut().map(|exported| &mut exported.pipeline);
        let drifts = drift::of(&classified);
        pipeline::record([&mut self.local].into_iter().chain(destination), &classified, &drifts, late);
        drifts
    }

    /// How many exchanges are under way, as far as living proxies have told. A figure of the whole machine: it is for
    /// the local page and for the destination that the exporter's own command line names.
    pub fn set_active_requests(&mut self, active: Option<u64>) {
        self.local.set_active_requests(active);
        if let Some(exported) = &mut self.destination {
            exported.pipeline.set_active_requests(active);
        }
    }

    /// Counts entries that are known to be lost.
    pub fn count_loss(&mut self, reason: &str, entries: u64, now: UnixMillis) {
        self.has_entries = true;
        self.local.record_loss(reason, entries, now);
        if let Some(exported) = &mut self.destination {
            exported.pipeline.record_loss(reason, entries, now);
        }
    }

    /// How many snapshots wait for a checkpoint.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// The snapshots that may be sent now that a checkpoint holds them.
    pub fn take_ready(&mut self) -> Vec<Snapshot> {
        mem::take(&mut self.ready)
    }

    /// Closes the open window early, at `now`, for a last snapshot before a stop.
    pub fn close_early(&mut self, now: UnixMillis) {
        let length = now.since(self.window.start);
        if !length.is_zero() && now < self.window.end() {
            let cut_short = Window { length, ..self.window };
            if let Some(Exported { pipeline, .. }) = &mut self.destination {
                self.ready
                    .extend(pipeline.close(cut_short).map(|request| Snapshot { cut: CutId(now.0), request }));
            }
        }
    }

    /// Everything that must be remembered, with the spool read up to `streams`.
    pub fn to_state(&mut self, streams: Vec<StreamPosition>, now: UnixMillis) -> State {
        self.local.drain(self.window);
        let local = self.local.to_state();
        let mut pipelines = vec![SavedPipeline { state: local, health: None, history: History::default() }];
        if let Some(Exported { pipeline, health, history }) = &mut self.destination {
            pipeline.drain(self.window);
            let (state, history) = (pipeline.to_state(), history.clone());
            pipelines.push(SavedPipeline { state, health: Some(*health), history });
        }
        let writer = Some(self.writer());
        State { last_alive: now, window_start: self.window.start, streams, pipelines, writer }
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

    /// The destination has everything up to `cut`.
    pub fn acked(&mut self, cut: CutId) {
        if let Some(exported) = &mut self.destination {
            exported.pipeline.acked(UnixMillis(cut.0));
        }
    }

    /// The destination's health changed.
    pub fn note_health(&mut self, health: HealthRecord) {
        if let Some(exported) = &mut self.destination {
            exported.history.note(&exported.health, &health);
            exported.health = health;
        }
    }

    /// Notes what became of snapshots.
    pub fn note_delivery(&mut self, counts: Counts, now: UnixMillis) {
        if let Some(exported) = &mut self.destination {
            exported.history.tally.add(counts, now);
        }
    }

    /// Who the destination's pipeline is, if there is a destination.
    pub fn destination(&self) -> Option<&Identity> {
        self.destination.as_ref().map(|exported| exported.pipeline.identity())
    }

    /// The destination's health, if there is a destination.
    pub fn health(&self) -> Option<HealthRecord> {
        self.destination.as_ref().map(|exported| exported.health)
    }

    /// If the clock has fallen far behind the last snapshot, no later one could be sent for long: the destination's
    /// series start anew, under a new instance id. Whether they did. If it has fallen far behind the open window only,
    /// the window follows it.
    pub fn renew_if_clock_fell_back(&mut self, now: UnixMillis, random: impl FnOnce() -> u128) -> bool {
        let latest = now.after(BEHIND);
        let last_cut =
            self.destination.as_ref().map_or(UnixMillis(0), |exported| exported.pipeline.last_cut());
        let was_sent_ahead = last_cut > latest;
        if !was_sent_ahead && self.window.start <= latest {
            return false;
        }
        let start = if was_sent_ahead { now } else { now.max(last_cut) };
        self.window = Window::around(start, self.options.interval);
        self.local.come_back(self.window, now);
        let Some(exported) = &mut self.destination else { return false };
        if was_sent_ahead {
            let key = exported.pipeline.identity().key.clone();
            let identity = Identity { key, instance: InstanceId::from_bits(random()) };
            exported.pipeline.begin_anew(identity, now);
            self.ready.clear();
        } else {
            exported.pipeline.come_back(self.window, now);
        }
        was_sent_ahead
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
