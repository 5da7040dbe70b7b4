//! Who writes a stream, and whether it still lives.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use crate::{private, segment::StreamId};

/// Held by the one writer of a stream; given back by the kernel however the writer ends.
#[derive(Debug)]
pub struct StreamLock {
    path: PathBuf,
    _file: File,
}

impl StreamLock {
    /// Takes the lock of a stream that nobody else has.
    pub fn acquire(dir: &Path, stream: StreamId) -> io::Result<Self> {
        let path = dir.join(stream.lock_name());
        let file = private::file_options().write(true).create_new(true).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for StreamLock {
    /// A stream without a lock file is as finished as one whose lock nobody holds.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the stream's writer lives, so that more may be appended to its newest segment.
///
/// Look here *before* the last read of a stream: what a writer appended before it ended is then seen.
pub fn is_alive(dir: &Path, stream: StreamId) -> io::Result<bool> {
    is_held(&dir.join(stream.lock_name()))
}

pub(super) fn is_held(path: &Path) -> io::Result<bool> {
    let file = match private::file_options().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_lives_as_long_as_its_lock_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let stream = StreamId::from_bits(1);
        assert!(!is_alive(dir.path(), stream).unwrap());
        let lock = StreamLock::acquire(dir.path(), stream).unwrap();
        assert!(is_alive(dir.path(), stream).unwrap());
        drop(lock);
        assert!(!is_alive(dir.path(), stream).unwrap());
    }

    #[test]
    fn a_lock_file_left_by_a_killed_writer_is_not_a_living_one() {
        let dir = tempfile::tempdir().unwrap();
        let stream = StreamId::from_bits(2);
        std::fs::write(dir.path().join(stream.lock_name()), b"").unwrap();
        assert!(!is_alive(dir.path(), stream).unwrap());
    }
}
