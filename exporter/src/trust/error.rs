//! Why a project is not trusted.

use std::{io, path::PathBuf};

use ccxray_shared::{
    json::{FileProblems, Problem},
    private::PrivateDirError,
    state_dir::NoHomeError,
};

use crate::consent::{place::Refused, trust::TrustError};

/// Why a project is not trusted, or still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustCommandError {
    /// No place for the list.
    #[error(transparent)]
    NoHome(#[from] NoHomeError),
    /// The list's directory is not fit.
    #[error(transparent)]
    Directory(#[from] PrivateDirError),
    /// The list.
    #[error(transparent)]
    List(#[from] TrustError),
    /// The directory cannot be looked at.
    #[error("failed to look at `{dir}`")]
    Open {
        /// Which.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It would be mounted by looking at it.
    #[error("`{0}` would be mounted by looking at it, and the exporter does not look there")]
    Automount(PathBuf),
    /// Its name cannot stand in an entry.
    #[error("`{0}` cannot be told apart in an entry; only plain names in UTF-8 can")]
    Unfit(PathBuf),
    /// The project's file is not read.
    #[error("`{path}` is not read: {why}")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        why: Refused,
    },
    /// The project's file has mistakes; it would have no effect.
    #[error("{0}")]
    Problems(FileProblems),
    /// Nothing to take back.
    #[error("`{0}` is not in the list; what lies below `trusted_roots` is trusted by your own file")]
    NotTrusted(PathBuf),
}

impl TrustCommandError {
    pub(super) fn problems(path: PathBuf, problems: Vec<Problem>) -> Self {
        Self::Problems(FileProblems { path, problems })
    }
}
