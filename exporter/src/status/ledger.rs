//! The export ledger in the status.

use std::path::Path;

use ccxray_shared::{UnixMillis, daemon::log::with_causes};
use serde::Serialize;

use crate::ledger::{self, Damage, Ledger, Mark, Span, Why};

/// What the export ledger says, and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerReport {
    /// What is wrong with its file, if anything is. The exporter will replace it; whatever may have been sent is
    /// uncertain.
    pub damage: Option<Damage>,
    /// Why it could not be written or read, if it could not.
    pub problem: Option<String>,
    /// What was recorded and not exported.
    pub withheld: Vec<WithheldRange>,
    /// Of what nobody can tell whether it was sent.
    pub uncertain: Vec<UncertainRange>,
}

/// Exchanges that one destination does not get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct WithheldRange {
    /// They ended later than this …
    pub from: UnixMillis,
    /// … and earlier than this.
    pub until: UnixMillis,
    /// Which destination, masked.
    pub destination: String,
    /// At which tier.
    pub tier: u8,
    /// Why.
    pub why: Why,
}

/// Exchanges of which nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UncertainRange {
    /// They had been recorded by then.
    pub until: UnixMillis,
    /// Why.
    pub why: Lost,
}

/// Why nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The ledger was lost or damaged.
    Records,
    /// They left the spool long ago, and what was known of them was let go.
    Forgotten,
}

impl LedgerReport {
    /// The ledger in `dir`, of which the checkpoint knows `mark`.
    pub(super) fn of(dir: &Path, mark: Mark) -> Self {
        match ledger::peek(dir, mark.last) {
            Ok(ledger) => Self { problem: mark.problem, ..Self::of_ledger(&ledger) },
            Err(error) => Self { problem: Some(with_causes(&error)), ..Self::default() },
        }
    }

    fn of_ledger(ledger: &Ledger) -> Self {
        let mut withheld: Vec<WithheldRange> = ledger.spans().flat_map(withheld).collect();
        withheld.sort();
        withheld.dedup();
        let lost = ledger.losses().iter().map(|loss| UncertainRange { until: loss.at, why: Lost::Records });
        let forgotten = ledger.forgotten_until();
        let forgotten = forgotten.map(|until| UncertainRange { until, why: Lost::Forgotten });
        let uncertain = forgotten.into_iter().chain(lost).collect();
        Self { damage: ledger.damage(), problem: None, withheld, uncertain }
    }

    /// Whether somebody should look at it.
    pub(super) fn needs_attention(&self) -> bool {
        self.damage.is_some() || self.problem.is_some()
    }
}

fn withheld(span: &Span) -> impl Iterator<Item = WithheldRange> {
    span.withheld().iter().map(|withheld| WithheldRange {
        from: withheld.from,
        until: withheld.until,
        destination: span.begun().destination.clone(),
        tier: span.begun().tier,
        why: withheld.why,
    })
}
