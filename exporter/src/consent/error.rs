//! Why the exporter does not start, as far as consent is concerned.

use std::path::PathBuf;

use ccxray_shared::json::FileProblems;

use super::{place::Refused, trust::TrustError};
use crate::deliver::destination::DestinationError;

/// Why the user's own configuration is no good. Nothing is sent until it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The user's own file has mistakes.
    #[error("{0}")]
    Problems(FileProblems),
    /// The user's own file is not read.
    #[error("`{path}` is not read: {why}")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        why: Refused,
    },
    /// There are two of them.
    #[error("there are `{first}` and `{second}`; keep one of them")]
    Two {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// What is trusted is not known.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The environment's destination, which would be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
}
