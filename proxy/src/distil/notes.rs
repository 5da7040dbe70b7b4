//! What the parsers did not understand.

use ccxray_shared::{
    Name,
    entry::{Parse, ParseNote},
};

/// Counts of closed words, a few kinds at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<(&'static str, &'static str, u32)>);

impl Notes {
    /// `parser` met `reason` once more.
    pub fn add(&mut self, parser: &'static str, reason: &'static str) {
        match self.0.iter_mut().find(|(p, r, _)| (*p, *r) == (parser, reason)) {
            Some((_, _, count)) => *count = count.saturating_add(1),
            None => self.0.push((parser, reason, 1)),
        }
    }

    /// Takes over the notes of another part of the exchange.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// How well an exchange with these notes was understood.
    pub fn parse(&self) -> Parse {
        if self.0.is_empty() { Parse::Ok } else { Parse::Partial }
    }

    /// The notes, as an entry lists them.
    pub fn into_list(self) -> Vec<ParseNote<'static>> {
        let note = |(parser, reason, count)| ParseNote {
            parser: Name::from_wire(parser),
            reason: Name::from_wire(reason),
            count,
        };
        self.0.into_iter().map(note).collect()
    }
}
