//! The engine's side of the export ledger: nothing is handed over before the ledger says so.

use std::{collections::BTreeMap, io, path::PathBuf};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, state_dir::StateDir};

use super::{Core, Engine, Exported, PipelineId, random_bits};
use crate::{
    deliver::CutId,
    ledger::{Attempt, Holding, Ledger, LedgerError, LedgerFile, Positions, Record, due, file},
    pipeline::identity::InstanceId,
    source::StreamPosition,
};

/// What the ledger will have to say.
#[derive(Debug)]
pub(super) struct Ledgering {
    dir: PathBuf,
    spool: PathBuf,
    /// Opened when there is something to say.
    file: Option<LedgerFile>,
    /// How far the spool has been read, streams included that have left it since.
    read: Positions,
    pipelines: BTreeMap<InstanceId, Doings>,
    /// Whether what could wait for the next snapshot is to be written, too.
    is_last: bool,
}

/// What the ledger must know of a pipeline that it does not tell itself.
#[derive(Debug, Default)]
struct Doings {
    /// Where the reading stood when the pipeline began, if nothing was counted in it before.
    start: Option<Positions>,
    attempt: Option<Attempt>,
    acked: Option<UnixMillis>,
}

impl Ledgering {
    /// At the beginning, with the spool read up to `positions`. What a pipeline holds by now comes with its next
    /// snapshot, whatever the ledger says of the last one: it counts as attempted.
    pub(super) fn new(state_dir: &StateDir, core: &Core, positions: &[StreamPosition]) -> Self {
        let mut ledgering = Self {
            dir: state_dir.exporter(),
            spool: state_dir.spool(),
            file: None,
            read: core.ledger.gone.clone(),
            pipelines: BTreeMap::new(),
            is_last: false,
        };
        ledgering.note_closed(core, positions);
        ledgering
    }

    /// Notes the pipelines that have begun, and lets go of those that have ended.
    fn note_new(&mut self, core: &Core) {
        let is_there = |instance: &InstanceId| {
            core.exported().iter().any(|exported| exported.identity().instance == *instance)
        };
        self.pipelines.retain(|instance, _| is_there(instance));
        for exported in core.exported() {
            self.pipelines.entry(exported.identity().instance.clone()).or_insert_with(|| Doings {
                start: exported.pipeline.is_untouched().then(|| self.read.clone()),
                ..Doings::default()
            });
        }
    }

    fn doings(&mut self, exported: &Exported) -> &mut Doings {
        self.pipelines.entry(exported.identity().instance.clone()).or_default()
    }

    /// Windows have been closed, with the spool read up to `positions`: that is what their snapshots hold.
    fn note_closed(&mut self, core: &Core, positions: &[StreamPosition]) {
        self.read.raise_to(positions);
        self.note_new(core);
        for exported in core.exported() {
            let attempt = Attempt { cut: exported.pipeline.last_cut(), upto: self.read.clone() };
            let doings = self.doings(exported);
            let before = doings.attempt.as_ref().map_or(UnixMillis(0), |before| before.cut);
            if before < attempt.cut {
                doings.attempt = Some(attempt);
            }
        }
    }

    /// How far streams had been read that are not among the `positions` any more. What all pipelines have attempted of them
    /// is let go.
    fn gone(&mut self, positions: &[StreamPosition]) -> Positions {
        let Self { read, pipelines, file, .. } = self;
        let is_there = |stream| positions.iter().any(|at| at.stream == stream);
        let is_attempted = |stream, end| {
            let mut instances = pipelines.keys();
            let ledger = file.as_ref().map(LedgerFile::ledger);
            instances.all(|each| ledger.is_some_and(|ledger| ledger.has_attempted(each, stream, end)))
        };
        read.retain(|stream, end| is_there(stream) || !is_attempted(stream, end));
        read.iter().filter(|&(stream, _)| !is_there(stream)).collect()
    }

    /// The destination of `pipeline` has everything up to `cut`. A snapshot that was never made is none of its series'.
    pub(super) fn note_ack(&mut self, core: &Core, pipeline: PipelineId, cut: CutId) {
        let acked = UnixMillis(cut.0);
        if let Some(exported) = core.get(pipeline).filter(|exported| acked <= exported.pipeline.last_cut()) {
            self.doings(exported).acked = Some(acked);
        }
    }

    /// From now on nothing waits for a next snapshot.
    pub(super) fn hurry(&mut self) {
        self.is_last = true;
    }

    /// Writes down what is due. What has merely arrived waits for the next snapshot: one write per window is enough.
    fn write(&mut self, core: &mut Core) -> Result<(), LedgerError> {
        let now = UnixMillis::now();
        if self.file.is_none() && core.exported().is_empty() && !self.dir.join(file::FILE_NAME).exists() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(LedgerFile::open(&self.dir, &self.spool, core.ledger.last, now)?),
        };
        let can_wait = core.ready() == 0 && !self.is_last;
        let holdings: Vec<Holding<'_>> =
            core.exported().iter().filter_map(|exported| holding(exported, &self.pipelines)).collect();
        let unsaid = |ledger: &Ledger| {
            let records = due(ledger, &holdings, now, random_half);
            let is_news = |record: &Record| !matches!(record, Record::Exported { .. });
            if can_wait && !records.iter().any(is_news) { Vec::new() } else { records }
        };
        file.append(now, unsaid)?;
        core.ledger.last = file.ledger().last();
        Ok(())
    }
}

impl Engine {
    /// Looks at the spool. What has been read is noted first: a stream may have left the spool since.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        self.ledgering.read.raise_to(&self.source.positions());
        self.source.refresh()?;
        self.core.ledger.gone = self.ledgering.gone(&self.source.positions());
        Ok(())
    }

    /// Closes the windows that are over at `watermark`.
    pub(super) fn advance(&mut self, watermark: UnixMillis) {
        let before = self.core.ready();
        self.core.advance(watermark);
        self.note_ready(before);
    }

    /// Closes the open windows for last snapshots.
    pub(super) fn close_early(&mut self) {
        let before = self.core.ready();
        self.core.close_early(UnixMillis::now());
        self.note_ready(before);
    }

    fn note_ready(&mut self, before: usize) {
        if self.core.ready() > before {
            self.ledgering.note_closed(&self.core, &self.source.positions());
        }
    }

    /// Writes the ledger, and then hands over the snapshots that wait. While it cannot be written they go on waiting: what
    /// was sent could be sent again by a replay.
    pub(super) fn hand_over(&mut self) {
        self.ledgering.note_new(&self.core);
        match self.ledgering.write(&mut self.core) {
            Ok(()) => {
                self.dirty |= self.core.ledger.problem.take().is_some();
                for (pipeline, snapshot) in self.core.take_ready() {
                    self.outlet.offer(pipeline, snapshot);
                }
            }
            Err(error) => {
                let problem = with_causes(&error);
                self.save_failed = true;
                self.dirty |= self.core.ledger.problem.as_ref() != Some(&problem);
                self.complain(&format!("{problem}; nothing is sent until it can be"));
                self.core.ledger.problem = Some(problem);
            }
        }
    }
}

fn holding<'a>(exported: &'a Exported, pipelines: &'a BTreeMap<InstanceId, Doings>) -> Option<Holding<'a>> {
    let Doings { start, attempt, acked } = pipelines.get(&exported.identity().instance)?;
    Some(Holding {
        identity: exported.identity(),
        resource: &exported.grant().shown,
        since: exported.pipeline.since(),
        start: start.as_ref(),
        absences: exported.pipeline.withheld().absences().to_vec(),
        acked: *acked,
        attempt: attempt.as_ref(),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is as random as the whole")]
fn random_half() -> u64 {
    random_bits() as u64
}

#[cfg(test)]
#[path = "ledgering_tests.rs"]
mod tests;
