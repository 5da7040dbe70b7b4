//! Under which model an exchange counts.

use ccxray_shared::{Entry, name::MALFORMED};

/// What stands for a model that no answer confirmed.
pub const UNKNOWN: &str = "unknown";

/// The model that a successful answer names; else the one that it accepted by answering. A name that no answer
/// stands behind is whatever a client happened to send, and would let anybody make up time series.
pub fn confirmed<'e>(entry: &'e Entry<'_>) -> &'e str {
    let answered = entry.status.is_some_and(|status| (200..300).contains(&status));
    let name = answered.then(|| entry.model_served.as_deref().or(entry.model.as_deref())).flatten();
    name.filter(|&name| name != MALFORMED).unwrap_or(UNKNOWN)
}
