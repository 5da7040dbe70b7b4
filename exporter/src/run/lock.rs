//! One exporter per state directory.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use ccxray_shared::private;
use rustix::fs::{FlockOperation, flock};

/// Held while the exporter lives; given back by the kernel however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The lock could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another exporter has it.
    #[error(
        "another exporter (pid {holder}) works in `{dir}`; stop it first, or give this one another --state-dir"
    )]
    Held {
        /// Where.
        dir: PathBuf,
        /// Its process id, as it wrote it down.
        holder: String,
    },
    /// The file could not be opened or locked.
    #[error("failed to lock `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A look at the lock by [`holder`] takes it for a moment: it is held only if it still is after a few tries.
const TRIES: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// Takes the lock of the exporter's directory.
pub fn acquire(dir: &Path) -> Result<Lock, LockError> {
    let path = path(dir);
    let io = |source| LockError::Io { path: path.clone(), source };
    let mut file = private::file_options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    match take(&file) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(LockError::Held { dir: dir.to_owned(), holder: pid_in(&mut file) });
        }
        Err(errno) => return Err(io(errno.into())),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
    Ok(Lock { _file: file })
}

fn take(file: &File) -> rustix::io::Result<()> {
    for _ in 1..TRIES {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => sleep(PAUSE),
            taken => return taken,
        }
    }
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// The process id of the exporter that works in `dir`, if one does.
pub fn holder(dir: &Path) -> Option<String> {
    let mut file = private::file_options().read(true).open(path(dir)).ok()?;
    let is_held = flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK);
    is_held.then(|| pid_in(&mut file))
}

fn path(dir: &Path) -> PathBuf {
    dir.join("lock")
}

fn pid_in(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    let pid = text.trim();
    if read.is_ok() && pid.bytes().all(|b| b.is_ascii_digit()) && !pid.is_empty() {
        pid.to_owned()
    } else {
        "unknown".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_only_looks_keeps_nobody_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        drop(acquire(dir.path()).unwrap());
        let looked_at = private::file_options().read(true).open(path(dir.path())).unwrap();
        flock(&looked_at, FlockOperation::NonBlockingLockShared).unwrap();
        std::thread::scope(|scope| {
            let starting = scope.spawn(|| acquire(dir.path()));
            sleep(PAUSE / 2);
            drop(looked_at);
            starting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_second_exporter_is_told_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(holder(dir.path()), None);
        let lock = acquire(dir.path()).unwrap();
        let me = std::process::id().to_string();
        assert!(matches!(acquire(dir.path()), Err(LockError::Held { holder, .. }) if holder == me));
        assert_eq!(holder(dir.path()), Some(me));
        drop(lock);
        assert_eq!(holder(dir.path()), None);
        acquire(dir.path()).unwrap();
    }
}
