//! Why the daemon does not run.

use std::{io, process::ExitCode};

use ccxray_shared::{daemon::ready::WriteReadyError, private::PrivateDirError, state_dir::NoHomeError};

use super::{lock::LockError, own_rules::OwnRulesError};
use crate::{
    checkpoint::StoreError,
    consent::ConsentError,
    deliver::{failure_log::OpenLogError, tls::TlsError},
    local::server::BindError,
};

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No place for the state.
    #[error(transparent)]
    NoHome(#[from] NoHomeError),
    /// The state's directory is not fit.
    #[error(transparent)]
    Directory(#[from] PrivateDirError),
    /// Another exporter works there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What the user has agreed to cannot be told.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Rules or prices of the user's own.
    #[error(transparent)]
    OwnRules(#[from] OwnRulesError),
    /// What was remembered cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] StoreError),
    /// The failure log cannot be written.
    #[error(transparent)]
    FailureLog(#[from] OpenLogError),
    /// The exporter's own figures cannot be pushed.
    #[error("failed to set up the exporter's own telemetry")]
    Telemetry(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The local page has no address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Nobody would learn that it is ready.
    #[error(transparent)]
    Ready(#[from] WriteReadyError),
    /// The system refused something.
    #[error("failed to start")]
    System(#[from] io::Error),
}

impl RunError {
    /// 75 if another instance is at work, 78 if the configuration must be changed first, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Lock(LockError::Held { .. }) => ExitCode::from(75),
            Self::NoHome(_) | Self::Consent(_) | Self::Tls(_) | Self::OwnRules(_) => ExitCode::from(78),
            Self::Lock(LockError::Io { .. })
            | Self::Directory(_)
            | Self::Checkpoint(_)
            | Self::FailureLog(_)
            | Self::Telemetry(_)
            | Self::Bind(_)
            | Self::Ready(_)
            | Self::System(_) => ExitCode::FAILURE,
        }
    }
}
