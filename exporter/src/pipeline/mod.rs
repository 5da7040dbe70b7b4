//! A pipeline: one destination with its own consent, budgets and totals. The local page is one too.

pub mod identity;
mod recording;
pub mod state;
pub mod withheld;

use std::{collections::BTreeMap, time::Duration};

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use self::{identity::Identity, recording::Recording, withheld::Withheld};
use crate::{
    classify::Classified,
    measure::{
        Key, Metric, Series, Sink,
        admission::{self, Admissions},
        measure,
        meter::{Delta, Meter},
        sessions::Sessions,
        totals::{Totals, Zero},
    },
    snapshot,
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

/// How much of the input came from a cache, over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Tokens read from a cache.
    pub read: u64,
    /// All input tokens.
    pub input: u64,
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
    cache_use: BTreeMap<Vec<(Key, Box<str>)>, CacheUse>,
    /// How many entries it holds whose stamp keeps them out of every destination; only the local one can hold any.
    opted_out: u64,
    /// The time of the last snapshot; every later one has a later time.
    last_cut: UnixMillis,
    /// Zeros offered up to this cut by an earlier run may or may not have arrived: they are sent again as they were.
    uncertain_until: UnixMillis,
    id: String,
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
            cache_use: BTreeMap::new(),
            opted_out: 0,
            last_cut: UnixMillis(0),
            uncertain_until: UnixMillis(0),
            id: String::new(),
        }
    }

    /// Begins now as another one, with nothing in it. What it held back it goes on holding back.
    pub fn begin_anew(&mut self, identity: Identity, now: UnixMillis) {
        let mut withheld = std::mem::take(&mut self.withheld);
        withheld.come_back(now);
        *self = Self { withheld, ..Self::new(identity, now) };
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it may not send.
    pub fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// Another process goes on with it: what the one before has offered may or may not have arrived.
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

    /// Counts an entry in the open window, which its time may lie before (`late`) but not behind.
    pub fn record(&mut self, classified: &Classified<'_>, late: bool) {
        let at = classified.entry.ended_at;
        let tier = self.identity.key.tier;
        // A stamp lowers the tier for its exchange; a lower tier is another pipeline's, or nobody's.
        let is_capped = classified.entry.tier_cap.is_some_and(|cap| cap < tier);
        if is_capped || at < self.since || !self.withheld.lets_through(at) {
            return;
        }
        self.opted_out += u64::from(classified.entry.tier_cap == Some(0));
        let mut recording = Recording::new(self, at, Some(classified.entry.provider));
        measure(classified, &mut recording);
        if late {
            recording.record(Metric::Late, &[], 1);
        }
    }

    /// Counts entries that are known to be lost.
    pub fn record_loss(&mut self, reason: &str, lost: u64, at: UnixMillis) {
        if at >= self.since {
            Recording::new(self, at, None).record(Metric::EntriesLost, &[(Key::Reason, reason)], lost);
        }
    }

    /// Takes what has been recorded into the totals, as part of `window`.
    pub fn drain(&mut self, window: Window) {
        let Self { meter, totals, admissions, cache_use, .. } = self;
        let bounds = (window.start, window.end());
        meter.drain(|series, delta| {
            for (key, value) in &series.attributes {
                admissions.refresh(series.metric, *key, value, window.start);
            }
            note_cache_use(cache_use, &series, &delta);
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
        Some(snapshot::request(&self.identity.resource(), points, &gauges, cut))
    }

    /// Closes `window` without a request: takes what it brought into the totals, lets go of what is idle, and gives
    /// the window's gauges.
    pub fn roll(&mut self, window: Window) -> BTreeMap<Series, f64> {
        self.drain(window);
        self.sessions.forget(window.end());
        for series in self.totals.retire(window.end(), self.idle()) {
            let attributes: Vec<(Key, &str)> = series.attributes.iter().map(|(k, v)| (*k, &**v)).collect();
            Series::write_id(&mut self.id, series.metric, &attributes);
            self.meter.unbind(&self.id, series.metric);
        }
        let gauges = self.gauges();
        self.cache_use.clear();
        gauges
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
        snapshot::request(&self.identity.resource(), points, &self.gauges(), now)
    }

    /// The destination has acknowledged all snapshots up to `cut`.
    pub fn acked(&mut self, cut: UnixMillis) {
        self.totals.settle(cut);
    }

    /// The time of the last snapshot.
    pub fn last_cut(&self) -> UnixMillis {
        self.last_cut
    }

    /// The totals and how full the budgets are, for `status`.
    pub fn admissions(&self) -> &Admissions {
        &self.admissions
    }

    fn gauges(&self) -> BTreeMap<Series, f64> {
        self.cache_use
            .iter()
            .filter_map(|(attributes, used)| Some((ratio_series(attributes), used.ratio()?)))
            .collect()
    }
}

impl CacheUse {
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    fn ratio(self) -> Option<f64> {
        (self.input > 0).then(|| self.read as f64 / self.input as f64)
    }
}

fn ratio_series(attributes: &[(Key, Box<str>)]) -> Series {
    Series { metric: Metric::CacheHitRatio, attributes: attributes.to_vec() }
}

fn note_cache_use(cache_use: &mut BTreeMap<Vec<(Key, Box<str>)>, CacheUse>, series: &Series, delta: &Delta) {
    let is_read = match series.metric {
        Metric::TokensCacheRead => true,
        Metric::TokensInput | Metric::TokensCacheCreation => false,
        _ => return,
    };
    let Delta::Sum(tokens) = *delta else { return };
    let attributes = series.attributes.iter().filter(|(key, _)| !key.is_flag()).cloned().collect();
    let used: &mut CacheUse = cache_use.entry(attributes).or_default();
    used.input = used.input.saturating_add(tokens);
    used.read = used.read.saturating_add(if is_read { tokens } else { 0 });
}

#[cfg(test)]
mod tests;
