//! The spool's writer and reader against a model: whatever is appended, rolled, killed, removed or restarted in
//! whatever order, every entry is handed out once or counted as lost once.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write as _,
    time::Instant,
};

use ccxray_shared::{
    Name,
    spool::{Writer, WriterOptions},
};
use proptest::prelude::*;

use super::{tests::entry, *};

#[derive(Clone, Debug)]
enum Action {
    /// A writer commits so many entries at once.
    Append(usize, u8),
    /// A writer says that so many entries were lost.
    Lose(usize, u8),
    /// A writer is killed, with or without half a line behind its last one; another one takes its place.
    Kill(usize, bool),
    /// The reader takes up to so many entries.
    Read(u8),
    /// The reader is killed and goes on from its positions.
    Restart,
    /// The oldest segment that is followed by another one of its stream is removed.
    Remove,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0..2_usize, 1..6_u8).prop_map(|(writer, n)| Action::Append(writer, n)),
        1 => (0..2_usize, 1..4_u8).prop_map(|(writer, n)| Action::Lose(writer, n)),
        1 => (0..2_usize, any::<bool>()).prop_map(|(writer, torn)| Action::Kill(writer, torn)),
        4 => (1..8_u8).prop_map(Action::Read),
        2 => Just(Action::Restart),
        1 => Just(Action::Remove),
    ]
}

struct Model {
    dir: tempfile::TempDir,
    writers: Vec<Option<Writer>>,
    next_stream: u64,
    clock: u64,
    source: Source,
    written: u64,
    gaps: u64,
    torn: u64,
    taken: BTreeSet<u64>,
    losses: Vec<(String, u64)>,
}

impl Model {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut source = Source::begin(dir.path());
        source.refresh().unwrap();
        let mut model = Self {
            dir,
            writers: vec![None, None],
            next_stream: 1,
            clock: 1000,
            source,
            written: 0,
            gaps: 0,
            torn: 0,
            taken: BTreeSet::new(),
            losses: Vec::new(),
        };
        for writer in 0..2 {
            model.begin(writer);
        }
        model
    }

    fn begin(&mut self, writer: usize) {
        let mut options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
        // A few entries fill a segment, so that segments roll all the time.
        options.max_segment = 1500;
        let stream = StreamId::from_bits(self.next_stream);
        self.next_stream += 1;
        self.writers[writer] = Some(Writer::open(self.dir.path(), stream, options).unwrap());
    }

    fn apply(&mut self, action: &Action) {
        match *action {
            Action::Append(writer, n) => self.append(writer, n, 0),
            Action::Lose(writer, n) => self.append(writer, 0, n),
            Action::Kill(writer, torn) => self.kill(writer, torn),
            Action::Read(n) => self.read(n),
            Action::Restart => self.source = Source::resume(self.dir.path(), self.source.positions()),
            Action::Remove => self.remove(),
        }
    }

    fn append(&mut self, writer: usize, entries: u8, lost: u8) {
        let writer = self.writers[writer].as_mut().unwrap();
        for _ in 0..entries {
            self.clock += 1;
            writer.stage_entry(entry(self.clock), UnixMillis(self.clock));
        }
        if lost > 0 {
            writer.stage_loss(lost.into(), Name::from_wire("no_slot"), UnixMillis(self.clock));
        }
        writer.commit(UnixMillis(self.clock), Instant::now()).unwrap();
        self.written += u64::from(entries);
        self.gaps += u64::from(lost);
    }

    fn kill(&mut self, index: usize, torn: bool) {
        let writer = self.writers[index].take().unwrap();
        let stream = writer.stream();
        drop(writer);
        // A killed process leaves its lock file behind, unlocked.
        fs::write(self.dir.path().join(stream.lock_name()), b"").unwrap();
        let segments = layout::list(self.dir.path()).unwrap();
        if let Some(last) = segments.iter().rfind(|segment| segment.id.stream == stream).filter(|_| torn) {
            let mut file = OpenOptions::new().append(true).open(last.path(self.dir.path())).unwrap();
            file.write_all(b"{\"kind\":\"entry\",\"v\":1,\"id\":").unwrap();
            self.torn += 1;
        }
        self.begin(index);
    }

    fn read(&mut self, n: u8) {
        self.source.refresh().unwrap();
        for _ in 0..n {
            let Some((_, ended_at)) = self.source.peek() else { break };
            let (stream, line) = self.source.advance().unwrap();
            self.source.recycle(stream, line);
            assert!(self.taken.insert(ended_at.0), "entry {} was handed out twice", ended_at.0);
        }
        // The exporter counts what was found before it remembers the positions.
        for finding in self.source.take_findings() {
            match finding {
                Finding::Lost { reason, entries } => self.losses.push((reason.as_str().to_owned(), entries)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn remove(&mut self) {
        let segments = layout::list(self.dir.path()).unwrap();
        let followed = segments.windows(2).find(|pair| pair[0].id.stream == pair[1].id.stream);
        if let Some(pair) = followed {
            fs::remove_file(pair[0].path(self.dir.path())).unwrap();
        }
    }

    fn lost(&self, reason: &str) -> u64 {
        self.losses.iter().filter(|(found, _)| found == reason).map(|(_, entries)| entries).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_entry_is_handed_out_once_or_counted_as_lost_once(
        actions in proptest::collection::vec(action(), 1..60),
        removes in any::<bool>(),
    ) {
        let mut model = Model::new();
        for action in &actions {
            if removes || !matches!(action, Action::Remove) {
                model.apply(action);
            }
        }
        // Living streams are read to their end; the dead ones of the end need a second look, as in life.
        for _ in 0..2 {
            model.read(u8::MAX);
            while model.source.peek().is_some() {
                model.read(u8::MAX);
            }
        }
        prop_assert_eq!(model.taken.len() as u64 + model.lost("expired"), model.written);
        prop_assert_eq!(model.lost("torn"), model.torn);
        prop_assert_eq!(model.lost("missing"), 0);
        if !removes {
            prop_assert_eq!(model.lost("no_slot"), model.gaps);
        }
    }
}
