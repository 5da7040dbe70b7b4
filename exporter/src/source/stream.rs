//! One stream, read to the last whole line.

use std::{io, path::Path};

use ccxray_shared::{
    Name, UnixMillis,
    entry::Seq,
    segment::{ByteOffset, Position, SegmentId, StreamId},
    spool::{
        layout::SegmentFile,
        lock,
        reader::{LineReader, ReadLine},
    },
};

use super::{
    FIRST, Finding, Loss, Skipped, StreamPosition,
    entry_line::{EntryLine, Other},
};

/// The next entry of a stream.
#[derive(Debug)]
pub(super) struct Head {
    /// The entry's time.
    pub(super) ended_at: UnixMillis,
    line: EntryLine,
    /// How many entries are missing before it.
    missing: u64,
    /// The position once it has been taken.
    after: Position,
}

#[derive(Debug)]
pub(super) struct Stream {
    id: StreamId,
    /// Everything before it has been taken, and whatever was found there has been reported: reading on from here
    /// after a crash reports nothing twice.
    position: Position,
    /// Everything before it has been read: the head's end, if there is a head.
    read_to: Position,
    segments: Vec<SegmentFile>,
    /// Whether more may be appended. Looked up before a round of reading, so that a stream that was dead then is read
    /// to its very end.
    alive: bool,
    /// How many exchanges its writer had under way, as it said last.
    active: Option<u64>,
    /// Whether all that a dead writer left has been read.
    finished: bool,
    reader: Option<LineReader>,
    head: Option<Head>,
    spare: Vec<u8>,
    /// As the header says that was read last.
    proxy_version: Option<Name<'static>>,
}

impl Stream {
    /// A stream to be read from its beginning, or from what is left of it. `next_seq` is the number that its first
    /// entry must have, if any other would be a loss.
    pub(super) fn new(id: StreamId, next_seq: Option<Seq>) -> Self {
        let position = Position { sequence: FIRST, offset: ByteOffset(0), next_seq };
        Self::resume(&StreamPosition { stream: id, position, active: None })
    }

    pub(super) fn resume(at: &StreamPosition) -> Self {
        Self {
            id: at.stream,
            position: at.position,
            read_to: at.position,
            segments: Vec::new(),
            alive: true,
            active: at.active,
            finished: false,
            reader: None,
            head: None,
            spare: Vec::new(),
            proxy_version: None,
        }
    }

    pub(super) fn id(&self) -> StreamId {
        self.id
    }

    pub(super) fn proxy_version(&self) -> Option<&str> {
        self.proxy_version.as_deref()
    }

    pub(super) fn position(&self) -> StreamPosition {
        StreamPosition { stream: self.id, position: self.position, active: self.active }
    }

    /// How many exchanges its writer has under way, as it said last, if it lives.
    pub(super) fn active(&self) -> Option<u64> {
        self.active.filter(|_| self.alive)
    }

    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// `segments` is what the directory has of this stream, at least one.
    pub(super) fn refresh(&mut self, dir: &Path, segments: Vec<SegmentFile>, findings: &mut Vec<Finding>) {
        // First the lock, then the reading: what a writer appended before it ended is then seen.
        self.alive = self.alive
            && lock::is_alive(dir, self.id).unwrap_or_else(|error| {
                findings.push(Finding::Unreadable(format!("{}: {error}", self.id.lock_name())));
                true
            });
        // The listing came before: a segment that was begun between the two is seen only now.
        self.finished &= segments.last().is_none_or(|last| last.id.sequence <= self.read_to.sequence);
        self.segments = segments;
    }

    pub(super) fn take_head(&mut self, findings: &mut Vec<Finding>) -> Option<EntryLine> {
        let head = self.head.take()?;
        self.position = head.after;
        report(findings, Loss::Missing, head.missing);
        Some(head.line)
    }

    pub(super) fn recycle(&mut self, line: EntryLine) {
        self.spare = line.into_owner();
    }

    pub(super) fn skip_to_end(&mut self) {
        let Some(last) = self.segments.last() else { return };
        let position = Position { sequence: last.id.sequence, offset: ByteOffset(last.len), next_seq: None };
        let (alive, segments) = (self.alive, std::mem::take(&mut self.segments));
        let at = StreamPosition { stream: self.id, position, active: None };
        *self = Self { segments, alive, ..Self::resume(&at) };
    }

    pub(super) fn lag_bytes(&self) -> u64 {
        let unread = self.segments.iter().filter(|segment| segment.id.sequence >= self.position.sequence);
        let total: u64 = unread.map(|segment| segment.len).sum();
        total.saturating_sub(self.position.offset.0)
    }

    /// Reads on until there is a head or nothing more to read.
    pub(super) fn fill(&mut self, dir: &Path, findings: &mut Vec<Finding>) {
        while self.head.is_none() && !self.finished {
            match self.read_line(dir, findings) {
                Ok(true) => {}
                Ok(false) => {
                    self.finish_if_dead();
                    break;
                }
                Err(error) => {
                    self.reader = None;
                    findings.push(Finding::Unreadable(format!("{}: {error}", self.segment())));
                    break;
                }
            }
        }
        if self.head.is_none() {
            // What was read beside entries need not be read again.
            self.position = self.read_to;
        }
    }

    /// Reads one line, or goes on to the next segment; whether there may be more.
    fn read_line(&mut self, dir: &Path, findings: &mut Vec<Finding>) -> io::Result<bool> {
        if !self.open(dir, findings)? {
            return Ok(false);
        }
        let Self { reader: Some(reader), spare, .. } = self else { return Ok(false) };
        match reader.read_line()? {
            ReadLine::Line(bytes, next) => {
                // Zeroed blocks are what some file systems leave of a write that power loss cut short.
                let zeroed = bytes.iter().take_while(|&&b| b == 0).count();
                spare.clear();
                spare.extend_from_slice(&bytes[zeroed..]);
                self.take_line(next, findings);
            }
            ReadLine::Giant(next) => {
                findings.push(Finding::Skipped(Skipped::Giant));
                self.read_to.offset = next;
            }
            ReadLine::End { unfinished } => return Ok(self.end_of_segment(unfinished, findings)),
        }
        Ok(true)
    }

    /// Takes in the line in `spare`, behind which the next one starts at `next`.
    fn take_line(&mut self, next: ByteOffset, findings: &mut Vec<Finding>) {
        match EntryLine::read(std::mem::take(&mut self.spare)) {
            Ok(line) => self.take_entry(line, next, findings),
            Err((line, other)) => {
                self.take_other(other, findings);
                self.read_to.offset = next;
                self.spare = line;
            }
        }
    }

    /// The entry becomes the head, unless it has been read before.
    fn take_entry(&mut self, line: EntryLine, next: ByteOffset, findings: &mut Vec<Finding>) {
        let (seq, ended_at) = (line.entry().seq, line.entry().ended_at);
        let Some(missing) = self.missing_before(seq) else {
            findings.push(Finding::Skipped(Skipped::Repeated));
            self.read_to.offset = next;
            self.recycle(line);
            return;
        };
        self.position = self.read_to;
        self.read_to = Position { offset: next, next_seq: Some(Seq(seq.0 + 1)), ..self.read_to };
        self.head = Some(Head { ended_at, line, missing, after: self.read_to });
    }

    /// Makes sure that the segment of `read_to` is open; if it is gone, the next one that is there. Whether one is.
    fn open(&mut self, dir: &Path, findings: &mut Vec<Finding>) -> io::Result<bool> {
        while self.reader.is_none() {
            let Some(segment) = self.segments.iter().find(|s| s.id.sequence >= self.read_to.sequence) else {
                return Ok(false);
            };
            if segment.id.sequence > self.read_to.sequence {
                self.read_to.sequence = segment.id.sequence;
                self.read_to.offset = ByteOffset(0);
            }
            match LineReader::open(&segment.path(dir), self.read_to.offset) {
                Ok(reader) => self.reader = Some(reader),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if !self.next_segment() {
                        return Ok(false);
                    }
                }
                // Nobody may shorten a segment: what it held and what was read of it cannot be told apart any more.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    findings.push(Finding::Unreadable(format!("{}: {error}; it is left behind", segment.id)));
                    if !self.next_segment() {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// At the end of a segment: goes on if it is closed. An unfinished line that will never be finished is a loss,
    /// counted here only if no later header can tell by its running number.
    fn end_of_segment(&mut self, unfinished: u64, findings: &mut Vec<Finding>) -> bool {
        if self.next_segment() {
            return true;
        }
        if !self.alive && unfinished > 0 {
            findings.push(Finding::Lost { reason: Loss::Torn, entries: 1 });
            self.read_to.offset.0 += self.unread_of_segment();
        }
        false
    }

    /// Nothing will follow what a dead writer left: its file need not be kept open.
    fn finish_if_dead(&mut self) {
        if !self.alive {
            self.finished = true;
            self.reader = None;
        }
    }

    fn unread_of_segment(&self) -> u64 {
        let len = self.segments.last().map_or(0, |segment| segment.len);
        len.saturating_sub(self.read_to.offset.0)
    }

    /// Goes on with the next segment, if one was listed before the last read.
    fn next_segment(&mut self) -> bool {
        let later =
            self.segments.iter().map(|segment| segment.id.sequence).find(|&s| s > self.read_to.sequence);
        if let Some(sequence) = later {
            self.read_to.sequence = sequence;
            self.read_to.offset = ByteOffset(0);
            self.reader = None;
        }
        later.is_some()
    }

    fn take_other(&mut self, other: Other, findings: &mut Vec<Finding>) {
        match other {
            Other::Segment { id, next_seq, proxy_version } if id == self.segment() => {
                self.take_header(next_seq, proxy_version, findings);
            }
            Other::Segment { .. } => findings.push(Finding::Skipped(Skipped::Malformed)),
            Other::Gap { lost, reason } => report(findings, Loss::Gap(reason), lost),
            Other::Stats(stats) => {
                self.active = Some(stats.active_exchanges);
                findings.push(Finding::Stats(stats));
            }
            Other::Unusable(error) => findings.push(Finding::Skipped(Skipped::because(&error))),
        }
    }

    fn take_header(&mut self, next_seq: Seq, proxy_version: Name<'static>, findings: &mut Vec<Finding>) {
        report(findings, Loss::Expired, self.missing_before(next_seq).unwrap_or(0));
        self.read_to.next_seq = Some(next_seq);
        self.proxy_version = Some(proxy_version);
    }

    /// How many entries are missing before the one with the number `found`; `None` if that one has been read before.
    /// Where no number is expected, nothing is missing.
    fn missing_before(&self, found: Seq) -> Option<u64> {
        found.0.checked_sub(self.read_to.next_seq.unwrap_or(found).0)
    }

    fn segment(&self) -> SegmentId {
        SegmentId { stream: self.id, sequence: self.read_to.sequence }
    }
}

fn report(findings: &mut Vec<Finding>, reason: Loss, entries: u64) {
    if entries > 0 {
        findings.push(Finding::Lost { reason, entries });
    }
}
