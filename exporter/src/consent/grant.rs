//! One destination with everything that was agreed to for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use super::tier::Tier;
use crate::{
    deliver::Destination,
    measure::{Key, Metric},
    pipeline::identity::PipelineKey,
};

/// One destination with everything that was agreed to for it: what a pipeline is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// What makes the pipeline. Its attributes are for the destination; to be seen they are in
    /// [`shown`](Self::shown).
    pub key: PipelineKey,
    /// At which tier.
    pub tier: Tier,
    /// Where to.
    pub destination: Destination,
    /// The attributes as they may be seen: what came from a variable is masked.
    pub shown: BTreeMap<String, String>,
    /// How often figures are sent, if a file says so.
    pub interval: Option<Duration>,
    /// Budgets in place of the catalogue's.
    pub budgets: BTreeMap<(Metric, Key), usize>,
    /// Resource attributes that are repeated on points.
    pub promote: Vec<String>,
    /// The files that made it; none if the environment alone did.
    pub files: BTreeSet<PathBuf>,
    /// When the person agreed to tier 2; only at that tier.
    pub acknowledged_at: Option<String>,
    /// What the person should know: a tier that was clamped, settings that have no effect.
    pub notices: BTreeSet<String>,
    /// Whether it is there only for exchanges whose stamp lowers tier 2 to 1: no pipeline is needed before one comes.
    pub is_standby: bool,
}

impl Grant {
    /// The line that the start says for it.
    pub fn summary(&self) -> String {
        format!("ccxray OTel tier: {} → {}", self.tier, self.destination.endpoint)
    }

    /// The same without a name, for exchanges that are to count at tier 1 at most.
    #[must_use]
    pub(super) fn anonymous(&self) -> Self {
        let mut grant =
            Self { tier: Tier::Anonymous, acknowledged_at: None, is_standby: true, ..self.clone() };
        grant.key.tier = Tier::Anonymous.number();
        grant.key.attributes.remove(ENDUSER);
        grant.shown.remove(ENDUSER);
        grant
    }

    /// Takes in what another project, of the same pipeline, adds.
    pub(super) fn merge(&mut self, other: Self) {
        if other.destination != self.destination {
            self.notices.insert(
                "projects of one pipeline name different headers; those of the first one are sent".to_owned(),
            );
        }
        self.files.extend(other.files);
        self.notices.extend(other.notices);
        self.is_standby &= other.is_standby;
    }
}

/// The person at tier 2.
pub(super) const ENDUSER: &str = "enduser.id";
