//! What is in a spool directory.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use crate::{UnixMillis, segment::SegmentId};

/// A segment as the directory lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Which.
    pub id: SegmentId,
    /// How many bytes it holds now.
    pub len: u64,
    /// When it was last written.
    pub modified: UnixMillis,
}

impl SegmentFile {
    /// Where it lies in the spool directory `dir`.
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.id.to_string())
    }
}

/// The segments in `dir`, by stream and then by sequence. Other files, symlinks and whatever vanishes
/// meanwhile are passed over; a directory that is not there has none.
pub fn list(dir: &Path) -> io::Result<Vec<SegmentFile>> {
    let mut segments = Vec::new();
    for file in files(dir)? {
        let (name, metadata) = file?;
        if let Ok(id) = name.parse() {
            let modified = UnixMillis::from_system(metadata.modified()?);
            segments.push(SegmentFile { id, len: metadata.len(), modified });
        }
    }
    segments.sort_by_key(|segment| segment.id);
    Ok(segments)
}

/// The regular files in `dir` with names in UTF-8.
pub(super) fn files(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<(String, Metadata)>>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(entries.into_iter().flatten().filter_map(|entry| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error)),
        };
        let name = entry.file_name().into_string().ok()?;
        match entry.metadata() {
            Ok(metadata) => metadata.is_file().then_some(Ok((name, metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(Err(error)),
        }
    }))
}
