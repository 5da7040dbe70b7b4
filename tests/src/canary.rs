//! Secrets that must not be found: unique texts in every place that may hold something private.

use std::{fs, io, path::Path, sync::Mutex};

/// The canaries of one test.
#[derive(Debug, Default)]
pub struct Canaries(Mutex<Vec<String>>);

impl Canaries {
    /// A new one, which tells where it was put. It is a valid header value, a valid part of a query, and as
    /// text it survives JSON as it is.
    pub fn mint(&self, place: &str) -> String {
        let mut bits = [0; 8];
        getrandom::fill(&mut bits).expect("the system has randomness");
        let canary = format!("canary-{place}-{:016x}", u64::from_ne_bytes(bits));
        self.lock().push(canary.clone());
        canary
    }

    /// Those that are in `bytes`.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        self.lock().iter().filter(|canary| holds(bytes, canary.as_bytes())).cloned().collect()
    }

    /// Those that are in files below `dir` or in their names, each with the file.
    pub fn found_below(&self, dir: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).expect("the directory can be listed") {
            let path = entry.expect("the directory can be listed").path();
            // What is written beside and renamed is gone again in a moment, and under its new name it is found.
            let Some(metadata) = unless_gone(fs::symlink_metadata(&path)) else { continue };
            let kind = metadata.file_type();
            let name = path.display().to_string();
            found.extend(
                self.found_in(name.as_bytes()).into_iter().map(|canary| format!("{canary} names {name}")),
            );
            if kind.is_dir() {
                found.extend(self.found_below(&path));
            } else if kind.is_file() {
                let Some(bytes) = unless_gone(fs::read(&path)) else { continue };
                found.extend(self.found_in(&bytes).into_iter().map(|canary| format!("{canary} in {name}")));
            }
        }
        found
    }

    /// How many were minted.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

fn unless_gone<T>(looked: io::Result<T>) -> Option<T> {
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        looked => Some(looked.expect("what lies in a scratch directory can be read")),
    }
}

/// Whether `bytes` hold `needle`, whatever its case: header values may be folded.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_any_file_and_any_case() {
        let canaries = Canaries::default();
        let canary = canaries.mint("test");
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("deep")).unwrap();
        fs::write(dir.path().join("deep/file"), format!("x{}y", canary.to_uppercase())).unwrap();
        assert_eq!(canaries.found_below(dir.path()).len(), 1);
        assert!(canaries.found_in(b"nothing here").is_empty());
    }
}
