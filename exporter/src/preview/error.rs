//! Why there is no preview.

use std::{io, path::PathBuf, process::ExitCode};

use ccxray_shared::state_dir::NoHomeError;

use crate::{
    checkpoint::StoreError,
    consent::ConsentError,
    run::{RunError, own_rules::OwnRulesError},
};

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// An exporter could not be started like this.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The spool cannot be read.
    #[error("failed to read the spool in `{dir}`")]
    Spool {
        /// Where.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PreviewError {
    /// As of `run`: 78 if the configuration must be changed first, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Run(error) => error.exit_code(),
            Self::Spool { .. } => ExitCode::FAILURE,
        }
    }
}

impl From<NoHomeError> for PreviewError {
    fn from(error: NoHomeError) -> Self {
        Self::Run(error.into())
    }
}

impl From<ConsentError> for PreviewError {
    fn from(error: ConsentError) -> Self {
        Self::Run(error.into())
    }
}

impl From<StoreError> for PreviewError {
    fn from(error: StoreError) -> Self {
        Self::Run(error.into())
    }
}

impl From<OwnRulesError> for PreviewError {
    fn from(error: OwnRulesError) -> Self {
        Self::Run(error.into())
    }
}
