//! From the spool directory to entries, in the order of their time.
//!
//! The directory is listed, each stream is read line by line from where it was left, and the streams are merged by
//! the entries' time. Damage is skipped and counted, never fatal.

mod entry_line;
mod finding;
mod stream;
pub mod watch;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io,
    path::{Path, PathBuf},
};

use ccxray_shared::{
    UnixMillis,
    entry::Seq,
    segment::{Position, Sequence, StreamId},
    spool::layout::{self, SegmentFile},
};
use serde::{Deserialize, Serialize};

pub use self::entry_line::EntryLine;
pub use self::finding::{Finding, Loss, Skipped};
use self::stream::Stream;

/// How far a stream has been read, as the checkpoint keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPosition {
    /// Which stream.
    pub stream: StreamId,
    /// How far.
    pub position: Position,
    /// How many exchanges its proxy had under way, as it said last before that position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<u64>,
}

/// The spool's streams.
#[derive(Debug)]
pub struct Source {
    dir: PathBuf,
    streams: BTreeMap<StreamId, Stream>,
    /// The next entry of each stream that has one, by time.
    heads: BinaryHeap<Reverse<(UnixMillis, StreamId)>>,
    findings: Vec<Finding>,
    /// Whether the spool may be older than its first reader: then what is missing before the streams that are found
    /// first was nobody's to read.
    is_first_look: bool,
}

impl Source {
    /// The spool in `dir`, which has never been read.
    pub fn begin(dir: &Path) -> Self {
        Self { is_first_look: true, ..Self::resume(dir, []) }
    }

    /// The spool in `dir`, to be read on from `positions`.
    pub fn resume(dir: &Path, positions: impl IntoIterator<Item = StreamPosition>) -> Self {
        let streams = positions.into_iter().map(|at| (at.stream, Stream::resume(&at)));
        Self {
            dir: dir.to_owned(),
            streams: streams.collect(),
            heads: BinaryHeap::new(),
            findings: Vec::new(),
            is_first_look: false,
        }
    }

    /// Looks at the directory: new streams, new segments, writers that have ended, entries behind the last one read.
    pub fn refresh(&mut self) -> io::Result<()> {
        let mut listed: BTreeMap<StreamId, Vec<SegmentFile>> = BTreeMap::new();
        for segment in layout::list(&self.dir)? {
            listed.entry(segment.id.stream).or_default().push(segment);
        }
        // A stream without any segment has nothing left to read, and never will have: its writer makes the next
        // segment before the last one can be removed.
        self.streams.retain(|id, stream| listed.contains_key(id) || stream.head().is_some());
        let next_seq = (!std::mem::take(&mut self.is_first_look)).then_some(Seq(0));
        for (id, segments) in listed {
            let stream = self.streams.entry(id).or_insert_with(|| Stream::new(id, next_seq));
            stream.refresh(&self.dir, segments, &mut self.findings);
        }
        let headless: Vec<StreamId> =
            self.streams.values().filter(|stream| stream.head().is_none()).map(Stream::id).collect();
        for id in headless {
            self.read_on(id);
        }
        Ok(())
    }

    /// The entry that ended first among the next ones of all streams, if any stream has one.
    pub fn peek(&self) -> Option<(StreamId, UnixMillis)> {
        self.heads.peek().map(|&Reverse((ended_at, id))| (id, ended_at))
    }

    /// Takes the entry that [`peek`](Self::peek) shows. It goes back with [`recycle`](Self::recycle), for the sake of its
    /// buffer, which makes the stream's next entry known.
    pub fn advance(&mut self) -> Option<(StreamId, EntryLine)> {
        let Reverse((_, id)) = self.heads.pop()?;
        let line = self.streams.get_mut(&id)?.take_head(&mut self.findings)?;
        Some((id, line))
    }

    /// Gives a line's buffer back, and reads on in its stream.
    pub fn recycle(&mut self, id: StreamId, line: EntryLine) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.recycle(line);
        }
        self.read_on(id);
    }

    fn read_on(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.fill(&self.dir, &mut self.findings);
        self.heads.extend(stream.head().map(|head| Reverse((head.ended_at, id))));
    }

    /// What was found beside entries since the last call.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// How far each stream has been read: everything before it has been handed out by [`advance`](Self::advance).
    pub fn positions(&self) -> Vec<StreamPosition> {
        self.streams.values().map(Stream::position).collect()
    }

    /// How many exchanges are under way in the proxies that live, each as it said last; `None` if none has said
    /// anything.
    pub fn active_requests(&self) -> Option<u64> {
        self.streams.values().filter_map(Stream::active).reduce(u64::saturating_add)
    }

    /// The version of the proxy that wrote the segment of `id` that is being read, if its beginning has been seen.
    pub fn proxy_version(&self, id: StreamId) -> Option<&str> {
        self.streams.get(&id)?.proxy_version()
    }

    /// Bytes that are in the spool and have not been read.
    pub fn lag_bytes(&self) -> u64 {
        self.streams.values().map(Stream::lag_bytes).sum()
    }

    /// Leaves everything behind that is in the spool now.
    pub fn skip_to_end(&mut self) -> io::Result<()> {
        self.refresh()?;
        self.heads.clear();
        self.findings.clear();
        self.streams.values_mut().for_each(Stream::skip_to_end);
        Ok(())
    }
}

/// The first segment of a stream.
const FIRST: Sequence = Sequence(0);

#[cfg(test)]
mod model_tests;
#[cfg(test)]
pub(crate) mod tests;
