//! How the running proxies are doing, as their newest lines in the spool say.

use std::{collections::BTreeMap, io, path::Path};

use ccxray_shared::{
    UnixMillis,
    line::{Line, Stats},
    segment::{ByteOffset, StreamId},
    spool::{
        layout::{self, SegmentFile},
        lock,
        reader::{LineReader, ReadLine},
    },
};
use serde::Serialize;

/// A running proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProxyReport {
    /// Its version.
    pub version: String,
    /// Its gauges; null until it has had something to tell.
    pub gauges: Option<Gauges>,
}

/// A proxy's gauges, and its counts since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gauges {
    /// When it wrote them down. It writes them at most every ten seconds, and only when they have changed.
    pub at: UnixMillis,
    /// Exchanges under way.
    pub active_exchanges: u64,
    /// Client connections open.
    pub connections: u64,
    /// Copies given up for memory.
    pub shed_copies: u64,
    /// Requests refused at its own door.
    pub refused: u64,
    /// Panics caught in its recorder.
    pub recorder_panics: u64,
}

impl From<Stats> for Gauges {
    fn from(stats: Stats) -> Self {
        let Stats { at, active_exchanges, connections, shed_copies, refused, recorder_panics } = stats;
        Self { at, active_exchanges, connections, shed_copies, refused, recorder_panics }
    }
}

/// The proxies that write into the spool in `dir` and live.
pub fn living(dir: &Path) -> io::Result<Vec<ProxyReport>> {
    let mut streams: BTreeMap<StreamId, Vec<SegmentFile>> = BTreeMap::new();
    for segment in layout::list(dir)? {
        streams.entry(segment.id.stream).or_default().push(segment);
    }
    let mut proxies = Vec::new();
    for (stream, segments) in streams {
        if lock::is_alive(dir, stream)? {
            proxies.push(look_at(dir, &segments)?);
        }
    }
    Ok(proxies)
}

/// What the newest segments say.
fn look_at(dir: &Path, segments: &[SegmentFile]) -> io::Result<ProxyReport> {
    let mut report = ProxyReport { version: String::new(), gauges: None };
    for segment in segments.iter().rev() {
        match scan(&segment.path(dir), &mut report) {
            Ok(()) => {}
            // Removed meanwhile, as the oldest ones are.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if report.gauges.is_some() {
            break;
        }
    }
    Ok(report)
}

fn scan(path: &Path, report: &mut ProxyReport) -> io::Result<()> {
    let mut reader = LineReader::open(path, ByteOffset(0))?;
    loop {
        match reader.read_line()? {
            ReadLine::Line(line, _) if is_entry(line) => {}
            ReadLine::Line(line, _) => take_in(line, report),
            ReadLine::Giant(_) => {}
            ReadLine::End { .. } => return Ok(()),
        }
    }
}

/// Entries are many and not wanted here: they are told by how they begin, without being decoded.
fn is_entry(line: &[u8]) -> bool {
    line.starts_with(br#"{"kind":"entry""#)
}

fn take_in(line: &[u8], report: &mut ProxyReport) {
    match Line::decode(line) {
        Ok(Line::Segment(header)) => report.version = header.proxy_version.to_string(),
        Ok(Line::Stats(stats)) => report.gauges = Some(stats.into()),
        Ok(Line::Entry(_) | Line::Gap(_)) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ccxray_shared::{
        Name,
        spool::{Writer, WriterOptions},
    };

    use super::*;
    use crate::source::tests::entry;

    fn writer(dir: &Path, stream: u64) -> Writer {
        let options = WriterOptions::new(Name::from_wire("1.2.3"), Name::from_wire("install"));
        Writer::open(dir, StreamId::from_bits(stream), options).unwrap()
    }

    #[test]
    fn the_newest_line_of_a_living_proxy_counts_and_a_dead_ones_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let (mut living_one, mut dead) = (writer(dir.path(), 1), writer(dir.path(), 2));
        for writer in [&mut living_one, &mut dead] {
            for connections in [5, 2] {
                writer.stage_stats(Stats { connections, ..Stats::default() });
                writer.stage_entry(entry(100), UnixMillis(100));
            }
            writer.commit(UnixMillis(1), Instant::now()).unwrap();
        }
        drop(dead);
        let found = living(dir.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].version, "1.2.3");
        assert_eq!(found[0].gauges.as_ref().unwrap().connections, 2);
    }

    #[test]
    fn a_proxy_that_has_not_told_anything_is_there_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path(), 1);
        writer.stage_entry(entry(100), UnixMillis(100));
        writer.commit(UnixMillis(1), Instant::now()).unwrap();
        let found = living(dir.path()).unwrap();
        assert_eq!(found, [ProxyReport { version: "1.2.3".into(), gauges: None }]);
    }
}
