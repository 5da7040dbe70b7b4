//! How much disk the spool may take.
//!
//! The proxy enforces this whether or not an exporter ever runs: somebody who never opts in must not lose a
//! disk to a spool.

use std::{collections::HashSet, fs, io, path::Path, time::Duration};

use super::{
    layout::{self, SegmentFile},
    lock,
};
use crate::{UnixMillis, segment::LOCK_SUFFIX};

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// The most bytes that all segments may take together.
    pub max_size: u64,
    /// How long after its last write a segment may stay.
    pub max_age: Duration,
}

impl Default for Caps {
    /// 1 GiB and 30 days.
    fn default() -> Self {
        Self { max_size: 1 << 30, max_age: Duration::from_hours(30 * 24) }
    }
}

/// Removes closed segments, the oldest first, until the spool keeps within `caps`, and locks that nobody holds
/// and that guard nothing. Says which segments went. A living stream's newest segment always stays.
pub fn enforce(dir: &Path, caps: Caps, now: UnixMillis) -> io::Result<Vec<SegmentFile>> {
    let segments = layout::list(dir)?;
    let mut total: u64 = segments.iter().map(|segment| segment.len).sum();
    let mut closed = closed(dir, &segments)?;
    closed.sort_by_key(|segment| (segment.modified, segment.id));
    let mut removed = Vec::new();
    for segment in closed {
        if total <= caps.max_size && now.since(segment.modified) <= caps.max_age {
            continue;
        }
        remove(&segment.path(dir))?;
        total -= segment.len;
        removed.push(segment.clone());
    }
    remove_stale_locks(dir)?;
    Ok(removed)
}

fn closed<'a>(dir: &Path, segments: &'a [SegmentFile]) -> io::Result<Vec<&'a SegmentFile>> {
    let mut closed = Vec::new();
    for (i, segment) in segments.iter().enumerate() {
        let has_later = segments.get(i + 1).is_some_and(|next| next.id.stream == segment.id.stream);
        if has_later || !lock::is_alive(dir, segment.id.stream)? {
            closed.push(segment);
        }
    }
    Ok(closed)
}

fn remove_stale_locks(dir: &Path) -> io::Result<()> {
    let streams: HashSet<String> =
        layout::list(dir)?.iter().map(|segment| segment.id.stream.to_string()).collect();
    for file in layout::files(dir)? {
        let (name, _) = file?;
        let Some(stream) = name.strip_suffix(LOCK_SUFFIX) else { continue };
        let path = dir.join(&name);
        if !streams.contains(stream) && is_old(&path)? && !lock::is_held(&path)? {
            remove(&path)?;
        }
    }
    Ok(())
}

/// A lock that has just been made may not be held yet.
fn is_old(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.modified()?.elapsed().unwrap_or_default() > Duration::from_mins(1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{SegmentId, Sequence, StreamId};

    fn segment(dir: &Path, stream: u64, sequence: u64, len: usize) -> SegmentId {
        let id = SegmentId { stream: StreamId::from_bits(stream), sequence: Sequence(sequence) };
        fs::write(dir.join(id.to_string()), vec![b'x'; len]).unwrap();
        id
    }

    #[test]
    fn the_oldest_closed_segments_go_first_and_a_living_tail_stays() {
        let dir = tempfile::tempdir().unwrap();
        let living = StreamId::from_bits(1);
        let _lock = lock::StreamLock::acquire(dir.path(), living).unwrap();
        let first = segment(dir.path(), 1, 0, 100);
        let second = segment(dir.path(), 1, 1, 100);
        let caps = Caps { max_size: 10, ..Caps::default() };
        let removed = enforce(dir.path(), caps, UnixMillis::now()).unwrap();
        assert_eq!(removed.iter().map(|s| s.id).collect::<Vec<_>>(), [first]);
        assert_eq!(layout::list(dir.path()).unwrap()[0].id, second);
    }

    #[test]
    fn a_dead_stream_is_removed_whole_when_it_is_too_old() {
        let dir = tempfile::tempdir().unwrap();
        segment(dir.path(), 2, 0, 5);
        let later = UnixMillis::now().after(Caps::default().max_age + Duration::from_secs(1));
        assert_eq!(enforce(dir.path(), Caps::default(), UnixMillis::now()).unwrap(), []);
        assert_eq!(enforce(dir.path(), Caps::default(), later).unwrap().len(), 1);
    }
}
