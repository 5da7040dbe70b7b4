//! How old the rules are by which entries are given their meaning.

use ccxray_shared::UnixMillis;
use serde::Serialize;

use crate::classify::{Rules, rules::FileFacts};

/// Clients change faster than this: older rules are worth a second look.
const A_QUARTER_IN_DAYS: u64 = 92;

/// A file of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RulesFile {
    /// What it says of itself.
    #[serde(flatten)]
    pub facts: FileFacts,
    /// How many days ago the client was looked at that has not been looked at for longest.
    pub age_days: u64,
}

impl RulesFile {
    /// Those of the exporter that runs or ran; of this process, if none has told.
    pub(super) fn in_use(told: Vec<FileFacts>, now: UnixMillis) -> Vec<Self> {
        if told.is_empty() {
            Self::here(now)
        } else {
            told.into_iter().map(|facts| Self::of(facts, now)).collect()
        }
    }

    /// Those of this process.
    pub(crate) fn here(now: UnixMillis) -> Vec<Self> {
        Rules::current().files().iter().map(|facts| Self::of(facts.clone(), now)).collect()
    }

    fn of(facts: FileFacts, now: UnixMillis) -> Self {
        Self { age_days: facts.age_days(now), facts }
    }

    /// Whether the clients may have changed since.
    pub(crate) fn is_old(&self) -> bool {
        self.age_days > A_QUARTER_IN_DAYS
    }
}
