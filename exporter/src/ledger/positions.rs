//! How far streams go, by running number.

use std::collections::BTreeMap;

use ccxray_shared::{entry::Seq, segment::StreamId};
use serde::{Deserialize, Serialize};

use crate::source::StreamPosition;

/// Of each stream the running number of the first entry that is *not* covered. Unlike an offset it survives that a
/// segment is compressed or moved. A stream that is not listed is not covered at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positions(BTreeMap<StreamId, Seq>);

impl Positions {
    /// The first number of `stream` that is not covered.
    pub fn end_of(&self, stream: StreamId) -> Seq {
        self.0.get(&stream).copied().unwrap_or_default()
    }

    /// Whether `stream` is listed.
    pub fn lists(&self, stream: StreamId) -> bool {
        self.0.contains_key(&stream)
    }

    /// Covers `stream` up to `end`, if it is not covered further.
    pub fn raise(&mut self, stream: StreamId, end: Seq) {
        let covered = self.0.entry(stream).or_default();
        *covered = end.max(*covered);
    }

    /// Covers what has been read where `source` stands. A stream of which no number is known yet is left out: nothing of
    /// it has been read.
    pub fn raise_to(&mut self, source: &[StreamPosition]) {
        let known = source.iter().filter_map(|at| Some((at.stream, at.position.next_seq?)));
        known.for_each(|(stream, end)| self.raise(stream, end));
    }

    /// Covers what `other` covers.
    pub fn raise_all(&mut self, other: &Self) {
        other.iter().for_each(|(stream, end)| self.raise(stream, end));
    }

    /// Whether no stream is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many streams are listed.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (StreamId, Seq)> {
        self.0.iter().map(|(&stream, &end)| (stream, end))
    }

    /// Leaves out the streams that `stays` does not accept.
    pub fn retain(&mut self, stays: impl Fn(StreamId, Seq) -> bool) {
        self.0.retain(|&stream, end| stays(stream, *end));
    }
}

impl FromIterator<(StreamId, Seq)> for Positions {
    fn from_iter<I: IntoIterator<Item = (StreamId, Seq)>>(positions: I) -> Self {
        Self(positions.into_iter().collect())
    }
}
