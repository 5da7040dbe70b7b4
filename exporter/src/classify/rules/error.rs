//! Rules that cannot be used.

use super::FormError;

/// A file of rules that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{error}")]
pub struct RulesError {
    /// The file's name.
    pub file: &'static str,
    /// What is wrong with it, and where.
    pub error: FormError,
}
