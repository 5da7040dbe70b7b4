//! What the checkpoint knows of the ledger.

use serde::{Deserialize, Serialize};

use super::{Number, Positions};
use crate::checkpoint::State;

/// How far the ledger had been written when a checkpoint was. A file that does not go as far has lost its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The number of its last line; 0 if there was none.
    pub last: Number,
    /// How far streams had been read that have left the spool since, and that not all pipelines have attempted.
    #[serde(default, skip_serializing_if = "Positions::is_empty")]
    pub gone: Positions,
    /// Why it could not be written, if it could not: then nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Mark {
    /// The mark in `state`. If something was sent, there must have been a first line, even if an early build made no
    /// ledger.
    pub fn of(state: Option<&State>) -> Self {
        let Some(state) = state else { return Self::default() };
        let was_sent = state
            .pipelines
            .iter()
            .map(|saved| &saved.state)
            .any(|pipeline| pipeline.identity.key.destination.is_some() && pipeline.last_cut.0 > 0);
        let first = Number(u64::from(was_sent));
        Self { last: state.ledger.last.max(first), ..state.ledger.clone() }
    }
}
