//! The ledger against a model that remembers of every entry what became of it.

use std::collections::BTreeMap;

use ccxray_shared::{UnixMillis, entry::Seq, segment::StreamId};
use proptest::prelude::*;

use super::*;
use crate::pipeline::{
    identity::{Identity, InstanceId, PipelineKey},
    withheld::Absence,
};

pub(super) const STREAMS: u64 = 3;

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// An entry is written into a stream.
    Record(u64),
    /// A pipeline is enabled, or enabled anew under another instance id.
    Enable(usize),
    /// A pipeline's consent is withdrawn.
    Disable(usize),
    /// The exporter reads all that is there.
    Read,
    /// The exporter closes a window, writes down what is due, and sends.
    Send,
    /// A destination has so many of the snapshots sent to it that it had not before.
    Ack(usize, usize),
    /// The exporter is away while these streams are written to.
    Absence(Vec<u64>),
    /// The file is written anew.
    Compact,
}

pub(super) fn actions(most: usize) -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        8 => (0..STREAMS).prop_map(Action::Record),
        2 => (0..2_usize).prop_map(Action::Enable),
        1 => (0..2_usize).prop_map(Action::Disable),
        4 => Just(Action::Read),
        4 => Just(Action::Send),
        3 => (0..2_usize, 1..4_usize).prop_map(|(pipeline, n)| Action::Ack(pipeline, n)),
        1 => proptest::collection::vec(0..STREAMS, 0..4).prop_map(Action::Absence),
        1 => Just(Action::Compact),
    ];
    proptest::collection::vec(action, 1..most)
}

/// What a pipeline is, in so far as the ledger has to do with it, with every entry named.
struct Worker {
    identity: Identity,
    since: UnixMillis,
    start: Positions,
    absences: Vec<Absence>,
    acked: Option<UnixMillis>,
    attempt: Option<Attempt>,
    /// Read, and in no snapshot so far.
    counted: Vec<usize>,
    /// Sent, with what was in each snapshot for the first time, and not acknowledged.
    sent: Vec<(UnixMillis, Vec<usize>)>,
}

#[derive(Default)]
pub(super) struct World {
    clock: u64,
    ids: u64,
    entries: Vec<Place>,
    /// How many of `entries` have been read.
    read: usize,
    positions: Positions,
    workers: [Option<Worker>; 2],
    /// What became of an entry for a pipeline, if anything did.
    truth: BTreeMap<(usize, usize), Standing>,
    /// What has been written down, and what it adds up to.
    pub(super) bytes: Vec<u8>,
    pub(super) ledger: Ledger,
}

pub(super) fn hash(pipeline: usize) -> PipelineHash {
    PipelineHash::of(&key(pipeline))
}

fn key(pipeline: usize) -> PipelineKey {
    PipelineKey { destination: Some(format!("http://{pipeline}/")), tier: 1, attributes: BTreeMap::new() }
}

impl World {
    pub(super) fn after(actions: &[Action]) -> Self {
        let mut world = Self { clock: 1_000, ..Self::default() };
        world.write(vec![Record::Ledger {}]);
        for action in actions {
            world.apply(action);
        }
        world
    }

    pub(super) fn apply(&mut self, action: &Action) {
        self.clock += 10;
        match action {
            Action::Record(stream) => self.record(*stream),
            Action::Enable(pipeline) => self.enable(*pipeline),
            Action::Disable(pipeline) => self.workers[*pipeline] = None,
            Action::Read => self.read(),
            Action::Send => self.send(),
            Action::Ack(pipeline, n) => self.ack(*pipeline, *n),
            Action::Absence(streams) => self.absence(streams),
            Action::Compact => self.compact(),
        }
    }

    fn record(&mut self, stream: u64) {
        let stream = StreamId::from_bits(stream);
        let seq = Seq(self.entries.iter().filter(|place| place.stream == stream).count() as u64);
        self.entries.push(Place { stream, seq, ended_at: UnixMillis(self.clock) });
    }

    fn enable(&mut self, pipeline: usize) {
        self.ids += 1;
        self.workers[pipeline] = Some(Worker {
            identity: Identity { key: key(pipeline), instance: InstanceId::from_bits(self.ids.into()) },
            since: UnixMillis(self.clock),
            start: self.positions.clone(),
            absences: Vec::new(),
            acked: None,
            attempt: None,
            counted: Vec::new(),
            sent: Vec::new(),
        });
    }

    fn read(&mut self) {
        for (i, place) in self.entries.iter().enumerate().skip(self.read) {
            self.positions.raise(place.stream, Seq(place.seq.0 + 1));
            for (pipeline, worker) in self.workers.iter_mut().enumerate() {
                let Some(worker) = worker else { continue };
                let is_held_back = self.truth.get(&(pipeline, i)) == Some(&Standing::Withheld);
                if place.ended_at >= worker.since && !is_held_back {
                    worker.counted.push(i);
                }
            }
        }
        self.read = self.entries.len();
    }

    fn send(&mut self) {
        let cut = UnixMillis(self.clock);
        for worker in self.workers.iter_mut().flatten() {
            worker.attempt = Some(Attempt { cut, upto: self.positions.clone() });
        }
        self.write_due();
        for (pipeline, worker) in self.workers.iter_mut().enumerate() {
            let Some(worker) = worker else { continue };
            let first_sent = std::mem::take(&mut worker.counted);
            for &i in &first_sent {
                self.truth.insert((pipeline, i), Standing::Attempted);
            }
            worker.sent.push((cut, first_sent));
        }
    }

    fn ack(&mut self, pipeline: usize, n: usize) {
        let Some(worker) = &mut self.workers[pipeline] else { return };
        let n = n.min(worker.sent.len());
        for (cut, entries) in worker.sent.drain(..n) {
            worker.acked = Some(cut);
            for i in entries {
                self.truth.insert((pipeline, i), Standing::Exported);
            }
        }
        self.write_due();
    }

    fn absence(&mut self, streams: &[u64]) {
        // The last sign of life says how far was read.
        self.read();
        let (from, first) = (UnixMillis(self.clock), self.entries.len());
        for stream in streams {
            self.clock += 10;
            self.record(*stream);
        }
        self.clock += 10;
        let absence = Absence { from, until: UnixMillis(self.clock), entries: 0 };
        for (pipeline, worker) in self.workers.iter_mut().enumerate() {
            let Some(worker) = worker else { continue };
            worker.absences.push(absence.clone());
            for i in first..self.entries.len() {
                self.truth.insert((pipeline, i), Standing::Withheld);
            }
        }
        self.write_due();
    }

    fn write_due(&mut self) {
        let resource = BTreeMap::new();
        let holding = |worker| {
            let Worker { identity, since, start, absences, acked, attempt, .. }: &Worker = worker;
            Holding {
                identity,
                resource: &resource,
                since: *since,
                start: Some(start),
                absences: absences.clone(),
                acked: *acked,
                attempt: attempt.as_ref(),
            }
        };
        let holdings: Vec<_> = self.workers.iter().flatten().map(holding).collect();
        let ids = &mut self.ids;
        let records = due(&self.ledger, &holdings, UnixMillis(self.clock), || {
            *ids += 1;
            *ids
        });
        self.write(records);
    }

    fn write(&mut self, records: Vec<Record>) {
        for record in records {
            line::encode(self.ledger.last().next(), &record, &mut self.bytes).unwrap();
            self.ledger.append(record);
        }
    }

    fn compact(&mut self) {
        let records = self.ledger.records();
        let mut number = self.ledger.last();
        self.bytes.clear();
        for record in records {
            number = number.next();
            line::encode(number, &record, &mut self.bytes).unwrap();
        }
        self.ledger = Ledger::read(&self.bytes, number);
    }

    /// Every entry and pipeline, with what became of it.
    pub(super) fn truth(&self) -> impl Iterator<Item = (usize, Place, Standing)> {
        let all = (0..2_usize).flat_map(|pipeline| (0..self.entries.len()).map(move |i| (pipeline, i)));
        all.map(|(pipeline, i)| {
            let standing = self.truth.get(&(pipeline, i)).copied().unwrap_or(Standing::NeverAttempted);
            (pipeline, self.entries[i], standing)
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_knows_of_every_entry_what_became_of_it(actions in actions(60)) {
        let world = World::after(&actions);
        prop_assert_eq!(&Ledger::read(&world.bytes, world.ledger.last()), &world.ledger);
        for (pipeline, place, standing) in world.truth() {
            prop_assert_eq!(world.ledger.standing(&hash(pipeline), &place), standing, "{:?}", place);
        }
    }

    #[test]
    fn written_anew_it_says_the_same(actions in actions(60)) {
        let mut world = World::after(&actions);
        let before = world.ledger.clone();
        world.apply(&Action::Compact);
        for (pipeline, place, _) in world.truth() {
            let standing = |ledger: &Ledger| ledger.standing(&hash(pipeline), &place);
            prop_assert_eq!(standing(&world.ledger), standing(&before));
        }
        prop_assert!(world.ledger.spans().eq(before.spans()));
    }

    #[test]
    fn what_is_due_is_due_once(actions in actions(40)) {
        let mut world = World::after(&actions);
        world.write_due();
        let once = world.bytes.len();
        world.write_due();
        prop_assert_eq!(world.bytes.len(), once);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_cut_off_or_changed_nothing_that_was_sent_passes_for_unsent(actions in actions(25), byte in any::<u8>()) {
        let world = World::after(&actions);
        for i in 0..world.bytes.len() {
            let mut changed = world.bytes.clone();
            changed[i] ^= byte.max(1);
            for bytes in [&world.bytes[..i], &changed] {
                assert_safe(&world, &Ledger::read(bytes, world.ledger.last()))?;
            }
        }
    }

    #[test]
    fn whichever_line_is_missing_nothing_that_was_sent_passes_for_unsent(actions in actions(40)) {
        let world = World::after(&actions);
        let lines: Vec<&[u8]> = world.bytes.split_inclusive(|&byte| byte == b'\n').collect();
        for i in 0..lines.len() {
            let without = [&lines[..i], &lines[i + 1..]].concat().concat();
            assert_safe(&world, &Ledger::read(&without, world.ledger.last()))?;
        }
    }
}

fn assert_safe(world: &World, ledger: &Ledger) -> Result<(), TestCaseError> {
    prop_assert!(ledger.damage().is_some());
    for (pipeline, place, standing) in world.truth() {
        let said = ledger.standing(&hash(pipeline), &place);
        prop_assert!(said >= standing.min(Standing::Uncertain), "{:?}: {:?} is {:?}", place, said, standing);
    }
    Ok(())
}
