//! A line together with the entry that it holds.

use ccxray_shared::{
    Entry, Name,
    entry::Seq,
    line::{DecodeLineError, Line, Stats},
    segment::{Header, SegmentId},
};
use self_cell::self_cell;

type Borrowing<'a> = Box<Entry<'a>>;

self_cell!(
    /// An entry and the line that its names are borrowed from: decoded once, on the way in.
    pub struct EntryLine {
        owner: Vec<u8>,
        #[covariant]
        dependent: Borrowing,
    }

    impl {Debug}
);

/// What a line holds that is no entry.
pub(super) enum Other {
    /// The first line of a segment.
    Segment { id: SegmentId, next_seq: Seq, proxy_version: Name<'static> },
    /// Entries that were lost, and why.
    Gap { lost: u64, reason: String },
    /// The proxy's gauges.
    Stats(Stats),
    /// Nothing that can be used.
    Unusable(DecodeLineError),
}

impl EntryLine {
    /// Reads `line`; gives it back if it holds no entry.
    pub(super) fn read(line: Vec<u8>) -> Result<Self, (Vec<u8>, Other)> {
        Self::try_new_or_recover(line, |line| match Line::decode(line) {
            Ok(Line::Entry(entry)) => Ok(entry),
            Ok(Line::Segment(Header { stream, sequence, next_seq, proxy_version, .. })) => {
                let id = SegmentId { stream, sequence };
                Err(Other::Segment { id, next_seq, proxy_version: proxy_version.into_owned() })
            }
            Ok(Line::Gap(gap)) => Err(Other::Gap { lost: gap.lost, reason: gap.reason.to_string() }),
            Ok(Line::Stats(stats)) => Err(Other::Stats(stats)),
            Err(error) => Err(Other::Unusable(error)),
        })
    }

    /// The entry.
    pub fn entry(&self) -> &Entry<'_> {
        self.borrow_dependent()
    }
}
