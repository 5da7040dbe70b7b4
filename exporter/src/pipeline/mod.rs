//! A pipeline: one destination with its own consent, budgets and totals. The local page is one too.

mod gauges;
pub mod identity;
mod recording;
pub mod state;
pub mod withheld;

use std::{collections::BTreeMap, time::Duration};

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use self::{
    gauges::Gauges,
    identity::Identity,
    recording::{FanOut, Recording},
    withheld::Withheld,
};
use crate::{
    classify::{
        Classified,
        drift::{self, Drift},
    },
    measure::{
        Key, Labels, Metric, Series, Sink,
        admission::{self, Admissions, Budgets},
        measure,
        meter::Meter,
        sessions::Sessions,
        totals::{Totals, Zero},
    },
    snapshot::{self, Sender},
};

/// A piece of event time, aligned to its own length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment that belongs to it.
    pub start: UnixMillis,
    /// Its length; the end does not belong to it.
    pub length: Duration,
}

impl Window {
    /// The window that holds `time`.
    pub fn around(time: UnixMillis, length: Duration) -> Self {
        let step = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { start: UnixMillis(time.0 - time.0 % step), length }
    }

    /// The first moment after it.
    pub fn end(self) -> UnixMillis {
        self.start.after(self.length)
    }
}

/// One pipeline. Pure: it is told the time and does no IO.
#[derive(Debug)]
pub struct Pipeline {
    identity: Identity,
    /// Entries that ended before it was enabled are not its own.
    since: UnixMillis,
    withheld: Withheld,
    meter: Meter,
    totals: Totals,
    admissions: Admissions,
    sessions: Sessions,
    gauges: Gauges,
    /// Attributes of the resource that are repeated on every point, for a backend that does not show the resource.
    promoted: Vec<String>,
    /// How many entries it holds whose stamp keeps them out of every destination; only the local one can hold any.
    opted_out: u64,
    /// The time of the last snapshot; every later one has a later time.
    last_cut: UnixMillis,
    /// Zeros offered up to this cut by an earlier run may or may not have arrived: they are sent again as they were.
    uncertain_until: UnixMillis,
}

impl Pipeline {
    /// A pipeline that begins now, with nothing in it.
    pub fn new(identity: Identity, since: UnixMillis) -> Self {
        Self {
            identity,
            since,
            withheld: Withheld::default(),
            meter: Meter::new(),
            totals: Totals::default(),
            admissions: Admissions::default(),
            sessions: Sessions::default(),
            gauges: Gauges::default(),
            promoted: Vec::new(),
            opted_out: 0,
            last_cut: UnixMillis(0),
            uncertain_until: UnixMillis(0),
        }
    }

    /// Begins now as another one, with nothing in it. What it held back it goes on holding back.
    pub fn begin_anew(&mut self, identity: Identity, now: UnixMillis) {
        let mut withheld = std::mem::take(&mut self.withheld);
        withheld.come_back(now);
        let (promoted, budgets) = (std::mem::take(&mut self.promoted), self.admissions.take_budgets());
        *self = Self { withheld, promoted, ..Self::new(identity, now) };
        self.set_budgets(budgets);
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When it was enabled.
    pub fn since(&self) -> UnixMillis {
        self.since
    }

    /// Whether nothing has been counted in it yet, and nothing was sent.
    pub fn is_untouched(&self) -> bool {
        self.totals.is_empty() && self.meter.is_empty() && self.last_cut == UnixMillis(0)
    }

    /// What it may not send.
    pub fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// Applies budgets in place of the catalogue's to what is admitted from now on.
    pub fn set_budgets(&mut self, budgets: Budgets) {
        self.admissions.set_budgets(budgets);
    }

    /// Repeats these attributes of the resource on every point from now on.
    pub fn set_promoted(&mut self, promoted: Vec<String>) {
        self.promoted = promoted;
    }

    /// Somebody else goes on with sending it: what the one before was offered may or may not have arrived.
    pub fn taken_over(&mut self) {
        self.uncertain_until = self.last_cut;
    }

    /// The exporter was away from `from` to `until`, for longer than the user can be taken to still agree: what
    /// ended meanwhile is withheld.
    pub fn withhold(&mut self, from: UnixMillis, until: UnixMillis) {
        self.withheld.add(from, until);
    }

    /// The clock was far ahead and has come back to `now`, which is in `window`: nothing that was noted by it stands
    /// later than that.
    pub fn come_back(&mut self, window: Window, now: UnixMillis) {
        self.since = self.since.min(now);
        self.withheld.come_back(now);
        self.totals.come_back((window.start, window.end()));
    }

    /// Counts an entry at the time of its end in the open window, which that may lie before (`late`) but not behind.
    pub fn record(&mut self, classified: &Classified<'_>, late: bool) {
        record((self, late), None, classified, (classified.entry.ended_at, &drift::of(classified)));
    }

    /// Whether an entry is its own to count at this time. One that is withheld is noted.
    fn takes(&mut self, classified: &Classified<'_>, at: UnixMillis) -> bool {
        let tier = self.identity.key.tier;
        // A stamp lowers the tier for its exchange; a lower tier is another pipeline's, or nobody's.
        let is_capped = classified.entry.tier_cap.is_some_and(|cap| cap < tier);
        let takes = !is_capped && at >= self.since && self.withheld.lets_through(at);
        self.opted_out += u64::from(takes && classified.entry.tier_cap == Some(0));
        takes
    }

    /// Counts entries that are known to be lost.
    pub fn record_loss(&mut self, reason: &str, lost: u64, at: UnixMillis) {
        if at >= self.since {
            let labels = Labels::of(&[(Key::Reason, reason)]);
            Recording::new(self, at, None).record(Metric::EntriesLost, &labels, lost);
        }
    }

    /// How many exchanges are under way, as far as living proxies have told.
    pub fn set_active_requests(&mut self, active: Option<u64>) {
        self.gauges.set_active_requests(active);
    }

    /// Takes what has been recorded into the totals, as part of `window`.
    pub fn drain(&mut self, window: Window) {
        let Self { meter, totals, admissions, gauges, .. } = self;
        let bounds = (window.start, window.end());
        meter.drain(|series, delta| {
            for (key, value) in &series.attributes {
                admissions.refresh(series.metric, *key, value, window.start);
            }
            gauges.note_tokens(&series, &delta);
            totals.add(series, delta, bounds);
        });
    }

    /// Closes `window`: the request that says how things stand at its end. Nothing if there is nothing to say, or
    /// if its time would not be later than that of the last one.
    pub fn close(&mut self, window: Window) -> Option<ExportMetricsServiceRequest> {
        let gauges = self.roll(window);
        let cut = window.end();
        if self.totals.is_empty() || cut <= self.last_cut {
            return None;
        }
        self.last_cut = cut;
        let zeros = self.offer_zeros(cut, cut.before(window.length));
        let points = self.totals.iter().zip(zeros).map(|((series, row), zero)| (series, row, zero));
        Some(snapshot::request(&self.sender(), points, &gauges, cut))
    }

    /// Closes `window` without a request: takes what it brought into the totals, lets go of what is idle, and gives
    /// the window's gauges.
    pub fn roll(&mut self, window: Window) -> BTreeMap<Series, f64> {
        self.drain(window);
        self.sessions.forget(window.end());
        for series in self.totals.retire(window.end(), self.idle()) {
            self.meter.unbind(series.metric, &series.labels());
        }
        let values = self.gauges.values();
        self.gauges.end_window();
        values
    }

    /// How long a series may rest. A destination keeps what it was sent, and need not be told of it for ever; the local
    /// page has nowhere else to look, and keeps a series as long as its values keep their places.
    fn idle(&self) -> Duration {
        match self.identity.key.destination {
            Some(_) => Duration::from_hours(24),
            None => admission::IDLE,
        }
    }

    /// The time of the zero point that each row needs in the snapshot `cut`, if it needs one: a new zero at `at`, or
    /// an uncertain one as it was offered before.
    fn offer_zeros(&mut self, cut: UnixMillis, at: UnixMillis) -> Vec<Option<UnixMillis>> {
        let uncertain_until = std::mem::take(&mut self.uncertain_until);
        let offer = |zero: &mut Zero| {
            let at = match *zero {
                Zero::Owed => at,
                Zero::Offered { at, cut } if cut <= uncertain_until => at,
                Zero::Offered { .. } | Zero::Settled => return None,
            };
            *zero = Zero::Offered { at, cut };
            Some(at)
        };
        self.totals.iter_mut().map(|(_, row)| offer(&mut row.zero)).collect()
    }

    /// How things stand now, for the local page: nothing is closed, no zero is given.
    pub fn peek(&mut self, window: Window, now: UnixMillis) -> ExportMetricsServiceRequest {
        self.drain(window);
        let points = self.totals.iter().map(|(series, row)| (series, row, None));
        snapshot::request(&self.sender(), points, &self.gauges.values(), now)
    }

    fn sender(&self) -> Sender {
        let resource = self.identity.resource();
        let promoted = self.promoted.iter().filter_map(|key| resource.get_key_value(key));
        Sender { promoted: promoted.map(|(key, value)| (key.clone(), value.clone())).collect(), resource }
    }

    /// The destination has acknowledged all snapshots up to `cut`. One that was never made is none of these series'.
    pub fn acked(&mut self, cut: UnixMillis) {
        if cut <= self.last_cut {
            self.totals.settle(cut);
        }
    }

    /// The time of the last snapshot.
    pub fn last_cut(&self) -> UnixMillis {
        self.last_cut
    }

    /// The totals and how full the budgets are, for `status`.
    pub fn admissions(&self) -> &Admissions {
        &self.admissions
    }
}

/// A pipeline, and whether its open window began after the time of the entry that it is to count.
type Open<'p> = (&'p mut Pipeline, bool);

/// Counts an entry `at` a time, with what in it was not as expected, in the open windows of those pipelines whose own it is:
/// it is measured once for both of them.
pub fn record<'p>(
    local: Open<'p>,
    exported: Option<Open<'p>>,
    classified: &Classified<'_>,
    (at, drifts): (UnixMillis, &[Drift<'_>]),
) {
    let recording = |(pipeline, is_late): Open<'p>| {
        let provider = Some(classified.entry.provider);
        pipeline.takes(classified, at).then(|| Recording::new(pipeline, at, provider).late_if(is_late))
    };
    let mut both = FanOut([recording(local), exported.and_then(recording)]);
    if both.is_empty() {
        return;
    }
    measure(classified, drifts, &mut both);
    let late = both.each().filter(|recording| recording.is_late);
    late.for_each(|recording| recording.record(Metric::Late, &Labels::of(&[]), 1));
}

#[cfg(test)]
mod tests;
