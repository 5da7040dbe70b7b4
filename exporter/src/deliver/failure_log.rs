//! `otel.log`: what went wrong on the way to the destinations, for people.
//!
//! One line per failed attempt and per change of state: time, destination, what it was, how many snapshots wait.
//! Neither headers nor replies, and an endpoint without its query. At 1 MiB the file is rotated, five old ones are
//! kept.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ccxray_shared::UnixMillis;

use super::health::State;
use crate::rotating::{LARGEST, RotatingFile};

/// The file's name in the exporter's state directory.
pub const FILE_NAME: &str = "otel.log";

/// The log could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to open the failure log `{path}`")]
pub struct OpenLogError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A handle on the log; all clones write to the same file.
#[derive(Clone, Debug)]
pub struct FailureLog(Arc<Mutex<RotatingFile>>);

/// What a line is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The endpoint, masked.
    pub destination: &'a dyn fmt::Display,
    /// Snapshots that wait, the one in hand included.
    pub waiting: usize,
}

impl FailureLog {
    /// Opens `otel.log` in `dir`, which is there.
    pub fn open(dir: &Path) -> Result<Self, OpenLogError> {
        let path = dir.join(FILE_NAME);
        let opened = RotatingFile::open(path.clone(), LARGEST);
        let file = opened.map_err(|source| OpenLogError { path, source })?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Notes a failed attempt.
    pub fn attempt(&self, now: UnixMillis, subject: Subject<'_>, class: &str, detail: &impl fmt::Display) {
        self.line(now, subject, format_args!("attempt {class} ({detail})"));
    }

    /// Notes a change of state.
    pub fn transition(&self, now: UnixMillis, subject: Subject<'_>, from: State, to: State) {
        self.line(now, subject, format_args!("state {} -> {}", from.as_str(), to.as_str()));
    }

    fn line(&self, now: UnixMillis, subject: Subject<'_>, what: fmt::Arguments<'_>) {
        let Subject { destination, waiting } = subject;
        let line = format!("{now} {destination} {what} queue={waiting}\n");
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write(line.as_bytes()) {
            tracing::warn!(path = %file.path().display(), %error, "failed to write the failure log");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SUBJECT: Subject<'static> = Subject { destination: &"https://a.example/v1/metrics", waiting: 3 };

    #[test]
    fn a_line_tells_when_where_what_and_how_many_wait() {
        let dir = tempfile::tempdir().unwrap();
        let log = FailureLog::open(dir.path()).unwrap();
        log.attempt(UnixMillis(784_111_777_042), SUBJECT, "retryable", &"status 503");
        log.clone().transition(UnixMillis(784_111_777_043), SUBJECT, State::Degraded, State::CircuitOpen);
        assert_eq!(
            fs::read_to_string(dir.path().join("otel.log")).unwrap(),
            "1994-11-06T08:49:37.042Z https://a.example/v1/metrics attempt retryable (status 503) queue=3\n\
             1994-11-06T08:49:37.043Z https://a.example/v1/metrics state degraded -> circuit_open queue=3\n"
        );
    }
}
