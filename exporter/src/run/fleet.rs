//! The workers of all pipelines, from consent to consent.
//!
//! What is agreed to is known here first: a worker whose pipeline nobody agrees to any more is broken off at once, whatever
//! the engine is busy with. Only the engine has one begin, for it knows the pipeline's totals and health.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{runtime::Handle, sync::watch};

use super::{RunError, self_figures};
use crate::{
    consent::{Consents, Grant},
    deliver::{
        self, CutId, Destination, FailureLog, Figures, FromWorker, Snapshot, WorkerHandle, queue::Shares,
    },
    engine::{Command, Commands, Exported, PipelineId},
    pipeline::identity::PipelineKey,
};

/// The workers.
#[derive(Debug)]
pub(super) struct Fleet {
    runtime: Handle,
    commands: Commands,
    figures: Arc<Figures>,
    shares: Shares,
    /// Where the failure log lies, or will lie once something can fail.
    log_dir: PathBuf,
    state: Mutex<State>,
    acks: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    consents: Arc<Consents>,
    workers: BTreeMap<PipelineId, Crew>,
    log: Option<FailureLog>,
    /// Notices that the person has been given.
    told: BTreeSet<String>,
    has_ended: bool,
}

/// A worker and what it works on.
#[derive(Debug)]
struct Crew {
    key: PipelineKey,
    destination: Destination,
    worker: Arc<WorkerHandle>,
    last_offer: CutId,
    acked: CutId,
}

impl Fleet {
    /// No worker, as long as the engine opens no pipeline.
    pub(super) fn new(
        consents: Arc<Consents>,
        commands: Commands,
        figures: Arc<Figures>,
        log_dir: PathBuf,
    ) -> Self {
        let state =
            State { consents, workers: BTreeMap::new(), log: None, told: BTreeSet::new(), has_ended: false };
        Self {
            runtime: Handle::current(),
            commands,
            figures,
            shares: Shares::default(),
            log_dir,
            state: Mutex::new(state),
            acks: watch::Sender::new(()),
        }
    }

    /// What holds.
    pub(super) fn consents(&self) -> Arc<Consents> {
        Arc::clone(&self.state().consents)
    }

    /// From now on this holds. Breaks off what nobody agrees to any more.
    pub(super) fn agree(&self, consents: Arc<Consents>) {
        let broken_off = self.state().agree(consents);
        self.figures.leave(broken_off.keys().copied());
        for Crew { destination, key, .. } in broken_off.values() {
            tracing::info!("nothing is sent to {} at tier {} any more", destination.endpoint, key.tier);
        }
    }

    /// Begins the work of a pipeline, or goes on with it elsewhere. Without effect if nobody agrees to it by now.
    pub(super) fn open(self: &Arc<Self>, exported: &Exported) -> Result<(), RunError> {
        let (id, grant) = (exported.id(), exported.grant());
        let mut state = self.state();
        if state.has_ended || !state.agrees_to(&grant.key, &grant.destination) {
            return Ok(());
        }
        let log = match &state.log {
            Some(log) => log.clone(),
            None => state.log.insert(FailureLog::open(&self.log_dir)?).clone(),
        };
        let _runtime = self.runtime.enter();
        let (telemetry, about) = self_figures::of(exported, &self.runtime)?;
        let fleet = Arc::clone(self);
        let report = move |event| fleet.report(id, event);
        let worker =
            deliver::spawn(&grant.destination, exported.health(), report, log, self.shares.one_more())?;
        state.tell(exported);
        let crew = Crew {
            key: grant.key.clone(),
            destination: grant.destination.clone(),
            worker: Arc::new(worker),
            last_offer: CutId(0),
            acked: CutId(0),
        };
        let replaced = state.workers.insert(id, crew);
        drop(state);
        drop(replaced);
        self.figures.enter(id, telemetry, about);
        Ok(())
    }

    /// Ends the work of a pipeline.
    pub(super) fn close(&self, pipeline: PipelineId) {
        let ended = self.state().workers.remove(&pipeline);
        drop(ended);
        // Its worker may have been broken off while its figures were on their way in.
        self.figures.leave([pipeline]);
    }

    /// Queues a snapshot. Of a pipeline that has been broken off it goes nowhere.
    pub(super) fn offer(&self, pipeline: PipelineId, snapshot: Snapshot) {
        let worker = {
            let mut state = self.state();
            let Some(crew) = state.workers.get_mut(&pipeline) else { return };
            crew.last_offer = snapshot.cut;
            Arc::clone(&crew.worker)
        };
        worker.offer(snapshot);
    }

    /// Breaks off everything, and begins nothing any more.
    pub(super) fn abort(&self) {
        let workers = {
            let mut state = self.state();
            state.has_ended = true;
            std::mem::take(&mut state.workers)
        };
        for crew in workers.values() {
            crew.worker.abort();
        }
    }

    /// Waits until every destination has acknowledged the last snapshot that it was offered.
    pub(super) async fn flushed(&self) {
        let mut acks = self.acks.subscribe();
        while !self.state().workers.values().all(|crew| crew.acked >= crew.last_offer) {
            // The sender is our own.
            let _ = acks.changed().await;
        }
    }

    /// Passes on what the worker of `pipeline` reports.
    fn report(&self, pipeline: PipelineId, event: FromWorker) {
        match event {
            FromWorker::Acked { cut, rejected: _ } => {
                if let Some(crew) = self.state().workers.get_mut(&pipeline) {
                    crew.acked = crew.acked.max(cut);
                }
                self.acks.send_replace(());
            }
            FromWorker::Dropped { snapshots } => {
                tracing::warn!(snapshots, "snapshots were dropped; later ones hold what they held");
            }
            FromWorker::Rejected { reason, points } => {
                tracing::warn!(reason = reason.as_str(), points, "the destination turned points down");
            }
            FromWorker::Health(_) | FromWorker::Failed => {}
        }
        self.figures.observe(pipeline, &event);
        self.commands.send(Command::Worker(pipeline, event));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn agree(&mut self, consents: Arc<Consents>) -> BTreeMap<PipelineId, Crew> {
        tell_changes(&self.consents, &consents);
        self.consents = consents;
        let workers = std::mem::take(&mut self.workers).into_iter();
        let (stay, go) = workers.partition(|(_, crew)| self.agrees_to(&crew.key, &crew.destination));
        self.workers = stay;
        let go: BTreeMap<PipelineId, Crew> = go;
        for crew in go.values() {
            crew.worker.abort();
        }
        go
    }

    fn agrees_to(&self, key: &PipelineKey, destination: &Destination) -> bool {
        let mut grants = self.consents.grants().iter();
        grants.any(|grant| grant.key == *key && grant.destination == *destination)
    }

    /// The line that every start says, and each notice once.
    fn tell(&mut self, exported: &Exported) {
        let grant = exported.grant();
        let complement = if exported.is_complement() { ", complement-mode: true" } else { "" };
        tracing::info!("{}{complement}", grant.summary());
        for notice in &grant.notices {
            if self.told.insert(notice.clone()) {
                tracing::warn!("{notice}");
            }
        }
    }
}

/// Tells of each directory whose exchanges may no longer leave, or with less.
fn tell_changes(before: &Consents, after: &Consents) {
    let granted: BTreeMap<&str, &Grant> =
        before.directories().filter_map(|(dir, grant)| Some((dir, grant.ok()?))).collect();
    for (dir, answer) in after.directories() {
        match (granted.get(dir), answer) {
            (Some(_), Err(reason)) => {
                tracing::warn!("`{dir}`: nothing leaves this machine any more: {reason}");
            }
            (Some(before), Ok(after)) if after.tier < before.tier => {
                tracing::warn!("`{dir}`: the tier is {} now", after.tier);
            }
            (Some(_) | None, _) => {}
        }
    }
    if let (Ok(_), Err(reason)) = (before.server(), after.server()) {
        tracing::warn!(
            "of exchanges without a project's file nothing leaves this machine any more: {reason}"
        );
    }
}
