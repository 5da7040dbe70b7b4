//! Appends a stream's lines to its segments.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{Fsync, lock::StreamLock, open_segment::OpenSegment, staged::Staged};
use crate::{
    Entry, Name, UnixMillis,
    entry::Seq,
    line::{Gap, Line, MAX_LINE, Stats},
    private::{self, PrivateDirError},
    segment::{SegmentId, Sequence, StreamId},
};

/// How a writer works.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// When it calls fsync.
    pub fsync: Fsync,
    /// A segment of this many bytes is closed at the next write.
    pub max_segment: u64,
    /// A segment of this age is closed at the next write.
    pub max_segment_age: Duration,
    /// The proxy's version, for the headers.
    pub proxy_version: Name<'static>,
    /// The install's id, for the headers.
    pub install: Name<'static>,
}

impl WriterOptions {
    /// 16 MiB or an hour a segment, fsync within a second.
    pub fn new(proxy_version: Name<'static>, install: Name<'static>) -> Self {
        Self {
            fsync: Fsync::default(),
            max_segment: 16 << 20,
            max_segment_age: Duration::from_hours(1),
            proxy_version,
            install,
        }
    }
}

/// A spool could not be opened for writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenWriterError {
    /// The directory is not fit.
    #[error(transparent)]
    Directory(#[from] PrivateDirError),
    /// The stream's lock could not be taken.
    #[error("failed to take the lock of stream {stream} in `{dir}`")]
    Lock {
        /// Where.
        dir: PathBuf,
        /// Whose.
        stream: StreamId,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Staged lines could not be written. They are gone; the next commit that succeeds begins with a gap that counts
/// the entries among them.
#[derive(Debug, thiserror::Error)]
#[error("failed to write segment `{segment}`: {lost} entries lost")]
pub struct CommitError {
    /// Where.
    pub segment: SegmentId,
    /// How many entries.
    pub lost: u64,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// The one writer of a stream.
///
/// Lines are staged in memory and written by [`commit`](Self::commit) with one `write(2)`. After a commit a crash
/// of the process loses none of them; see [`Fsync`] for the loss of power.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    stream: StreamId,
    options: WriterOptions,
    segment: Option<OpenSegment>,
    next_sequence: Sequence,
    /// The running number of the next entry that reaches the disk.
    next_seq: Seq,
    staged: Staged,
    losses: Vec<Gap<'static>>,
    unsynced_since: Option<Instant>,
    _lock: StreamLock,
}

impl Writer {
    /// Starts a stream of its own in the spool directory `dir`, which is made if it is not there. The first
    /// segment is made by the first commit.
    pub fn open(dir: &Path, stream: StreamId, options: WriterOptions) -> Result<Self, OpenWriterError> {
        private::ensure_dir(dir)?;
        let lock = StreamLock::acquire(dir, stream).map_err(|source| OpenWriterError::Lock {
            dir: dir.to_owned(),
            stream,
            source,
        })?;
        Ok(Self {
            dir: dir.to_owned(),
            stream,
            options,
            segment: None,
            next_sequence: Sequence::default(),
            next_seq: Seq::default(),
            staged: Staged::default(),
            losses: Vec::new(),
            unsynced_since: None,
            _lock: lock,
        })
    }

    /// Stages an entry and gives it its running number. One that would be longer than [`MAX_LINE`] has its lists
    /// cut (their true counts stay); if that is not enough, it is counted as lost.
    pub fn stage_entry(&mut self, mut entry: Entry<'_>, now: UnixMillis) {
        entry.seq = Seq(self.next_seq.0 + self.staged.entries());
        let mut line = Line::Entry(Box::new(entry));
        self.staged.push(&line);
        if self.staged.last_len() > MAX_LINE {
            self.staged.pop();
            if let Line::Entry(entry) = &mut line {
                cut_lists(entry);
            }
            self.staged.push(&line);
        }
        if self.staged.last_len() > MAX_LINE {
            self.staged.pop();
            self.stage_loss(1, Name::from_wire("too_long"), now);
        }
    }

    /// Stages the proxy's gauges.
    pub fn stage_stats(&mut self, stats: Stats) {
        self.staged.push(&Line::Stats(stats));
    }

    /// Counts entries that never came to be, for the next gap.
    pub fn stage_loss(&mut self, lost: u64, reason: Name<'static>, now: UnixMillis) {
        match self.losses.iter_mut().find(|gap| gap.reason == reason) {
            Some(gap) => {
                gap.lost += lost;
                gap.at = now;
            }
            None => self.losses.push(Gap { at: now, lost, reason }),
        }
    }

    /// Bytes staged for the next commit.
    pub fn staged_len(&self) -> usize {
        self.staged.bytes.len()
    }

    /// Writes all that is staged, behind a gap for whatever was lost before. `at` is the monotonic time of `now`.
    ///
    /// On an error the whole lines that did reach the file stay, what is behind them is cut off, and the segment
    /// is closed. If even the cut fails, a reader finds an unfinished line at the segment's end and skips it.
    pub fn commit(&mut self, now: UnixMillis, at: Instant) -> Result<(), CommitError> {
        let mut batch = Staged::default();
        for gap in &self.losses {
            batch.push(&Line::Gap(gap.clone()));
        }
        let gaps = batch.ends.len();
        let offset = batch.bytes.len();
        batch.bytes.append(&mut self.staged.bytes);
        batch.ends.extend(self.staged.ends.drain(..).map(|(end, is_entry)| (end + offset, is_entry)));
        if batch.ends.is_empty() {
            return Ok(());
        }
        let entries = batch.entries();
        let written = match self.segment_for(now) {
            Ok(segment) => segment.append(&batch),
            Err(source) => Err((0, source)),
        };
        let whole = match &written {
            Ok(()) => batch.bytes.len(),
            Err((whole, _)) => *whole,
        };
        let reached = batch.whole(whole).1;
        let gaps_reached = batch.ends.iter().take(gaps).filter(|&&(end, _)| end <= whole).count();
        self.losses.drain(..gaps_reached);
        self.next_seq.0 += reached;
        if whole > 0 {
            self.unsynced_since.get_or_insert(at);
        }
        if let Err((_, source)) = written {
            let segment = self.close_segment();
            let lost = entries - reached;
            if lost > 0 {
                self.stage_loss(lost, Name::from_wire("write_failed"), now);
            }
            return Err(CommitError { segment, lost, source });
        }
        self.sync_if_due(at).map_err(|source| CommitError { segment: self.close_segment(), lost: 0, source })
    }

    /// When [`sync_if_due`](Self::sync_if_due) should next be called, if ever.
    pub fn sync_due(&self) -> Option<Instant> {
        match (self.options.fsync, self.unsynced_since) {
            (Fsync::None, _) | (_, None) => None,
            (Fsync::Each, Some(since)) => Some(since),
            (Fsync::Every(interval), Some(since)) => Some(since + interval),
        }
    }

    /// Calls fsync if the policy asks for it by now.
    pub fn sync_if_due(&mut self, at: Instant) -> io::Result<()> {
        if self.sync_due().is_some_and(|due| due <= at) { self.sync() } else { Ok(()) }
    }

    /// Makes all that was committed durable, whatever the policy.
    pub fn sync(&mut self) -> io::Result<()> {
        self.unsynced_since = None;
        match &self.segment {
            Some(segment) => segment.file.sync_data(),
            None => Ok(()),
        }
    }

    /// The stream's id.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// The open segment, or a new one if there is none or it is full or old.
    fn segment_for(&mut self, now: UnixMillis) -> io::Result<&mut OpenSegment> {
        let full = |segment: &OpenSegment| {
            segment.len >= self.options.max_segment
                || now.since(segment.started_at) >= self.options.max_segment_age
        };
        if self.segment.as_ref().is_none_or(full) {
            if self.options.fsync != Fsync::None {
                self.sync()?;
            }
            self.segment = None;
            let id = SegmentId { stream: self.stream, sequence: self.next_sequence };
            let segment = OpenSegment::create(&self.dir, id, self.next_seq, now, &self.options)?;
            self.next_sequence = self.next_sequence.next();
            self.segment = Some(segment);
        }
        Ok(self.segment.as_mut().expect("set just above"))
    }

    /// Gives the segment up, so that the next commit begins another; says which it was.
    fn close_segment(&mut self) -> SegmentId {
        match self.segment.take() {
            Some(segment) => segment.id,
            None => SegmentId { stream: self.stream, sequence: self.next_sequence },
        }
    }
}

/// Leaves as much of an entry's lists as surely fits into a line.
fn cut_lists(entry: &mut Entry<'_>) {
    const SHORT: usize = 16;
    if let Some(tools) = &mut entry.tools {
        tools.calls.truncate(SHORT);
        for call in &mut tools.calls {
            call.patterns.truncate(SHORT);
        }
    }
    if let Some(results) = &mut entry.results {
        results.failed_tools.truncate(SHORT);
    }
    entry.rate_limits.truncate(SHORT);
    entry.notes.truncate(SHORT);
}
