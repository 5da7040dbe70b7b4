//! A pipeline with a destination, on its way through time.

use std::{mem, time::Duration};

use ccxray_shared::UnixMillis;

use super::{BEHIND, PipelineId};
use crate::{
    checkpoint::{Agreed, SavedPipeline},
    consent::Grant,
    deliver::{History, Snapshot, messages::CutId, record::HealthRecord},
    pipeline::{
        Pipeline, Window,
        identity::{Identity, InstanceId},
    },
};

/// A pipeline with a destination: its open window, and how its destination is doing.
#[derive(Debug)]
pub struct Exported {
    id: PipelineId,
    grant: Grant,
    pub(super) pipeline: Pipeline,
    window: Window,
    /// Whether the open window has counted anything.
    pub(super) has_entries: bool,
    pub(super) health: HealthRecord,
    pub(super) history: History,
    /// Whether exchanges that no file covers count in it.
    pub(super) is_server: bool,
    complement: Complement,
}

/// Whether an agent whose own telemetry was on has had exchanges in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Complement {
    None,
    /// And nobody has been told.
    News,
    Told,
}

impl Exported {
    /// One that begins `now`, with nothing in it, is agreed to `since` then, and whose open window holds `at`.
    pub(super) fn begin(
        (id, instance): (PipelineId, InstanceId),
        grant: Grant,
        interval: Duration,
        (now, since, at): (UnixMillis, UnixMillis, UnixMillis),
    ) -> Self {
        let identity = Identity { key: grant.key.clone(), instance };
        let mut begun = Self {
            id,
            pipeline: Pipeline::new(identity, since),
            window: Window::around(at, grant.interval.unwrap_or(interval)),
            has_entries: false,
            health: HealthRecord { since: now, ..HealthRecord::default() },
            history: History::default(),
            is_server: false,
            complement: Complement::None,
            grant,
        };
        begun.apply_grant();
        begun
    }

    /// One that goes on from where it was `saved`; the open window of a checkpoint that does not say so began at
    /// `window_start`.
    pub(super) fn resume(
        id: PipelineId,
        grant: Grant,
        interval: Duration,
        saved: SavedPipeline,
        (now, window_start): (UnixMillis, UnixMillis),
    ) -> Self {
        let pipeline = Pipeline::from_state(saved.state);
        let start = saved.window_start.unwrap_or(window_start).max(pipeline.last_cut());
        let never_tried = HealthRecord { since: now, ..HealthRecord::default() };
        let mut resumed = Self {
            id,
            pipeline,
            window: Window::around(start, grant.interval.unwrap_or(interval)),
            has_entries: false,
            health: saved.health.unwrap_or(never_tried),
            history: saved.history,
            is_server: false,
            complement: if saved.is_complement { Complement::Told } else { Complement::None },
            grant,
        };
        resumed.apply_grant();
        resumed
    }

    /// Its number.
    pub fn id(&self) -> PipelineId {
        self.id
    }

    /// What was agreed to.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Who it is to its destination.
    pub fn identity(&self) -> &Identity {
        self.pipeline.identity()
    }

    /// Its destination's health, as far as the engine has heard.
    pub fn health(&self) -> HealthRecord {
        self.health
    }

    /// The open window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Whether figures of the whole machine go along: it is where exchanges count that no file covers.
    pub fn is_server(&self) -> bool {
        self.is_server
    }

    /// Whether an agent whose own telemetry was on has had exchanges in it.
    pub fn is_complement(&self) -> bool {
        self.complement != Complement::None
    }

    /// Whether it goes on with `grant`, of the same key. What exchanges counted in without a stamp ends when they begin to be
    /// sent under a name: if they come back to it one day, no id may tell who they were meanwhile.
    pub(super) fn goes_on_as(&self, grant: &Grant) -> bool {
        self.grant.is_standby || !grant.is_standby
    }

    /// [`goes_on_as`](Self::goes_on_as) for one that was `saved`.
    pub(super) fn was_saved_as(saved: &SavedPipeline, grant: &Grant) -> bool {
        let was_standby = saved.agreed.as_ref().is_some_and(|agreed| agreed.is_standby);
        was_standby || !grant.is_standby
    }

    /// Takes over what is now agreed to for the same key. Whether it goes elsewhere, or with other headers: then nobody
    /// knows what of the last snapshots has arrived.
    pub(super) fn agree(&mut self, grant: &Grant, interval: Duration) -> bool {
        let goes_elsewhere = grant.destination != self.grant.destination;
        if *grant != self.grant {
            self.grant = grant.clone();
            self.apply_grant();
            let start = self.window.start.max(self.pipeline.last_cut());
            self.window = Window::around(start, grant.interval.unwrap_or(interval));
        }
        if goes_elsewhere {
            self.pipeline.taken_over();
        }
        goes_elsewhere
    }

    fn apply_grant(&mut self) {
        self.pipeline.set_budgets(self.grant.budgets.clone());
        self.pipeline.set_promoted(self.grant.promote.clone());
    }

    /// As [`Core::advance`](super::Core::advance), for this pipeline.
    pub(super) fn advance(&mut self, watermark: UnixMillis) -> Option<Snapshot> {
        if watermark < self.window.end() {
            return None;
        }
        let next = Window::around(watermark, self.window.length);
        let is_live = next.start == self.window.end();
        let over = mem::replace(&mut self.window, next);
        if mem::take(&mut self.has_entries) || is_live {
            self.close(over)
        } else {
            self.pipeline.roll(over);
            None
        }
    }

    /// Closes the open window at `now`, for a last snapshot before a stop.
    pub(super) fn close_early(&mut self, now: UnixMillis) -> Option<Snapshot> {
        let length = now.since(self.window.start);
        let is_open = !length.is_zero() && now < self.window.end();
        is_open.then(|| self.close(Window { length, ..self.window }))?
    }

    fn close(&mut self, window: Window) -> Option<Snapshot> {
        let request = self.pipeline.close(window)?;
        Some(Snapshot { cut: CutId(window.end().0), request })
    }

    /// As [`Core::renew_if_clock_fell_back`](super::Core::renew_if_clock_fell_back), for this pipeline.
    pub(super) fn renew_if_clock_fell_back(
        &mut self,
        now: UnixMillis,
        random: impl FnOnce() -> u128,
    ) -> bool {
        let latest = now.after(BEHIND);
        let last_cut = self.pipeline.last_cut();
        let was_sent_ahead = last_cut > latest;
        if !was_sent_ahead && self.window.start <= latest {
            return false;
        }
        let start = if was_sent_ahead { now } else { now.max(last_cut) };
        self.window = Window::around(start, self.window.length);
        if was_sent_ahead {
            let identity =
                Identity { key: self.grant.key.clone(), instance: InstanceId::from_bits(random()) };
            self.pipeline.begin_anew(identity, now);
        } else {
            self.pipeline.come_back(self.window, now);
        }
        was_sent_ahead
    }

    /// An agent whose own telemetry is on has an exchange in it.
    pub(super) fn note_complement(&mut self) {
        if self.complement == Complement::None {
            self.complement = Complement::News;
        }
    }

    /// Whether that is news.
    pub(super) fn take_complement_news(&mut self) -> bool {
        let is_news = self.complement == Complement::News;
        if is_news {
            self.complement = Complement::Told;
        }
        is_news
    }

    /// What must be remembered of it.
    pub(super) fn save(&mut self) -> SavedPipeline {
        self.pipeline.drain(self.window);
        SavedPipeline {
            state: self.pipeline.to_state(),
            health: Some(self.health),
            history: self.history.clone(),
            window_start: Some(self.window.start),
            agreed: Some(self.agreed()),
            is_complement: self.is_complement(),
        }
    }

    fn agreed(&self) -> Agreed {
        let Grant { destination, shown, files, acknowledged_at, budgets, promote, notices, .. } = &self.grant;
        Agreed {
            endpoint: destination.endpoint.to_string(),
            attributes: shown.clone(),
            files: files.clone(),
            acknowledged_at: acknowledged_at.clone(),
            interval_ms: u64::try_from(self.window.length.as_millis()).unwrap_or(u64::MAX),
            budgets: budgets.iter().map(|(&(metric, key), &budget)| (metric, key, budget)).collect(),
            promoted: promote.clone(),
            is_server: self.is_server,
            is_standby: self.grant.is_standby,
            notices: notices.clone(),
        }
    }
}
