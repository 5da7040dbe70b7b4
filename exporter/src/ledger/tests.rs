use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use ccxray_shared::{
    Name, UnixMillis,
    entry::Seq,
    segment::StreamId,
    spool::{Writer, WriterOptions},
};
use proptest::prelude::*;
use rustix::fs::{FlockOperation, flock};

use super::{
    file::FILE_NAME,
    model_tests::{Action, World, actions, hash},
    *,
};
use crate::{pipeline::identity::InstanceId, source::tests::entry};

const NOW: UnixMillis = UnixMillis(1_000_000_000_000);
const DAY: Duration = Duration::from_hours(24);
const LIVE: StreamId = StreamId::from_bits(1);
const GONE: StreamId = StreamId::from_bits(2);

/// A place for the ledger, and a spool.
struct Rig {
    dir: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// With a spool in which the stream [`LIVE`] has entries up to number 4.
    fn with_spool() -> Self {
        let rig = Self::new();
        let options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
        let mut writer = Writer::open(&rig.spool(), LIVE, options).unwrap();
        for ended_at in 0..5 {
            writer.stage_entry(entry(NOW.0 + ended_at), NOW);
        }
        writer.commit(NOW, Instant::now()).unwrap();
        rig
    }

    fn spool(&self) -> PathBuf {
        let spool = self.dir.path().join("spool");
        fs::create_dir_all(&spool).unwrap();
        spool
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(FILE_NAME)
    }

    fn open(&self, at_least: u64) -> Result<LedgerFile, LedgerError> {
        LedgerFile::open(self.dir.path(), &self.spool(), Number(at_least), NOW)
    }

    fn peek(&self) -> Ledger {
        peek(self.dir.path(), Number::default()).unwrap()
    }
}

fn begun(span: u64) -> Begun {
    Begun {
        span: SpanId::from_bits(span),
        author: Author::Live,
        pipeline: hash(0),
        destination: "http://0/".to_owned(),
        tier: 1,
        resource: [("team".to_owned(), "a".to_owned())].into(),
        instance: InstanceId::from_bits(1),
        since: UnixMillis(0),
        until: None,
        start: Positions::default(),
    }
}

fn attempted(span: u64, cut: UnixMillis, stream: StreamId, end: u64) -> Record {
    Record::Attempted { span: SpanId::from_bits(span), cut, upto: [(stream, Seq(end))].into_iter().collect() }
}

fn exported(span: u64, cut: UnixMillis) -> Record {
    Record::Exported { span: SpanId::from_bits(span), cut }
}

fn standing(ledger: &Ledger, stream: StreamId, seq: u64, ended_at: UnixMillis) -> Standing {
    ledger.standing(&hash(0), &Place { stream, seq: Seq(seq), ended_at })
}

#[test]
fn a_new_ledger_is_its_owners_only_and_says_that_nothing_was_sent() {
    let rig = Rig::with_spool();
    let file = rig.open(0).unwrap();
    assert_eq!(standing(file.ledger(), LIVE, 0, NOW), Standing::NeverAttempted);
    assert_eq!(fs::metadata(rig.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_was_appended_is_there_for_the_next_process() {
    let rig = Rig::with_spool();
    let records = vec![
        Record::Begun(begun(1)),
        attempted(1, UnixMillis(60), LIVE, 3),
        exported(1, UnixMillis(60)),
        attempted(1, UnixMillis(120), LIVE, 4),
    ];
    rig.open(0).unwrap().append(NOW, |_| records).unwrap();
    for ledger in [rig.peek(), rig.open(5).unwrap().ledger().clone()] {
        let said: Vec<_> = (2..5).map(|seq| standing(&ledger, LIVE, seq, NOW)).collect();
        assert_eq!(said, [Standing::Exported, Standing::Attempted, Standing::NeverAttempted]);
        assert_eq!((ledger.last(), ledger.damage()), (Number(5), None));
    }
}

#[test]
fn if_the_ledger_is_lost_all_that_is_in_the_spool_is_uncertain_and_what_comes_later_is_not() {
    let rig = Rig::with_spool();
    fs::remove_file(rig.path()).unwrap_err();
    assert_eq!(peek(rig.dir.path(), Number(7)).unwrap().damage(), Some(Damage::Lost));
    let file = rig.open(7).unwrap();
    assert_eq!(file.ledger().damage(), None);
    for ledger in [file.ledger().clone(), rig.peek()] {
        assert_eq!(standing(&ledger, LIVE, 4, NOW), Standing::Uncertain);
        assert_eq!(standing(&ledger, LIVE, 5, NOW), Standing::NeverAttempted);
        assert_eq!(standing(&ledger, GONE, 0, NOW), Standing::Uncertain, "it may have left the spool");
        assert_eq!(standing(&ledger, GONE, 0, UnixMillis(NOW.0 + 1)), Standing::NeverAttempted);
        assert!(ledger.last() > Number(7), "the next start is content");
    }
}

#[test]
fn a_ledger_that_is_removed_while_it_is_in_use_is_lost_too() {
    let rig = Rig::with_spool();
    let mut file = rig.open(0).unwrap();
    file.append(NOW, |_| vec![Record::Begun(begun(1)), attempted(1, UnixMillis(60), LIVE, 3)]).unwrap();
    fs::remove_file(rig.path()).unwrap();
    file.append(NOW, |_| Vec::new()).unwrap();
    assert_eq!(standing(file.ledger(), LIVE, 1, NOW), Standing::Uncertain);
    assert_eq!(standing(&rig.peek(), LIVE, 1, NOW), Standing::Uncertain);
}

#[test]
fn a_torn_line_is_put_aside_with_its_file_and_makes_uncertain_what_it_may_have_covered() {
    let rig = Rig::with_spool();
    rig.open(0).unwrap().append(NOW, |_| vec![Record::Begun(begun(1))]).unwrap();
    OpenOptions::new()
        .append(true)
        .open(rig.path())
        .unwrap()
        .write_all(b"0123abcd 3 {\"kind\":\"at")
        .unwrap();
    assert_eq!(rig.peek().damage(), Some(Damage::Lines));
    assert_eq!(standing(&rig.peek(), LIVE, 99, NOW), Standing::Uncertain);
    let mut file = rig.open(0).unwrap();
    file.append(NOW, |_| vec![attempted(1, UnixMillis(60), LIVE, 2)]).unwrap();
    let said: Vec<_> = [1, 4, 5].map(|seq| standing(&rig.peek(), LIVE, seq, NOW)).into();
    assert_eq!(said, [Standing::Attempted, Standing::Uncertain, Standing::NeverAttempted]);
    assert!(fs::read_to_string(rig.dir.path().join("ledger.log.damaged")).unwrap().ends_with("\"at"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The spool holds nothing, so an entry of the model counts as one that has left it, and must have ended before.
    #[test]
    fn a_damaged_file_that_was_replaced_passes_nothing_that_was_sent_for_unsent(
        actions in actions(30),
        at in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let (rig, world) = (Rig::new(), World::after(&actions));
        let mut bytes = world.bytes.clone();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= 0x20 }
        fs::write(rig.path(), bytes).unwrap();
        rig.open(world.ledger.last().0).unwrap();
        let mut again = rig.open(world.ledger.last().0).unwrap();
        again.append(NOW, |_| vec![Record::Begun(Begun { instance: InstanceId::from_bits(99), ..begun(99) })]).unwrap();
        prop_assert_eq!(again.ledger(), &rig.peek());
        prop_assert_eq!(again.ledger().damage(), None);
        for (pipeline, place, standing) in world.truth() {
            let said = again.ledger().standing(&hash(pipeline), &place);
            prop_assert!(said >= standing.min(Standing::Uncertain), "{:?}: {:?} is {:?}", place, said, standing);
        }
    }
}

#[test]
fn two_processes_append_to_one_ledger_even_while_it_is_replaced() {
    let rig = Rig::with_spool();
    let (mut live, mut replay) = (rig.open(0).unwrap(), rig.open(0).unwrap());
    live.append(NOW, |_| vec![Record::Begun(begun(1))]).unwrap();
    replay.append(NOW, |_| vec![Record::Begun(Begun { author: Author::Replay, ..begun(2) })]).unwrap();
    let small = LedgerFile::open_with(rig.dir.path(), &rig.spool(), Number(3), NOW, 1).unwrap();
    assert!(small.ledger().last() > Number(3), "it was written anew");
    replay.append(NOW, |_| vec![attempted(2, UnixMillis(60), LIVE, 1)]).unwrap();
    live.append(NOW, |_| vec![attempted(1, UnixMillis(60), LIVE, 2)]).unwrap();
    assert_eq!(live.ledger(), &rig.peek());
    let reached: Vec<_> = live.ledger().spans().map(|span| span.attempted().end_of(LIVE)).collect();
    assert_eq!(reached, [Seq(2), Seq(1)]);
}

#[test]
fn whoever_keeps_the_lock_is_not_waited_for_and_nothing_is_written() {
    let rig = Rig::new();
    let mut file = rig.open(0).unwrap();
    let lock = OpenOptions::new().read(true).open(rig.dir.path().join("ledger.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let refused = file.append(NOW, |_| vec![Record::Begun(begun(1))]);
    assert!(matches!(refused, Err(LedgerError::Locked { .. })));
    drop(lock);
    assert_eq!(rig.peek().spans().count(), 0);
    file.append(NOW, |_| vec![Record::Begun(begun(1))]).unwrap();
    assert_eq!(rig.peek().spans().count(), 1);
}

#[test]
fn after_a_failure_it_goes_on_as_if_nothing_had_been_asked() {
    let rig = Rig::with_spool();
    let mut file = rig.open(0).unwrap();
    file.append(NOW, |_| vec![Record::Begun(begun(1))]).unwrap();
    let aside = rig.dir.path().join("aside");
    fs::rename(rig.path(), &aside).unwrap();
    fs::create_dir(rig.path()).unwrap();
    let refused = file.append(NOW, |_| vec![attempted(1, UnixMillis(60), LIVE, 2)]);
    assert!(matches!(refused, Err(LedgerError::Io { .. })));
    fs::remove_dir(rig.path()).unwrap();
    fs::rename(&aside, rig.path()).unwrap();
    file.append(NOW, |_| vec![attempted(1, UnixMillis(60), LIVE, 1)]).unwrap();
    assert_eq!(rig.peek(), *file.ledger());
    assert_eq!(standing(file.ledger(), LIVE, 1, NOW), Standing::NeverAttempted);
}

#[test]
fn a_symlink_is_no_ledger() {
    let rig = Rig::new();
    fs::write(rig.dir.path().join("elsewhere"), "").unwrap();
    std::os::unix::fs::symlink("elsewhere", rig.path()).unwrap();
    assert!(matches!(rig.open(0), Err(LedgerError::Io { .. })));
}

#[test]
fn however_often_is_appended_the_file_stays_small() {
    let rig = Rig::with_spool();
    let mut file = LedgerFile::open_with(rig.dir.path(), &rig.spool(), Number(0), NOW, 4_000).unwrap();
    file.append(NOW, |_| vec![Record::Begun(begun(1))]).unwrap();
    let mut largest = 0;
    for round in 1..=500 {
        let cut = UnixMillis(NOW.0 + round * 60_000);
        let records = vec![exported(1, UnixMillis(cut.0 - 60_000)), attempted(1, cut, LIVE, round)];
        file.append(cut, |_| records).unwrap();
        largest = largest.max(fs::metadata(rig.path()).unwrap().len());
    }
    assert!(largest < 5_000, "{largest} bytes");
    let said: Vec<_> = [498, 499, 500].map(|seq| standing(&rig.peek(), LIVE, seq, NOW)).into();
    assert_eq!(said, [Standing::Exported, Standing::Attempted, Standing::NeverAttempted]);
}

#[test]
fn attempts_that_are_not_acknowledged_do_not_pile_up_and_an_ack_tells_of_no_more_than_it_covers() {
    let mut ledger = Ledger::default();
    ledger.append(Record::Begun(begun(1)));
    for round in 1..=1000 {
        ledger.append(attempted(1, UnixMillis(round), LIVE, round));
    }
    assert!(ledger.records().len() < 70);
    ledger.append(exported(1, UnixMillis(900)));
    let exported = ledger.spans().next().unwrap().exported().end_of(LIVE);
    assert!((700..=900).contains(&exported.0), "{exported:?}");
    ledger.append(super::tests::exported(1, UnixMillis(1000)));
    assert_eq!(standing(&ledger, LIVE, 999, NOW), Standing::Exported);
}

#[test]
fn a_stream_that_has_long_left_the_spool_is_let_go_and_its_entries_are_uncertain_from_then_on() {
    let rig = Rig::with_spool();
    let mut file = rig.open(0).unwrap();
    let both = [(LIVE, Seq(3)), (GONE, Seq(3))].into_iter().collect();
    let sent = Record::Attempted { span: SpanId::from_bits(1), cut: NOW, upto: both };
    file.append(NOW, |_| vec![Record::Begun(begun(1)), sent, exported(1, NOW)]).unwrap();
    let compacted = |days| {
        let now = NOW.after(DAY * days);
        let file = LedgerFile::open_with(rig.dir.path(), &rig.spool(), Number(0), now, 1).unwrap();
        file.ledger().clone()
    };
    assert_eq!(standing(&compacted(59), GONE, 0, NOW), Standing::Exported);
    let later = compacted(61);
    assert_eq!(later.forgotten_until(), Some(NOW));
    assert_eq!(later.spans().next().unwrap().attempted().len(), 1);
    assert_eq!(standing(&later, GONE, 0, NOW), Standing::Uncertain);
    assert_eq!(standing(&later, GONE, 9, NOW.after(DAY)), Standing::NeverAttempted);
    assert_eq!(standing(&later, LIVE, 0, NOW), Standing::Exported);
}

#[test]
fn a_span_that_has_ended_goes_when_its_streams_have() {
    let rig = Rig::new();
    let ended = Record::Ended { span: SpanId::from_bits(1), at: NOW };
    let records = vec![Record::Begun(begun(1)), attempted(1, NOW, GONE, 3), ended, Record::Begun(begun(2))];
    rig.open(0).unwrap().append(NOW, |_| records).unwrap();
    let later = NOW.after(DAY * 61);
    let file = LedgerFile::open_with(rig.dir.path(), &rig.spool(), Number(0), later, 1).unwrap();
    let left: Vec<_> = file.ledger().spans().map(|span| span.begun().span.clone()).collect();
    assert_eq!(left, [SpanId::from_bits(2)]);
}

#[test]
fn what_a_clock_put_back_makes_the_spans_own_counts_as_attempted() {
    let mut ledger = Ledger::default();
    ledger.append(Record::Begun(Begun { since: UnixMillis(900), ..begun(1) }));
    ledger.append(attempted(1, UnixMillis(1_000), LIVE, 3));
    assert_eq!(standing(&ledger, LIVE, 2, UnixMillis(500)), Standing::NeverAttempted);
    ledger.append(Record::Begun(Begun { since: UnixMillis(400), ..begun(1) }));
    assert_eq!(standing(&ledger, LIVE, 2, UnixMillis(500)), Standing::Attempted);
    assert_eq!(ledger.spans().count(), 1);
}

#[test]
fn a_pipelines_hash_tells_destination_tier_and_resource_apart_and_never_changes() {
    use crate::pipeline::identity::PipelineKey;
    let key = |destination: &str, tier, attributes: &[(&str, &str)]| {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let attributes = attributes.iter().map(own).collect();
        PipelineHash::of(&PipelineKey { destination: Some(destination.to_owned()), tier, attributes })
    };
    let hashes = [
        key("http://a/", 1, &[]),
        key("http://a/", 2, &[]),
        key("http://b/", 1, &[]),
        key("http://a/", 1, &[("team", "a")]),
        key("http://a/", 1, &[("tea", "ma")]),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    assert_eq!(hashes[0].to_string(), "199444b6bdcbc97b4597c7910aecf7f6");
}

#[test]
fn what_is_withheld_is_named_once_and_holds_only_what_had_not_been_attempted() {
    let actions = [
        Action::Enable(0),
        Action::Record(0),
        Action::Read,
        Action::Send,
        Action::Absence(vec![0, 1]),
        Action::Read,
        Action::Send,
    ];
    let world = World::after(&actions);
    let said: Vec<_> = world.truth().filter(|&(pipeline, ..)| pipeline == 0).collect();
    let standings: Vec<_> = said.iter().map(|(_, place, _)| world.ledger.standing(&hash(0), place)).collect();
    assert_eq!(standings, [Standing::Attempted, Standing::Withheld, Standing::Withheld]);
    assert_eq!(world.ledger.spans().next().unwrap().withheld().len(), 1);
    let ahead = Place { ended_at: UnixMillis(said[1].1.ended_at.0), ..said[0].1 };
    assert_eq!(world.ledger.standing(&hash(0), &ahead), Standing::Attempted, "sent under another clock");
}
