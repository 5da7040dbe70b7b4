//! Why nothing was written.

use std::{io, path::PathBuf, process::ExitCode};

use ccxray_shared::json::FileProblems;

use crate::consent::place::Refused;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// No home directory.
    #[error("no home directory to write to; name a project with --dir")]
    NoHome,
    /// The directory cannot be looked at.
    #[error("failed to look at `{path}`")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is there is not read, so it is not overwritten either.
    #[error("`{path}` is not read: {why}")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        why: Refused,
    },
    /// Git would carry it to everybody.
    #[error(
        "git tracks `{path}`; run `git rm --cached` on it and commit that, or write to your home directory by leaving \
         --dir out"
    )]
    Tracked {
        /// Which.
        path: PathBuf,
    },
    /// The file has mistakes, or would have.
    #[error("{0}")]
    Problems(FileProblems),
    /// Nobody is there to be asked.
    #[error("there is no terminal to ask on; add {0}")]
    Say(&'static str),
    /// No such tier.
    #[error("this is no tier; say 0, 1 or 2")]
    NoTier,
    /// The person said no.
    #[error("nothing was written; tier 1 sends the same figures without your name")]
    Declined,
    /// The terminal cannot be read.
    #[error("failed to read the answer")]
    Answer(#[source] io::Error),
    /// The file cannot be written.
    #[error("failed to write `{path}`")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl InitError {
    /// 2 if something must be said on the command line, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Say(_) | Self::NoTier => ExitCode::from(2),
            Self::NoHome
            | Self::Open { .. }
            | Self::Refused { .. }
            | Self::Tracked { .. }
            | Self::Problems(_)
            | Self::Declined
            | Self::Answer(_)
            | Self::Write { .. } => ExitCode::FAILURE,
        }
    }
}
