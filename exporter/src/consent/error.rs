//! Why the exporter does not start, as far as consent is concerned.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{config::Problem, place::Refused, trust::TrustError};
use crate::deliver::destination::DestinationError;

/// The mistakes in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblems {
    /// Which.
    pub path: PathBuf,
    /// What is wrong with it, in the order of the text.
    pub problems: Vec<Problem>,
}

impl FileProblems {
    /// A single mistake.
    pub fn one(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problems: vec![problem] }
    }
}

/// One line each.
impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}{}", problem.at(&self.path))?;
        }
        Ok(())
    }
}

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
