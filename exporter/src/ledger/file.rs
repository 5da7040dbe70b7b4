//! The ledger's file.
//!
//! Records are appended and made durable before what they tell of happens. The exporter and a replay append under one
//! lock, a file of its own, since the ledger itself is replaced now and then: by `ledger.log.new`, made durable and
//! renamed. A file in which something is missing or wrong is replaced at once, by one that says how far the loss
//! reaches.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use ccxray_shared::{UnixMillis, private, spool::layout};
use rustix::fs::{FlockOperation, flock};

use super::{Damage, Ledger, Number, Record, line, spool_end};

/// The file's name in the exporter's state directory.
pub const FILE_NAME: &str = "ledger.log";
/// How large the file may be before it is written anew.
const LARGEST: u64 = 1 << 20;
/// Whoever else holds the lock gives it back within milliseconds; one that was stopped with it in hand is not waited
/// for.
const TRIES: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// The ledger and its file, for whoever appends.
#[derive(Debug)]
pub struct LedgerFile {
    dir: PathBuf,
    spool: PathBuf,
    ledger: Ledger,
    /// What `ledger` has been read from; nothing if it has to be read anew.
    read: Option<ReadTo>,
    /// The size at which the file is written anew.
    largest: u64,
}

/// How far which file has been read.
#[derive(Debug)]
struct ReadTo {
    file: File,
    len: u64,
}

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The file could not be read or written.
    #[error("failed to read or write the export ledger `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process keeps it.
    #[error("the export ledger is kept locked by another process (`{path}`)")]
    Locked {
        /// The lock.
        path: PathBuf,
    },
}

/// What the ledger in `dir` says, which is known to have held the line `at_least` once. Changes nothing.
pub fn peek(dir: &Path, at_least: Number) -> Result<Ledger, LedgerError> {
    let path = dir.join(FILE_NAME);
    let io = |source| LedgerError::Io { path: path.clone(), source };
    let _lock = match private::file_options().read(true).open(lock_path(dir)) {
        Ok(file) => Some(lock(file, FlockOperation::NonBlockingLockShared, dir)?),
        // Nobody has ever written here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io(error)),
    };
    let mut bytes = Vec::new();
    match private::file_options().read(true).open(&path) {
        Ok(mut file) => file.read_to_end(&mut bytes).map_err(io)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(io(error)),
    };
    Ok(Ledger::read(&bytes, at_least))
}

impl LedgerFile {
    /// The ledger in `dir`, which is known to have held the line `at_least` once, of what is sent of the spool in
    /// `spool`. Makes one if there is none.
    pub fn open(dir: &Path, spool: &Path, at_least: Number, now: UnixMillis) -> Result<Self, LedgerError> {
        Self::open_with(dir, spool, at_least, now, LARGEST)
    }

    pub(super) fn open_with(
        dir: &Path,
        spool: &Path,
        at_least: Number,
        now: UnixMillis,
        largest: u64,
    ) -> Result<Self, LedgerError> {
        let (dir, spool) = (dir.to_owned(), spool.to_owned());
        let mut file = Self { dir, spool, ledger: Ledger::default(), read: None, largest };
        let _lock = file.lock()?;
        file.catch_up(at_least, now)?;
        Ok(file)
    }

    /// What it says, as far as this process has read it.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Appends what `due` finds is due, given what the ledger says by then. Once this has returned, neither a crash nor
    /// the loss of power takes it back. After an error nothing of it counts.
    pub fn append(
        &mut self,
        now: UnixMillis,
        due: impl FnOnce(&Ledger) -> Vec<Record>,
    ) -> Result<(), LedgerError> {
        let _lock = self.lock()?;
        self.catch_up(self.ledger.last(), now)?;
        let records = due(&self.ledger);
        if records.is_empty() {
            return Ok(());
        }
        self.write(&records).map_err(|source| self.failed(source))?;
        for record in records {
            self.ledger.append(record);
        }
        Ok(())
    }

    /// Reads what another process has appended, and sees to it that the file is whole and not too large.
    fn catch_up(&mut self, at_least: Number, now: UnixMillis) -> Result<(), LedgerError> {
        let caught_up = self.read_on().and_then(|()| {
            self.ledger.expect(at_least);
            let len = self.read.as_ref().map_or(0, |read| read.len);
            let is_fit = len > 0 && len <= self.largest && self.ledger.damage().is_none();
            if is_fit { Ok(()) } else { self.rewrite(now) }
        });
        caught_up.map_err(|source| self.failed(source))
    }

    fn read_on(&mut self) -> io::Result<()> {
        let metadata = match fs::symlink_metadata(self.path()) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.read = None;
                self.ledger = Ledger::default();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let is_same = |read: &&mut ReadTo| {
            read.file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (metadata.dev(), metadata.ino()))
        };
        match self.read.as_mut().filter(is_same) {
            Some(read) if read.len == metadata.len() => Ok(()),
            Some(_) | None => self.read_anew(),
        }
    }

    fn read_anew(&mut self) -> io::Result<()> {
        let mut file = private::file_options().read(true).append(true).open(self.path())?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        self.ledger = Ledger::read(&bytes, Number::default());
        self.read = Some(ReadTo { file, len: bytes.len() as u64 });
        Ok(())
    }

    /// Appends `records`; if that fails, nothing of them stays.
    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        let bytes = encoded(self.ledger.last(), records)?;
        let Some(read) = &mut self.read else { return Err(io::ErrorKind::NotFound.into()) };
        let written = read.file.write_all(&bytes).and_then(|()| read.file.sync_data());
        if written.is_err() {
            // What cannot be taken back is found the next time, and counts as damage.
            let _ = read.file.set_len(read.len);
            return written;
        }
        read.len += bytes.len() as u64;
        Ok(())
    }

    /// Replaces the file by one that says the same, without what may be let go, and how far a loss reaches.
    fn rewrite(&mut self, now: UnixMillis) -> io::Result<()> {
        let mut ledger = self.ledger.clone();
        if ledger.damage().is_some() {
            ledger.append(Record::Uncertain(spool_end::all(&self.spool, now)?));
        }
        let present: BTreeSet<_> =
            layout::list(&self.spool)?.iter().map(|segment| segment.id.stream).collect();
        ledger.forget(&present, now);
        if self.ledger.damage() == Some(Damage::Lines) {
            self.put_aside();
        }
        let bytes = encoded(ledger.last(), &ledger.records())?;
        let new = self.path().with_extension("log.new");
        let mut file = private::file_options().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.path())?;
        private::sync_dir(&self.dir)?;
        self.read_anew()?;
        self.largest = self.largest.max(2 * bytes.len() as u64);
        Ok(())
    }

    /// Keeps the damaged file as `ledger.log.damaged`, for whoever wants to look.
    fn put_aside(&self) {
        let aside = self.path().with_extension("log.damaged");
        // The start goes on in any case.
        let _ = fs::remove_file(&aside);
        let _ = fs::hard_link(self.path(), &aside);
    }

    /// After a failure nothing is known of the file: it is read anew the next time.
    fn failed(&mut self, source: io::Error) -> LedgerError {
        self.read = None;
        LedgerError::Io { path: self.path(), source }
    }

    fn lock(&self) -> Result<File, LedgerError> {
        let path = lock_path(&self.dir);
        let file = private::file_options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|source| LedgerError::Io { path, source })?;
        lock(file, FlockOperation::NonBlockingLockExclusive, &self.dir)
    }

    fn path(&self) -> PathBuf {
        self.dir.join(FILE_NAME)
    }
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("ledger.lock")
}

/// Takes the lock that `file` is; given back when it is closed.
fn lock(file: File, operation: FlockOperation, dir: &Path) -> Result<File, LedgerError> {
    for _ in 0..TRIES {
        match flock(&file, operation) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => sleep(PAUSE),
            Err(errno) => return Err(LedgerError::Io { path: lock_path(dir), source: errno.into() }),
        }
    }
    Err(LedgerError::Locked { path: lock_path(dir) })
}

fn encoded(last: Number, records: &[Record]) -> io::Result<Vec<u8>> {
    let (mut bytes, mut number) = (Vec::new(), last);
    for record in records {
        number = number.next();
        line::encode(number, record, &mut bytes)?;
    }
    Ok(bytes)
}
