//! One span: what a pipeline has attempted and what has arrived.

use std::collections::BTreeMap;

use ccxray_shared::{UnixMillis, entry::Seq, segment::StreamId};

use super::{Begun, Place, Positions, Record, Standing, Withheld};

/// The most attempts that are told apart while no ack comes; beyond it every second one is taken into the next.
const MOST_OUTSTANDING: usize = 64;

/// One span, as its records add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    begun: Begun,
    streams: BTreeMap<StreamId, Reached>,
    /// Snapshots that went further than those before and have not been acknowledged.
    outstanding: Vec<(UnixMillis, Positions)>,
    withheld: Vec<Withheld>,
    ended: Option<UnixMillis>,
}

/// How far a stream was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    attempted: Seq,
    exported: Seq,
    /// The last snapshot that went further in this stream.
    pub(super) cut: UnixMillis,
}

impl Span {
    pub(super) fn new(begun: Begun) -> Self {
        Self { begun, streams: BTreeMap::new(), outstanding: Vec::new(), withheld: Vec::new(), ended: None }
    }

    /// How it began.
    pub fn begun(&self) -> &Begun {
        &self.begun
    }

    /// When it ended, if it has.
    pub fn ended(&self) -> Option<UnixMillis> {
        self.ended
    }

    /// What it does not send.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// How far it may have sent.
    pub fn attempted(&self) -> Positions {
        self.streams.iter().map(|(&stream, reached)| (stream, reached.attempted)).collect()
    }

    /// How far its destination has it.
    pub fn exported(&self) -> Positions {
        self.streams.iter().map(|(&stream, reached)| (stream, reached.exported)).collect()
    }

    /// Whether it has attempted anything of `stream`.
    pub(super) fn knows(&self, stream: StreamId) -> bool {
        self.streams.contains_key(&stream)
    }

    /// The streams and their numbers in `upto` that go further than what was attempted.
    pub(super) fn beyond_attempted(&self, upto: &Positions) -> Positions {
        upto.iter().filter(|&(stream, end)| end > self.reached(stream).attempted).collect()
    }

    /// Whether it has attempted `stream` up to `end`.
    pub(super) fn has_attempted(&self, stream: StreamId, end: Seq) -> bool {
        self.reached(stream).attempted >= end
    }

    /// The last of its snapshots that an ack of `cut` tells of, if any is told of for the first time.
    pub(super) fn covered_by_ack(&self, cut: UnixMillis) -> Option<UnixMillis> {
        self.outstanding.iter().map(|&(outstanding, _)| outstanding).filter(|&each| each <= cut).max()
    }

    /// What had been attempted of streams in which something happened after `time`.
    pub(super) fn attempted_since(&self, time: UnixMillis) -> Positions {
        let recent = self.streams.iter().filter(|(_, reached)| reached.cut >= time);
        recent.map(|(&stream, reached)| (stream, reached.attempted)).collect()
    }

    /// What it has done with an entry that is one of its pipeline's.
    pub(super) fn standing(&self, place: &Place) -> Standing {
        let Begun { since, until, start, .. } = &self.begun;
        let is_own = place.ended_at >= *since
            && until.is_none_or(|until| place.ended_at < until)
            && place.seq >= start.end_of(place.stream);
        let reached = self.reached(place.stream);
        if !is_own {
            Standing::NeverAttempted
        } else if self.withheld.iter().any(|withheld| withheld.holds(place)) {
            Standing::Withheld
        } else if place.seq < reached.exported {
            Standing::Exported
        } else if place.seq < reached.attempted {
            Standing::Attempted
        } else {
            Standing::NeverAttempted
        }
    }

    fn reached(&self, stream: StreamId) -> Reached {
        self.streams.get(&stream).copied().unwrap_or_default()
    }

    /// It is said to have begun once more: entries that ended earlier are its own, too.
    pub(super) fn begin_again(&mut self, begun: &Begun) {
        self.begun.since = self.begun.since.min(begun.since);
        self.ended = None;
    }

    pub(super) fn attempt(&mut self, cut: UnixMillis, upto: Positions) {
        for (stream, end) in upto.iter() {
            let reached = self.streams.entry(stream).or_default();
            reached.attempted = end.max(reached.attempted);
            reached.cut = cut.max(reached.cut);
        }
        self.outstanding.push((cut, upto));
        if self.outstanding.len() > MOST_OUTSTANDING {
            self.thin();
        }
    }

    /// Takes every second attempt into the one after it; the newest stays.
    fn thin(&mut self) {
        let mut attempts = std::mem::take(&mut self.outstanding).into_iter();
        while let Some((cut, mut upto)) = attempts.next() {
            let next = attempts.next();
            let later = next.as_ref().map_or(cut, |(later, _)| cut.max(*later));
            if let Some((_, further)) = &next {
                upto.raise_all(further);
            }
            self.outstanding.push((later, upto));
        }
    }

    pub(super) fn export(&mut self, cut: UnixMillis) {
        for (_, upto) in self.outstanding.extract_if(.., |(each, _)| *each <= cut) {
            for (stream, end) in upto.iter() {
                let reached = self.streams.entry(stream).or_default();
                reached.exported = end.max(reached.exported);
            }
        }
    }

    pub(super) fn withhold(&mut self, withheld: Withheld) {
        match self.withheld.iter_mut().find(|each| each.from == withheld.from) {
            Some(each) => each.until = each.until.min(withheld.until),
            None => self.withheld.push(withheld),
        }
    }

    pub(super) fn end(&mut self, at: UnixMillis) {
        self.ended = Some(at);
    }

    /// The streams that it knows, and when it last went further in each.
    pub(super) fn streams(&self) -> impl Iterator<Item = (StreamId, Reached)> {
        self.streams.iter().map(|(&stream, &reached)| (stream, reached))
    }

    /// Lets go of the streams that `stays` does not accept, and of what is withheld and ended before `horizon`.
    pub(super) fn forget(&mut self, stays: impl Fn(StreamId) -> bool, horizon: UnixMillis) {
        self.streams.retain(|&stream, _| stays(stream));
        self.outstanding.iter_mut().for_each(|(_, upto)| upto.retain(|stream, _| stays(stream)));
        self.outstanding.retain(|(_, upto)| !upto.is_empty());
        self.withheld.retain(|withheld| withheld.until >= horizon);
        self.withheld.iter_mut().for_each(|withheld| withheld.after.retain(|stream, _| stays(stream)));
        if self.begun.since < horizon {
            self.begun.start.retain(|stream, _| stays(stream));
        }
    }

    /// Whether it says nothing that is still worth knowing.
    pub(super) fn is_spent(&self, horizon: UnixMillis) -> bool {
        self.ended.is_some_and(|at| at < horizon) && self.streams.is_empty() && self.withheld.is_empty()
    }

    /// Records that add up to it.
    pub(super) fn records(&self) -> Vec<Record> {
        let span = || self.begun.span.clone();
        let mut records = vec![Record::Begun(self.begun.clone())];
        let mut exported: BTreeMap<UnixMillis, Positions> = BTreeMap::new();
        for (&stream, reached) in self.streams.iter().filter(|(_, reached)| reached.exported > Seq(0)) {
            exported.entry(reached.cut).or_default().raise(stream, reached.exported);
        }
        let last = exported.last_key_value().map(|(&cut, _)| cut);
        let attempted = |(cut, upto)| Record::Attempted { span: span(), cut, upto };
        records.extend(exported.into_iter().map(attempted));
        records.extend(last.map(|cut| Record::Exported { span: span(), cut }));
        records.extend(self.outstanding.iter().cloned().map(attempted));
        records.extend(self.withheld.iter().cloned().map(Record::Withheld));
        records.extend(self.ended.map(|at| Record::Ended { span: span(), at }));
        records
    }
}

impl Withheld {
    fn holds(&self, place: &Place) -> bool {
        self.from < place.ended_at
            && place.ended_at < self.until
            && place.seq >= self.after.end_of(place.stream)
    }
}
