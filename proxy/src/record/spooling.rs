//! The recorder's hold on the spool: opens it, keeps trying when it cannot, and never lets the disk's troubles
//! out.

use std::{
    error::Error,
    io,
    time::{Duration, Instant},
};

use ccxray_shared::{
    Entry, Name, UnixMillis,
    daemon::log::with_causes,
    key::{Key, OpenKeyError},
    line::Stats,
    private::{self, PrivateDirError},
    segment::StreamId,
    spool::{
        Fsync, Writer, WriterOptions,
        retention::{self, Caps},
        writer::{CommitError, OpenWriterError},
    },
    state_dir::StateDir,
};
use tracing::{info, warn};

/// How long after a failure the spool is opened again.
const RETRY: Duration = Duration::from_secs(5);
/// The same trouble is told once in this time.
const WARN_EVERY: Duration = Duration::from_mins(1);
/// The bounds on the disk are enforced this often, and after each segment's worth of lines.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// A segment is no longer than this part of all that may be there, so that there is something to remove.
const SEGMENTS_PER_SPOOL: u64 = 4;
/// And not shorter than this.
const MIN_SEGMENT: u64 = 64 * 1024;

/// The place and the policies of the spool.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) state_dir: StateDir,
    pub(super) fsync: Fsync,
    pub(super) caps: Caps,
}

/// No spool can be written.
#[derive(Debug, thiserror::Error)]
enum OpenSpoolError {
    #[error(transparent)]
    StateDir(#[from] PrivateDirError),
    #[error(transparent)]
    Key(#[from] OpenKeyError),
    #[error("failed to get random bits for the stream's id")]
    Random(#[source] io::Error),
    #[error(transparent)]
    Writer(#[from] OpenWriterError),
}

/// The spool, or the wait for it.
#[derive(Debug)]
pub(super) struct Spooling {
    place: Place,
    state: State,
    /// Losses of each reason that no gap has told of yet.
    untold: Vec<(&'static str, u64)>,
    max_segment: u64,
    since_sweep: u64,
    sweep_due: Instant,
    warned: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Open(Box<Writer>),
    Closed { retry_at: Instant },
}

impl Spooling {
    pub(super) fn new(place: Place, at: Instant) -> Self {
        let max_segment = (place.caps.max_size / SEGMENTS_PER_SPOOL).clamp(MIN_SEGMENT, 16 << 20);
        Self {
            place,
            state: State::Closed { retry_at: at },
            untold: Vec::new(),
            max_segment,
            since_sweep: 0,
            sweep_due: at,
            warned: None,
        }
    }

    /// Stages an entry; without a spool it is lost, and counted.
    pub(super) fn stage(&mut self, entry: Entry<'_>, now: UnixMillis) {
        match &mut self.state {
            State::Open(writer) => writer.stage_entry(entry, now),
            State::Closed { .. } => self.lose(1, "write_failed"),
        }
    }

    /// Stages the gauges; without a spool the next ones will do.
    pub(super) fn stage_stats(&mut self, stats: Stats) {
        if let State::Open(writer) = &mut self.state {
            writer.stage_stats(stats);
        }
    }

    /// Counts entries that never came to be.
    pub(super) fn lose(&mut self, lost: u64, reason: &'static str) {
        if lost == 0 {
            return;
        }
        match self.untold.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += lost,
            None => self.untold.push((reason, lost)),
        }
    }

    /// Bytes that wait for the next commit.
    pub(super) fn staged_len(&self) -> usize {
        match &self.state {
            State::Open(writer) => writer.staged_len(),
            State::Closed { .. } => 0,
        }
    }

    /// Writes what is staged.
    pub(super) fn commit(&mut self, now: UnixMillis, at: Instant) {
        let State::Open(writer) = &mut self.state else { return };
        for &(reason, lost) in &self.untold {
            writer.stage_loss(lost, Name::from_wire(reason), now);
        }
        let staged = writer.staged_len() as u64;
        match writer.commit(now, at) {
            Ok(()) => {
                self.untold.clear();
                self.since_sweep += staged;
            }
            Err(error) => self.failed(&error, at),
        }
    }

    /// What is due: opening, fsync, the bounds on the disk.
    pub(super) fn tick(&mut self, now: UnixMillis, at: Instant) -> Option<Key> {
        let opened = match self.state {
            State::Closed { retry_at } if retry_at <= at => self.open(at),
            State::Closed { .. } | State::Open(_) => None,
        };
        let State::Open(writer) = &mut self.state else { return opened };
        if let Err(error) = writer.sync_if_due(at) {
            self.warn(at, "failed to make the spool durable", &error);
        }
        if self.sweep_due <= at || self.since_sweep >= self.max_segment {
            self.sweep(now, at);
        }
        opened
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(super) fn due(&self) -> Instant {
        match &self.state {
            State::Open(writer) => writer.sync_due().map_or(self.sweep_due, |due| due.min(self.sweep_due)),
            State::Closed { retry_at } => *retry_at,
        }
    }

    /// Makes what was written durable, whatever the policy.
    pub(super) fn sync(&mut self, at: Instant) {
        let State::Open(writer) = &mut self.state else { return };
        if let Err(error) = writer.sync() {
            self.warn(at, "failed to make the spool durable", &error);
        }
    }

    fn open(&mut self, at: Instant) -> Option<Key> {
        match open(&self.place, self.max_segment) {
            Ok((writer, key)) => {
                info!(dir = %self.place.state_dir.spool().display(), stream = %writer.stream(), "recording");
                self.state = State::Open(Box::new(writer));
                Some(key)
            }
            Err(error) => {
                self.state = State::Closed { retry_at: at + RETRY };
                self.warn(at, "forwarding without recording", &error);
                None
            }
        }
    }

    fn failed(&mut self, error: &CommitError, at: Instant) {
        // The writer counts its own losses until a gap has told of them. A writer whose directory has gone is
        // given up, and its losses with it, unless we take them over.
        if error.source.kind() == io::ErrorKind::NotFound {
            self.lose(error.lost, "write_failed");
            self.state = State::Closed { retry_at: at };
        } else {
            self.untold.clear();
        }
        self.warn(at, "entries lost", error);
    }

    fn sweep(&mut self, now: UnixMillis, at: Instant) {
        self.since_sweep = 0;
        self.sweep_due = at + SWEEP_EVERY;
        match retention::enforce(&self.place.state_dir.spool(), self.place.caps, now) {
            Ok(removed) if removed.is_empty() => {}
            Ok(removed) => {
                info!(segments = removed.len(), "removed the oldest segments to keep within bounds");
            }
            Err(error) => self.warn(at, "failed to bound the spool", &error),
        }
    }

    fn warn(&mut self, at: Instant, what: &str, error: &(dyn Error + 'static)) {
        if self.warned.is_none_or(|last| at.saturating_duration_since(last) >= WARN_EVERY) {
            self.warned = Some(at);
            warn!(error = %with_causes(error), "{what}");
        }
    }
}

fn open(place: &Place, max_segment: u64) -> Result<(Writer, Key), OpenSpoolError> {
    private::ensure_dir(place.state_dir.path())?;
    let key = Key::open_or_create(&place.state_dir.key())?;
    let mut bits = [0; 8];
    getrandom::fill(&mut bits).map_err(|error| OpenSpoolError::Random(error.into()))?;
    let options = WriterOptions {
        fsync: place.fsync,
        max_segment,
        ..WriterOptions::new(Name::from_wire(env!("CARGO_PKG_VERSION")), key.install_id())
    };
    let stream = StreamId::from_bits(u64::from_ne_bytes(bits));
    Ok((Writer::open(&place.state_dir.spool(), stream, options)?, key))
}
