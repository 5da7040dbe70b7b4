//! `otel.log`: what went wrong on the way to the destinations, for people.
//!
//! One line per failed attempt and per change of state: time, destination, what it was, how many snapshots wait.
//! Neither headers nor replies, and an endpoint without its query. At 1 MiB the file is rotated, five old ones are
//! kept. Nothing is synced: the log is a help, not a record.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ccxray_shared::{UnixMillis, private};

use super::health::State;

/// The file's name in the exporter's state directory.
pub const FILE_NAME: &str = "otel.log";

const LARGEST: u64 = 1 << 20;
const KEPT: u32 = 5;

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
pub struct FailureLog(Arc<Mutex<Rotating>>);

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
        Self::open_with(dir, LARGEST)
    }

    fn open_with(dir: &Path, largest: u64) -> Result<Self, OpenLogError> {
        let path = dir.join(FILE_NAME);
        let opened = Rotating::open(path.clone(), largest);
        let rotating = opened.map_err(|source| OpenLogError { path, source })?;
        Ok(Self(Arc::new(Mutex::new(rotating))))
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
        let mut rotating = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = rotating.write(line.as_bytes()) {
            tracing::warn!(path = %rotating.path.display(), %error, "failed to write the failure log");
        }
    }
}

#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    largest: u64,
}

impl Rotating {
    fn open(path: PathBuf, largest: u64) -> io::Result<Self> {
        let file = private::file_options().append(true).create(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, largest })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.largest {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }

    /// `otel.log.4` becomes `otel.log.5`, and so on down to `otel.log`.
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            rename_if_there(&self.numbered(number), &self.numbered(number + 1))?;
        }
        rename_if_there(&self.path, &self.numbered(1))?;
        *self = Self::open(self.path.clone(), self.largest)?;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_file_name(format!("{FILE_NAME}.{number}"))
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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

    #[test]
    fn the_log_is_the_users_own_and_rotates_with_five_old_files() {
        let dir = tempfile::tempdir().unwrap();
        let log = FailureLog::open_with(dir.path(), 100).unwrap();
        for number in 0..9 {
            log.attempt(UnixMillis(0), SUBJECT, "retryable", &format!("status {number}"));
        }
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let numbered: Vec<_> = (1..=5).map(|number| format!("otel.log.{number}")).collect();
        assert_eq!(names, [vec!["otel.log".to_owned()], numbered].concat());
        assert!(fs::read_to_string(dir.path().join("otel.log")).unwrap().contains("status 8"));
        assert!(fs::read_to_string(dir.path().join("otel.log.5")).unwrap().contains("status 3"));
        let mode = fs::metadata(dir.path().join("otel.log")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_second_start_goes_on_in_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            FailureLog::open(dir.path()).unwrap().attempt(UnixMillis(0), SUBJECT, "refused", &"status 401");
        }
        assert_eq!(fs::read_to_string(dir.path().join("otel.log")).unwrap().lines().count(), 2);
    }
}
