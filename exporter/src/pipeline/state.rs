//! A pipeline as the checkpoint keeps it.

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

pub use super::gauges::{SavedCacheUse, SavedGauge};
use super::{Pipeline, gauges::Gauges, identity::Identity, withheld::Withheld};
use crate::measure::{
    Series,
    admission::{Admissions, Admitted},
    sessions::Sessions,
    totals::{Row, Totals},
};

/// Everything that a pipeline must remember. It is complete only right after a drain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineState {
    /// Who it is.
    pub identity: Identity,
    /// When it was enabled.
    pub since: UnixMillis,
    /// What it may not send.
    pub withheld: Withheld,
    /// How many of its entries may not be sent anywhere.
    #[serde(default)]
    pub opted_out: u64,
    /// The time of its last snapshot.
    pub last_cut: UnixMillis,
    /// Zeros offered up to this cut may or may not have arrived.
    #[serde(default)]
    pub uncertain_until: UnixMillis,
    /// Its series.
    pub rows: Vec<SavedRow>,
    /// The values that have a place.
    pub admitted: Vec<Admitted>,
    /// The sessions seen, as one text.
    pub sessions: String,
    /// The cache use of the open window.
    pub cache_use: Vec<SavedCacheUse>,
    /// What exchanges of the open window have stated of gauges.
    #[serde(default)]
    pub gauges: Vec<SavedGauge>,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRow {
    /// Which.
    pub series: Series,
    /// Its sum.
    pub row: Row,
}

impl Pipeline {
    /// What must be remembered. To be called right after [`drain`](Self::drain).
    pub fn to_state(&self) -> PipelineState {
        let rows =
            self.totals.iter().map(|(series, row)| SavedRow { series: series.clone(), row: row.clone() });
        let (cache_use, gauges) = self.gauges.save();
        PipelineState {
            identity: self.identity.clone(),
            since: self.since,
            withheld: self.withheld.clone(),
            opted_out: self.opted_out,
            last_cut: self.last_cut,
            uncertain_until: self.uncertain_until,
            rows: rows.collect(),
            admitted: self.admissions.to_list(),
            sessions: self.sessions.to_text(),
            cache_use,
            gauges,
        }
    }

    /// The pipeline as it was remembered. A process that takes it over has to say so with
    /// [`taken_over`](Self::taken_over).
    pub fn from_state(state: PipelineState) -> Self {
        let mut pipeline = Self::new(state.identity, state.since);
        pipeline.withheld = state.withheld;
        pipeline.opted_out = state.opted_out;
        pipeline.last_cut = state.last_cut;
        pipeline.uncertain_until = state.uncertain_until;
        pipeline.totals = Totals::from_rows(state.rows.into_iter().map(|saved| (saved.series, saved.row)));
        pipeline.admissions = Admissions::from_list(state.admitted);
        pipeline.sessions = Sessions::from_text(&state.sessions);
        pipeline.gauges = Gauges::restore(state.cache_use, state.gauges);
        pipeline
    }
}
