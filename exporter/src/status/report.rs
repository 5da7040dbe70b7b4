//! What `status` says, as data: the form of `status --json`.
//!
//! Times are milliseconds since 1970 in UTC. Fields may be added; what is there keeps its meaning.

use std::{io, path::PathBuf};

use ccxray_shared::{UnixMillis, spool::layout, state_dir::StateDir};
use serde::Serialize;

use super::{
    destination::DestinationReport,
    projects::{self, ProjectReport},
    proxies::{self, ProxyReport},
    rules::RulesFile,
};
use crate::{
    checkpoint::{Loaded, State, Store, StoreError, Writer},
    classify::{
        date::Date,
        price_table::{Origin, PriceTable},
    },
    run::lock,
    source::Source,
};

/// Everything that `status` says.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of the program that says it.
    pub version: String,
    /// Where the state lies.
    pub state_dir: PathBuf,
    /// The process id of the running exporter; null if none runs.
    pub pid: Option<String>,
    /// When the exporter last said that it was alive, every 30 seconds at least; null if it never ran.
    pub last_alive: Option<UnixMillis>,
    /// What is remembered of it.
    pub checkpoint: Checkpoint,
    /// What the exporter runs or ran with; null if it never ran.
    pub exporter: Option<Writer>,
    /// The prices in use; those of this program if the exporter never ran.
    pub prices: Prices,
    /// The files of rules in use, those of this program if the exporter never ran.
    pub rules: Vec<RulesFile>,
    /// The spool.
    pub spool: Spool,
    /// The proxies that run.
    pub proxies: Vec<ProxyReport>,
    /// The destinations, one for each pipeline; empty if nothing is sent.
    pub destinations: Vec<DestinationReport>,
    /// The directories that exchanges came from of late, the newest first.
    pub projects: Vec<ProjectReport>,
    /// Why your own configuration is no good, so that nothing is sent; null if it is.
    pub configuration_problem: Option<String>,
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Checkpoint {
    /// Nothing was ever written.
    None,
    /// The last one is whole.
    Whole,
    /// The last one is damaged; the one before is whole, and the exporter will go on from it.
    Previous {
        /// What is wrong with the last one.
        problem: String,
    },
    /// Both are damaged; the exporter will count anew, from the spool's end.
    Damaged {
        /// What is wrong with the last one.
        problem: String,
    },
}

/// The prices in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prices {
    /// Where they are from.
    #[serde(flatten)]
    pub origin: Origin,
    /// How many days ago they were taken from there; null if the date is none.
    pub age_days: Option<u64>,
}

/// The spool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spool {
    /// Files.
    pub segments: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes that the exporter has not read.
    pub unread_bytes: u64,
}

/// The status cannot be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] StoreError),
    /// The spool cannot be read.
    #[error("failed to read the spool in `{dir}`")]
    Spool {
        /// Where.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Report {
    /// The status at `now` of the exporter that keeps its state in `state_dir`. Changes nothing there.
    pub fn of(state_dir: &StateDir, now: UnixMillis) -> Result<Self, StatusError> {
        let (state, checkpoint) = remembered(Store::new(&state_dir.exporter()).peek()?);
        let unreadable = |source| StatusError::Spool { dir: state_dir.spool(), source };
        let spool = Spool::of(state_dir, state.as_ref()).map_err(unreadable)?;
        let proxies = proxies::living(&state_dir.spool()).map_err(unreadable)?;
        let known = state.is_some();
        let State { last_alive, writer: exporter, pipelines, directories, .. } = state.unwrap_or_default();
        let last_alive = known.then_some(last_alive);
        let destinations: Vec<DestinationReport> =
            pipelines.into_iter().filter_map(|saved| DestinationReport::of(saved, now)).collect();
        let (projects, configuration_problem) = match projects::of(state_dir, directories) {
            Ok(projects) => (projects, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let ran_with = exporter.as_ref().map(|exporter| exporter.rules.clone()).unwrap_or_default();
        let origin = exporter.as_ref().map(|exporter| exporter.prices.clone());
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state_dir: state_dir.path().to_owned(),
            pid: lock::holder(&state_dir.exporter()),
            last_alive,
            checkpoint,
            prices: Prices::of(origin.unwrap_or_else(|| PriceTable::embedded().origin().clone()), now),
            rules: RulesFile::in_use(ran_with, now),
            exporter,
            spool,
            proxies,
            destinations,
            projects,
            configuration_problem,
        })
    }

    /// Whether somebody should look at it: a destination or a project's file that is not well, or a checkpoint that is damaged.
    pub fn needs_attention(&self) -> bool {
        let is_damaged = match self.checkpoint {
            Checkpoint::None | Checkpoint::Whole => false,
            Checkpoint::Previous { .. } | Checkpoint::Damaged { .. } => true,
        };
        is_damaged
            || (self.pid.is_none() && self.configuration_problem.is_some())
            || self.projects.iter().any(ProjectReport::needs_attention)
            || self.destinations.iter().any(DestinationReport::needs_attention)
    }
}

fn remembered(loaded: Loaded) -> (Option<State>, Checkpoint) {
    match loaded {
        Loaded::Fresh => (None, Checkpoint::None),
        Loaded::Current(state) => (Some(*state), Checkpoint::Whole),
        Loaded::Previous(state, error) => (Some(*state), Checkpoint::Previous { problem: error.to_string() }),
        Loaded::Damaged(error) => (None, Checkpoint::Damaged { problem: error.to_string() }),
    }
}

impl Spool {
    fn of(state_dir: &StateDir, state: Option<&State>) -> io::Result<Self> {
        let segments = layout::list(&state_dir.spool())?;
        let positions = state.map(|state| state.streams.clone()).unwrap_or_default();
        let mut source = Source::resume(&state_dir.spool(), positions);
        source.refresh()?;
        Ok(Self {
            segments: segments.len(),
            bytes: segments.iter().map(|segment| segment.len).sum(),
            unread_bytes: source.lag_bytes(),
        })
    }
}

impl Prices {
    /// The prices of `origin`, seen at `now`.
    pub(crate) fn of(origin: Origin, now: UnixMillis) -> Self {
        let age_days = Date::try_from(origin.retrieved.clone()).ok().map(|day| day.days_before(now));
        Self { origin, age_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_without_a_day_have_no_age() {
        let age = |retrieved: &str| {
            let origin = Origin { source: "s".into(), retrieved: retrieved.into() };
            Prices::of(origin, UnixMillis(1_795_183_200_000)).age_days
        };
        assert_eq!(age("2026-11-19"), Some(1));
        assert_eq!(age("soon"), None);
    }
}
