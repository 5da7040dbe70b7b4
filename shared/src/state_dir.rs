//! Where the daemons keep what they must remember.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The state directory of one user, or of one service.
///
/// ```text
/// <state dir>/key            the secret of the keyed hashes (key.rs)
/// <state dir>/spool/         segments and locks (spool/)
/// <state dir>/exporter/      what the exporter remembers; the proxy never looks there
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

/// No home directory, so no default place.
#[derive(Debug, thiserror::Error)]
#[error("no home directory to keep state in; name one with --state-dir or CCXRAY_STATE_DIR")]
pub struct NoHomeError;

impl StateDir {
    /// `given`, or the platform's directory for this user's state.
    pub fn resolve(given: Option<PathBuf>) -> Result<Self, NoHomeError> {
        if let Some(path) = given {
            return Ok(Self(path));
        }
        let dirs = ProjectDirs::from("", "", "ccxray").ok_or(NoHomeError)?;
        Ok(Self(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned()))
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the key lies.
    pub fn key(&self) -> PathBuf {
        self.0.join("key")
    }

    /// Where the segments lie.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Where the exporter keeps its own.
    pub fn exporter(&self) -> PathBuf {
        self.0.join("exporter")
    }
}
