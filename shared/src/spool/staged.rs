//! Lines on their way into a segment.

use crate::line::Line;

/// Encoded lines that wait for the next commit.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) bytes: Vec<u8>,
    /// The end of each line in `bytes`, and whether it is an entry.
    pub(super) ends: Vec<(usize, bool)>,
}

impl Staged {
    pub(super) fn push(&mut self, line: &Line<'_>) {
        let start = self.bytes.len();
        let encoded = line.encode(&mut self.bytes);
        debug_assert!(encoded.is_ok(), "plain data always encodes");
        if encoded.is_err() {
            self.bytes.truncate(start);
            return;
        }
        self.ends.push((self.bytes.len(), matches!(line, Line::Entry(_))));
    }

    pub(super) fn pop(&mut self) {
        self.ends.pop();
        self.bytes.truncate(self.ends.last().map_or(0, |&(end, _)| end));
    }

    pub(super) fn last_len(&self) -> usize {
        let before = self.ends.len().checked_sub(2).map_or(0, |i| self.ends[i].0);
        self.bytes.len() - before
    }

    /// The bytes of whole lines, and the count of entries, within the first `written` bytes.
    pub(super) fn whole(&self, written: usize) -> (usize, u64) {
        let whole = self.ends.iter().take_while(|&&(end, _)| end <= written);
        whole.fold((0, 0), |(_, entries), &(end, is_entry)| (end, entries + u64::from(is_entry)))
    }

    pub(super) fn entries(&self) -> u64 {
        self.whole(self.bytes.len()).1
    }
}
