//! One destination in the status.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use ccxray_shared::UnixMillis;
use serde::Serialize;

use crate::{
    checkpoint::SavedPipeline,
    deliver::{
        HealthRecord,
        health::State,
        history::Transition,
        tally::{Counts, Tally},
    },
    measure::{Key, Metric},
    pipeline::{Pipeline, withheld::Absence},
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// One destination, as the checkpoint knows it.
#[derive(Debug, Serialize)]
pub struct DestinationReport {
    /// Where to, without secrets: of a query only that there is one.
    pub endpoint: String,
    /// With which consent.
    pub tier: u8,
    /// The files that say so; empty if the command line and the environment alone do.
    pub files: BTreeSet<PathBuf>,
    /// The user's attributes of its resource; what came from a variable is masked.
    pub attributes: BTreeMap<String, String>,
    /// When the person agreed to be named; null below tier 2.
    pub acknowledged_at: Option<String>,
    /// The length of its windows in milliseconds; null if an early build wrote the checkpoint.
    pub interval_ms: Option<u64>,
    /// Whether exchanges that no file covers go there.
    pub is_server: bool,
    /// Whether agents whose own telemetry is on have had exchanges in it.
    pub complement_mode: bool,
    /// What the person should know of its consent.
    pub notices: BTreeSet<String>,
    /// How it is doing, with the cooldown and the time of the next attempt.
    pub health: HealthRecord,
    /// The last three changes of its state, oldest first.
    pub transitions: Vec<Transition>,
    /// What became of snapshots in the last hour, in whole pieces of ten minutes.
    pub last_hour: Counts,
    /// The same for the last 24 hours.
    pub last_day: Counts,
    /// The time of the last snapshot.
    pub last_cut: UnixMillis,
    /// How many series it has.
    pub series: usize,
    /// How full the budgets are; those of which nothing is used are left out.
    pub budgets: Vec<Budget>,
    /// Entries that are withheld because they ended while the exporter was away.
    pub withheld: Vec<Absence>,
}

/// One budget.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Budget {
    /// Of which attribute.
    pub attribute: Key,
    /// Of which metric.
    pub metric: Metric,
    /// Values that have a place.
    pub used: usize,
    /// Places.
    pub budget: usize,
}

impl DestinationReport {
    /// The report on `saved` at `now`; `None` for the pipeline of the local page.
    pub(super) fn of(saved: SavedPipeline, now: UnixMillis) -> Option<Self> {
        let SavedPipeline { state, health, history, agreed, is_complement, window_start: _ } = saved;
        let named = state.identity.key.destination.clone()?;
        let (tier, series, last_cut) = (state.identity.key.tier, state.rows.len(), state.last_cut);
        let (early, interval_ms) = (agreed.is_none(), agreed.as_ref().map(|agreed| agreed.interval_ms));
        let agreed = agreed.unwrap_or_default();
        let mut pipeline = Pipeline::from_state(state);
        let budgets_of = agreed.budgets.iter().map(|&(metric, key, budget)| ((metric, key), budget));
        pipeline.set_budgets(budgets_of.collect());
        let over = |span| Tally::over(&history.tally, span, now);
        Some(Self {
            endpoint: if early { named } else { agreed.endpoint },
            tier,
            files: agreed.files,
            attributes: agreed.attributes,
            acknowledged_at: agreed.acknowledged_at,
            interval_ms,
            is_server: agreed.is_server || early,
            complement_mode: is_complement,
            notices: agreed.notices,
            health: health.unwrap_or_default(),
            last_hour: over(HOUR),
            last_day: over(DAY),
            transitions: history.transitions,
            last_cut,
            series,
            budgets: budgets(&pipeline),
            withheld: pipeline.withheld().iter().cloned().collect(),
        })
    }

    /// Whether somebody should look at it.
    pub(super) fn needs_attention(&self) -> bool {
        match self.health.state {
            State::Active | State::Disabled => false,
            State::Degraded | State::CircuitOpen | State::HalfOpen => true,
        }
    }

    /// Of each attribute the budget that is fullest.
    pub(super) fn fullest_budgets(&self) -> Vec<&Budget> {
        let mut fullest: Vec<&Budget> = Vec::new();
        for budget in &self.budgets {
            match fullest.iter_mut().find(|other| other.attribute == budget.attribute) {
                Some(other) if budget.used * other.budget > other.used * budget.budget => *other = budget,
                Some(_) => {}
                None => fullest.push(budget),
            }
        }
        fullest
    }
}

fn budgets(pipeline: &Pipeline) -> Vec<Budget> {
    let usage = pipeline.admissions().usage();
    let mut budgets: Vec<Budget> =
        usage.map(|(metric, attribute, used, budget)| Budget { attribute, metric, used, budget }).collect();
    budgets.sort();
    budgets
}
