//! The ready file: how a script learns that a daemon is up, and where.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// What a ready file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The daemon's process id.
    pub pid: u32,
    /// Where it listens, as `ip:port` or as the path of a Unix socket.
    pub addresses: Vec<String>,
}

/// The ready file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the ready file `{path}`")]
pub struct WriteReadyError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Ready {
    /// This process, listening on `addresses`.
    pub fn here(addresses: Vec<String>) -> Self {
        Self { pid: std::process::id(), addresses }
    }

    /// Writes the file so that whoever sees it sees all of it.
    pub fn write(&self, path: &Path) -> Result<(), WriteReadyError> {
        let mut json = serde_json::to_vec(self).unwrap_or_default();
        json.push(b'\n');
        let temporary = path.with_extension(format!("{}.new", self.pid));
        fs::File::create(&temporary)
            .and_then(|mut file| file.write_all(&json))
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(|source| WriteReadyError { path: path.to_owned(), source })
    }
}
