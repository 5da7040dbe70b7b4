//! What all records together say.

use std::collections::BTreeMap;

use ccxray_shared::{UnixMillis, entry::Seq, segment::StreamId};
use serde::Serialize;

use super::{Author, Number, PipelineHash, Record, Span, SpanId, Uncertain, line, record::Begun};
use crate::pipeline::identity::InstanceId;

/// An entry, as the ledger knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its stream.
    pub stream: StreamId,
    /// Its running number there.
    pub seq: Seq,
    /// When it ended.
    pub ended_at: UnixMillis,
}

/// What became of an entry, for a pipeline that it belongs to. The later ones outweigh the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was never in anything that was sent.
    NeverAttempted,
    /// It was recorded and held back.
    Withheld,
    /// Nobody can tell: records were lost.
    Uncertain,
    /// It was in something that was sent, or was about to be.
    Attempted,
    /// The destination has it.
    Exported,
}

/// The ledger, as its records add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(super) spans: BTreeMap<SpanId, Span>,
    pub(super) uncertain: Vec<Uncertain>,
    /// No later snapshot held anything of a stream that was let go.
    pub(super) forgotten_until: Option<UnixMillis>,
    last: Number,
    damage: Option<Damage>,
}

/// What is wrong with the file. Whoever appends next replaces it by one that says how far the loss reaches; until then
/// it reaches everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// It is not there, though something was sent, or its end is missing.
    Lost,
    /// Lines were changed, cut off or removed.
    Lines,
}

impl Ledger {
    /// What `bytes` say, which are known to have held the line `at_least` once. Whatever they are, this is a ledger.
    pub fn read(bytes: &[u8], at_least: Number) -> Self {
        let mut ledger = Self::default();
        let mut lines = bytes.split(|&byte| byte == b'\n');
        let unfinished = lines.next_back().unwrap_or_default();
        lines.for_each(|line| ledger.take_line(line));
        if !unfinished.is_empty() {
            ledger.damage = Some(Damage::Lines);
        }
        ledger.expect(at_least);
        ledger
    }

    /// The line `at_least` has been there once: numbers go on behind it, and without it something is lost.
    pub(super) fn expect(&mut self, at_least: Number) {
        if self.last < at_least {
            self.last = at_least;
            self.damage = Some(Damage::Lost);
        }
    }

    fn take_line(&mut self, line: &[u8]) {
        let Ok((number, record)) = line::decode(line) else {
            self.damage = Some(Damage::Lines);
            return;
        };
        let is_first = self.last == Number::default();
        let follows = if is_first { number > self.last } else { number == self.last.next() };
        if !follows || is_first != matches!(record, Record::Ledger {}) {
            self.damage = Some(Damage::Lines);
        }
        self.last = self.last.max(number);
        self.apply(record);
    }

    /// Takes in the next record, which has the next number.
    pub(super) fn append(&mut self, record: Record) {
        self.last = self.last.next();
        self.apply(record);
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Ledger {} => {}
            Record::Begun(begun) => self.begin(begun),
            Record::Attempted { span, cut, upto } => self.in_span(&span, |span| span.attempt(cut, upto)),
            Record::Exported { span, cut } => self.in_span(&span, |span| span.export(cut)),
            Record::Withheld(withheld) => {
                let id = withheld.span.clone();
                self.in_span(&id, |span| span.withhold(withheld));
            }
            Record::Ended { span, at } => self.in_span(&span, |span| span.end(at)),
            Record::Uncertain(uncertain) => self.note_loss(uncertain),
            Record::Forgotten { until } => self.forgotten_until = self.forgotten_until.max(Some(until)),
        }
    }

    fn begin(&mut self, begun: Begun) {
        match self.spans.get_mut(&begun.span) {
            Some(span) => span.begin_again(&begun),
            None => {
                self.spans.insert(begun.span.clone(), Span::new(begun));
            }
        }
    }

    /// A record about a span of which nothing is known follows on one that was lost.
    fn in_span(&mut self, id: &SpanId, apply: impl FnOnce(&mut Span)) {
        match self.spans.get_mut(id) {
            Some(span) => apply(span),
            None => self.damage = Some(Damage::Lines),
        }
    }

    /// An earlier loss that lies within `uncertain` need not be known any more.
    fn note_loss(&mut self, uncertain: Uncertain) {
        let is_covered = |earlier: &Uncertain| {
            earlier.at <= uncertain.at
                && earlier
                    .upto
                    .iter()
                    .all(|(stream, end)| uncertain.upto.lists(stream) && uncertain.upto.end_of(stream) >= end)
        };
        self.uncertain.retain(|earlier| !is_covered(earlier));
        self.uncertain.push(uncertain);
    }

    /// What became of the entry at `place`, which is one for `pipeline`: of its project, and not held back by a stamp.
    /// If several spans know of it, what went furthest.
    pub fn standing(&self, pipeline: &PipelineHash, place: &Place) -> Standing {
        let own = self.spans.values().filter(|span| span.begun().pipeline == *pipeline);
        let known = own.map(|span| span.standing(place)).max().unwrap_or(Standing::NeverAttempted);
        if self.is_uncertain(place) { known.max(Standing::Uncertain) } else { known }
    }

    fn is_uncertain(&self, place: &Place) -> bool {
        let is_forgotten = self.forgotten_until.is_some_and(|until| place.ended_at <= until)
            && !self.spans.values().any(|span| span.knows(place.stream));
        self.damage.is_some() || is_forgotten || self.uncertain.iter().any(|loss| loss.covers(place))
    }

    /// The spans, in no order that means anything.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.values()
    }

    /// Whether the exporter has attempted `stream` up to `end` under this instance id.
    pub fn has_attempted(&self, instance: &InstanceId, stream: StreamId, end: Seq) -> bool {
        let mut own = self.open_spans(Author::Live).filter(|span| span.begun().instance == *instance);
        own.any(|span| span.has_attempted(stream, end))
    }

    /// The spans of `author` that have not ended.
    pub(super) fn open_spans(&self, author: Author) -> impl Iterator<Item = &Span> {
        self.spans.values().filter(move |span| span.begun().author == author && span.ended().is_none())
    }

    /// What is known to have been lost.
    pub fn losses(&self) -> &[Uncertain] {
        &self.uncertain
    }

    /// What is wrong with the file, if anything is.
    pub fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// Up to when entries of streams that are not known any more may have been attempted.
    pub fn forgotten_until(&self) -> Option<UnixMillis> {
        self.forgotten_until
    }

    /// The number of the last line.
    pub fn last(&self) -> Number {
        self.last
    }

    /// Records that add up to it, but for damage.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Ledger {}];
        records.extend(self.uncertain.iter().cloned().map(Record::Uncertain));
        records.extend(self.forgotten_until.map(|until| Record::Forgotten { until }));
        records.extend(self.spans.values().flat_map(Span::records));
        records
    }
}

impl Uncertain {
    fn covers(&self, place: &Place) -> bool {
        if self.upto.lists(place.stream) {
            place.seq < self.upto.end_of(place.stream)
        } else {
            place.ended_at <= self.at
        }
    }
}
