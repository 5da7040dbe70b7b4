use std::{fs, sync::Arc, time::Duration};

use ccxray_shared::{
    entry::Seq,
    private,
    segment::{ByteOffset, Position, Sequence, StreamId},
};

use super::*;
use crate::{
    classify::price_table::PriceTable,
    consent::{
        Tier,
        consents::made_up::{consents, grant},
    },
    engine::CoreOptions,
    ledger::peek,
    source::tests::entry,
};

/// The start of a window.
const T0: UnixMillis = UnixMillis(1_800_000_000_000);
const STREAM: StreamId = StreamId::from_bits(1);

fn at(seconds: u64) -> UnixMillis {
    T0.after(Duration::from_secs(seconds))
}

/// With one destination, and a place for its state.
struct Rig {
    dir: tempfile::TempDir,
    core: Core,
    ledgering: Ledgering,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = CoreOptions {
            interval: Duration::from_mins(1),
            resume_grace: Duration::from_mins(5),
            consents: Arc::new(consents(Some(grant("http://127.0.0.1/", Tier::Anonymous, "p")), vec![])),
            prices: PriceTable::embedded(),
        };
        let mut core = Core::start(options, None, T0, || 7);
        core.advance(T0);
        let state_dir = StateDir::resolve(Some(dir.path().to_owned())).unwrap();
        private::ensure_dir(&state_dir.exporter()).unwrap();
        let ledgering = Ledgering::new(&state_dir, &core, &[]);
        let mut rig = Self { dir, core, ledgering };
        rig.write();
        rig
    }

    /// Counts an entry, and closes its window with the spool read up to `positions`.
    fn close(&mut self, seconds: u64, positions: &[StreamPosition]) {
        let entry = entry(at(seconds).0);
        let route = self.core.route(&entry).unwrap();
        self.core.count(&entry, entry.ended_at, route);
        self.core.advance(at(seconds + 60));
        self.ledgering.note_closed(&self.core, positions);
    }

    fn write(&mut self) {
        self.ledgering.write(&mut self.core).unwrap();
    }

    fn ack(&mut self, seconds: u64) {
        let pipeline = self.core.exported()[0].id();
        self.ledgering.note_ack(&self.core, pipeline, CutId(at(seconds).0));
    }

    fn ledger(&self) -> Ledger {
        peek(&self.dir.path().join("exporter"), self.core.ledger.last).unwrap()
    }

    /// How far the stream was attempted, and how far its destination has it.
    fn reached(&self) -> (u64, u64) {
        let ledger = self.ledger();
        let span = ledger.spans().next().unwrap();
        (span.attempted().end_of(STREAM).0, span.exported().end_of(STREAM).0)
    }
}

fn read_to(seq: u64) -> StreamPosition {
    let position = Position { sequence: Sequence(0), offset: ByteOffset(1), next_seq: Some(Seq(seq)) };
    StreamPosition { stream: STREAM, position, active: None }
}

#[test]
fn a_snapshot_holds_what_had_been_read_when_its_window_was_closed() {
    let mut rig = Rig::new();
    rig.close(10, &[read_to(3)]);
    rig.ledgering.read.raise_to(&[read_to(5)]);
    rig.write();
    assert_eq!(rig.reached(), (3, 0));
}

#[test]
fn a_stream_that_leaves_the_spool_before_its_window_is_closed_is_attempted_all_the_same() {
    let mut rig = Rig::new();
    rig.ledgering.read.raise_to(&[read_to(3)]);
    let gone = rig.ledgering.gone(&[]);
    assert_eq!(gone.end_of(STREAM), Seq(3));
    // The checkpoint carries it over to the next process.
    rig.core.ledger.gone = gone;
    let state_dir = StateDir::resolve(Some(rig.dir.path().to_owned())).unwrap();
    rig.ledgering = Ledgering::new(&state_dir, &rig.core, &[]);
    rig.close(10, &[]);
    rig.write();
    assert_eq!(rig.reached(), (3, 0));
    assert!(rig.ledgering.gone(&[]).is_empty(), "now the ledger knows");
}

#[test]
fn an_ack_waits_for_the_next_snapshot_or_for_the_end() {
    let mut rig = Rig::new();
    rig.close(10, &[read_to(3)]);
    rig.write();
    rig.core.take_ready();
    rig.ack(60);
    let len = || fs::metadata(rig.dir.path().join("exporter/ledger.log")).unwrap().len();
    let before = len();
    rig.ledgering.write(&mut rig.core).unwrap();
    assert_eq!(len(), before);
    rig.ledgering.hurry();
    rig.ledgering.write(&mut rig.core).unwrap();
    assert_eq!(rig.reached(), (3, 3));
}

#[test]
fn a_snapshot_that_only_repeats_writes_nothing_and_its_ack_tells_of_those_before() {
    let mut rig = Rig::new();
    rig.close(10, &[read_to(3)]);
    rig.write();
    let last = rig.ledger().last();
    rig.core.advance(at(120));
    rig.ledgering.note_closed(&rig.core, &[read_to(3)]);
    rig.write();
    assert_eq!(rig.ledger().last(), last);
    rig.ack(120);
    rig.write();
    assert_eq!(rig.reached(), (3, 3));
}

#[test]
fn an_ack_of_a_snapshot_that_was_never_made_tells_of_nothing() {
    let mut rig = Rig::new();
    rig.close(10, &[read_to(3)]);
    rig.write();
    rig.ack(600);
    rig.ledgering.hurry();
    rig.write();
    assert_eq!(rig.reached(), (3, 0));
}

#[test]
fn the_beginning_is_written_at_once_with_what_people_want_to_know() {
    let ledger = Rig::new().ledger();
    let begun = ledger.spans().next().unwrap().begun();
    assert_eq!((begun.destination.as_str(), begun.tier, begun.since), ("http://127.0.0.1/", 1, T0));
    assert_eq!(begun.resource["project.name"], "p");
}
