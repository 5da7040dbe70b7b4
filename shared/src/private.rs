//! Directories and files that only their owner may see.
//!
//! What lies in the spool tells when its user worked and with what: a directory that somebody else could read,
//! write or redirect is refused rather than used.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// Why a directory is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateDirError {
    /// It could not be made or looked at.
    #[error("failed to open directory `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A symlink could be turned to another place.
    #[error("`{path}` is a symlink or not a directory; remove it, or name another with --state-dir")]
    NotADirectory {
        /// Which.
        path: PathBuf,
    },
    /// Somebody else's.
    #[error("directory `{path}` belongs to uid {owner}, not to uid {us}; name another with --state-dir")]
    ForeignOwner {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Others could put files into it.
    #[error("directory `{path}` can be written by others (mode {mode:o}); run `chmod go-w {path}`")]
    WritableByOthers {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// Makes `path` (mode 0700, with its parents) if it is not there, and checks that it is a directory of our own
/// that nobody else can write.
pub fn ensure_dir(path: &Path) -> Result<(), PrivateDirError> {
    let io = |source| PrivateDirError::Io { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(path).or_else(|error| {
        // A dangling symlink: say so below.
        if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(io(error)) }
    })?;
    check_dir(path)
}

/// Checks that `path` is a directory of our own that nobody else can write.
pub fn check_dir(path: &Path) -> Result<(), PrivateDirError> {
    let metadata =
        fs::symlink_metadata(path).map_err(|source| PrivateDirError::Io { path: path.to_owned(), source })?;
    let us = rustix::process::geteuid().as_raw();
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_dir() {
        return Err(PrivateDirError::NotADirectory { path: path.to_owned() });
    }
    if metadata.uid() != us {
        return Err(PrivateDirError::ForeignOwner { path: path.to_owned(), owner: metadata.uid(), us });
    }
    if mode & 0o022 != 0 {
        return Err(PrivateDirError::WritableByOthers { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Options that open a file 0600, never through a symlink, closed when another program is started.
pub fn file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed());
    options
}

/// Makes what has been created, renamed or removed in `dir` durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
