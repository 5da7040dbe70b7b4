//! The drift log's file.

use std::{
    io,
    path::{Path, PathBuf},
};

use ccxray_shared::UnixMillis;

use super::{
    Sample,
    sampler::{Met, Sampler},
};
use crate::{
    classify::drift::Drift,
    rotating::{self, LARGEST, RotatingFile},
};

/// The file's name in the exporter's state directory.
pub const FILE_NAME: &str = "parser-drift.log";

/// The drift log. Whatever happens to its file, the exporter goes on.
#[derive(Debug)]
pub struct DriftLog {
    path: PathBuf,
    /// Opened when there is something to write.
    file: Option<RotatingFile>,
    sampler: Sampler,
    /// Whether the last line could not be written; said once.
    failing: bool,
}

impl DriftLog {
    /// The log in `dir`. Nothing is made there before there is something to write.
    pub fn new(dir: &Path) -> Self {
        Self { path: dir.join(FILE_NAME), file: None, sampler: Sampler::default(), failing: false }
    }

    /// Notes what an entry had that was not as expected.
    pub fn note(&mut self, drifts: &[Drift<'_>], met: &Met<'_>) {
        for drift in drifts {
            if let Some(sample) = self.sampler.note(drift, met) {
                self.write(&sample);
            }
        }
    }

    /// Writes what has waited for an hour. To be called now and then.
    pub fn write_due(&mut self, now: UnixMillis) {
        for sample in self.sampler.due(now) {
            self.write(&sample);
        }
    }

    /// Writes what has not been written yet.
    pub fn finish(&mut self, now: UnixMillis) {
        for sample in self.sampler.rest(now) {
            self.write(&sample);
        }
    }

    fn write(&mut self, sample: &Sample<'_>) {
        let written = self.try_write(sample);
        let failing = written.is_err();
        if let Err(error) = written
            && !self.failing
        {
            tracing::warn!(path = %self.path.display(), %error, "failed to write the drift log");
        }
        self.failing = failing;
    }

    fn try_write(&mut self, sample: &Sample<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(sample)?;
        line.push(b'\n');
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(RotatingFile::open(self.path.clone(), LARGEST)?),
        };
        file.write(&line)
    }
}

/// The bytes of the log in `dir`, its old files first; nothing, if there is none.
pub fn read(dir: &Path) -> io::Result<Vec<Vec<u8>>> {
    rotating::read_all(&dir.join(FILE_NAME))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ccxray_shared::entry::Provider;

    use super::*;
    use crate::classify::drift::Category;

    const DRIFT: Drift<'static> = Drift {
        category: Category::ParserError,
        provider: Provider::OpenAi,
        token: None,
        parser: Some("sse"),
        reason: Some("event_too_long"),
        count: 2,
    };

    fn met(at: u64) -> Met<'static> {
        Met { at: UnixMillis(at), now: UnixMillis(at), rules_version: 3, proxy_version: None }
    }

    #[test]
    fn a_line_is_json_and_an_end_writes_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = DriftLog::new(dir.path());
        assert_eq!(read(dir.path()).unwrap(), Vec::<Vec<u8>>::new());
        log.note(&[DRIFT], &met(1_000));
        log.note(&[DRIFT, DRIFT], &met(2_000));
        log.write_due(UnixMillis(3_000));
        let first = r#"{"time":1000,"category":"parser_error","provider":"openai","parser":"sse","reason":"event_too_long","count":2,"rules_version":3}"#;
        let text = || fs::read_to_string(dir.path().join(FILE_NAME)).unwrap();
        assert_eq!(text(), format!("{first}\n"));
        log.finish(UnixMillis(4_000));
        let second =
            first.replace(r#""time":1000"#, r#""time":2000"#).replace(r#""count":2"#, r#""count":4"#);
        assert_eq!(text(), format!("{first}\n{second}\n"));
    }

    #[test]
    fn a_log_that_cannot_be_written_is_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let later = dir.path().join("later");
        let mut log = DriftLog::new(&later);
        log.note(&[DRIFT], &met(1_000));
        fs::create_dir(&later).unwrap();
        log.note(&[DRIFT], &met(2_000));
        log.finish(UnixMillis(3_000));
        assert_eq!(read(&later).unwrap().len(), 1);
    }
}
