//! How far the spool goes, by running numbers.

use std::{collections::BTreeMap, io, path::Path};

use ccxray_shared::{
    UnixMillis,
    entry::Seq,
    line::Line,
    segment::{ByteOffset, StreamId},
    spool::{
        layout::{self, SegmentFile},
        reader::{LineReader, ReadLine},
    },
};

use super::Uncertain;

/// All that lies in the spool in `dir` at `now`, as something of which nothing is known.
pub(super) fn all(dir: &Path, now: UnixMillis) -> io::Result<Uncertain> {
    let mut last: BTreeMap<StreamId, SegmentFile> = BTreeMap::new();
    last.extend(layout::list(dir)?.into_iter().map(|segment| (segment.id.stream, segment)));
    let ends = last.into_iter().map(|(stream, segment)| Ok((stream, end_of(&segment.path(dir))?)));
    Ok(Uncertain { at: now, upto: ends.collect::<io::Result<_>>()? })
}

/// The running number that the next entry in the segment at `path` will have. One that cannot be told by any line is
/// taken to be beyond all.
fn end_of(path: &Path) -> io::Result<Seq> {
    let mut end = None;
    let mut reader = match LineReader::open(path, ByteOffset(0)) {
        // It was removed since it was listed: of its stream nothing is left.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seq(u64::MAX)),
        reader => reader?,
    };
    loop {
        match reader.read_line()? {
            ReadLine::Line(line, _) => end = after(line).max(end),
            ReadLine::Giant(_) => {}
            ReadLine::End { .. } => return Ok(end.unwrap_or(Seq(u64::MAX))),
        }
    }
}

fn after(line: &[u8]) -> Option<Seq> {
    match Line::decode(line).ok()? {
        Line::Segment(header) => Some(header.next_seq),
        Line::Entry(entry) => Some(Seq(entry.seq.0.saturating_add(1))),
        Line::Gap(_) | Line::Stats(_) => None,
    }
}
