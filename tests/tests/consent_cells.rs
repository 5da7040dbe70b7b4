//! What a project and a person say together, and what becomes of it when one of them says something else: on the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use ccxray_tests::{
    collector::{Collector, Received, totals_of},
    daemons::{Exporter, RunningExporter},
    machine::{Machine, NAME, agrees, has_requests, pushes_on, resources, sends},
    trace::{Trace, Tracer},
};
use serde_json::json;

/// What a file says of its tier: nothing, or 0, 1, 2.
const SAID: [Option<u8>; 4] = [None, Some(0), Some(1), Some(2)];

/// The tier that comes of it: a row for what the project says, a column for what the person says.
const TABLE: [[u8; 4]; 4] = [[0, 0, 1, 2], [0, 0, 0, 0], [1, 0, 1, 1], [1, 0, 1, 2]];

/// A lowered tier takes effect within a second; half of another one is for a machine that has much to do.
const A_SECOND: Duration = Duration::from_millis(1500);

/// A project, its collector, and the tier that is to be seen there.
struct Cell {
    name: String,
    dir: PathBuf,
    collector: Collector,
    tier: u8,
}

/// All that a person with this column comes to.
struct Column {
    machine: Machine,
    cells: Vec<Cell>,
    exporter: RunningExporter,
    trace: Option<Trace>,
}

fn exporter() -> Exporter {
    Exporter::without_consent().interval("100ms")
}

impl Cell {
    /// The project that says this, on the machine of this column. One without a file lies where the person's own file covers
    /// it, or would.
    async fn set(machine: &Machine, row: usize, column: usize) -> Self {
        let collector = Collector::start().await;
        let name = format!("project-{row}");
        let dir = match SAID[row] {
            Some(tier) => machine.trusted(&name, tier, &collector),
            None => machine.path(&name),
        };
        fs::create_dir_all(&dir).unwrap();
        if let Some(tier) = SAID[column]
            && row == 0
        {
            let mut own = agrees(tier);
            own["endpoint"] = json!(collector.url());
            own["trusted_roots"] = json!([dir]);
            machine.person_says(&own);
        }
        Self { name, dir, collector, tier: TABLE[row][column] }
    }

    fn assert_as_the_table_says(&self, column: usize) {
        let cell = format!("{} × {:?}", self.name, SAID[column]);
        let some = |text: &str| Some(text.to_owned());
        // Without a file of its own a project has no name.
        let name = if self.name == "project-0" { None } else { some(&self.name) };
        let (names, persons) = match self.tier {
            0 => (vec![], vec![]),
            1 => (vec![name], vec![None]),
            _ => (vec![name], vec![some(NAME)]),
        };
        assert_eq!(self.collector.connections() > 0, self.tier > 0, "{cell}");
        assert_eq!(resources(&self.collector, "project.name"), names, "{cell}");
        assert_eq!(resources(&self.collector, "enduser.id"), persons, "{cell}");
        for push in self.collector.received() {
            let is_named = String::from_utf8_lossy(&push.plain).contains(NAME);
            assert_eq!(is_named, self.tier == 2, "{cell}");
        }
        self.collector.assert_sound();
    }
}

impl Column {
    async fn set(column: usize, tracer: Option<&Tracer>) -> Self {
        let machine = Machine::new().await;
        let mut cells = Vec::new();
        for row in 0..SAID.len() {
            cells.push(Cell::set(&machine, row, column).await);
        }
        let trace = tracer.map(Tracer::trace);
        let exporter = trace.iter().fold(exporter(), Exporter::traced);
        let exporter = exporter.start(&machine.state).await;
        for cell in &cells {
            machine.asks(&cell.dir, 1).await;
        }
        Self { machine, cells, exporter, trace }
    }

    async fn settled(&self) {
        self.machine.has_counted(&self.exporter).await;
        for cell in self.cells.iter().filter(|cell| cell.tier > 0) {
            has_requests(&cell.collector, 1).await;
        }
    }

    /// It connected to those collectors only that are to have something.
    async fn assert_connected_to_no_other(mut self) {
        self.exporter.stop().await;
        let Some(trace) = self.trace else { return };
        let calls = trace.ended().await;
        let consented = self.cells.iter().filter(|cell| cell.tier > 0);
        let consented: BTreeSet<_> = consented.map(|cell| cell.collector.address().to_string()).collect();
        assert_eq!(calls.peers(), consented);
        assert_eq!(calls.sockets() == 0, consented.is_empty());
        assert_eq!(calls.lookups(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn each_of_the_sixteen_cells_is_what_is_seen_on_the_wire() {
    let tracer = Tracer::new();
    let mut columns = Vec::new();
    for column in 0..SAID.len() {
        columns.push(Column::set(column, tracer.as_ref()).await);
    }
    for column in &columns {
        column.settled().await;
    }
    for (column, set) in columns.into_iter().enumerate() {
        for cell in &set.cells {
            cell.assert_as_the_table_says(column);
        }
        set.assert_connected_to_no_other().await;
    }
}

/// A machine with two projects that send; nobody changes his mind about the second one, which is the clock.
struct Live {
    machine: Machine,
    dir: PathBuf,
    collector: Collector,
    steady_dir: PathBuf,
    steady: Collector,
    exporter: RunningExporter,
}

impl Live {
    async fn new(tier: u8) -> Self {
        let (machine, collector, steady) =
            (Machine::new().await, Collector::start().await, Collector::start().await);
        machine.person_says(&agrees(2));
        let dir = machine.trusted("one", tier, &collector);
        let steady_dir = machine.trusted("steady", 1, &steady);
        let exporter = exporter().start(&machine.state).await;
        let live = Self { machine, dir, collector, steady_dir, steady, exporter };
        live.both_ask().await;
        has_requests(&live.collector, 1).await;
        has_requests(&live.steady, 1).await;
        live
    }

    async fn both_ask(&self) {
        self.machine.asks(&self.dir, 1).await;
        self.machine.asks(&self.steady_dir, 1).await;
    }

    /// How often the project has asked.
    fn asked(&self) -> i128 {
        i128::try_from(self.machine.upstream.served().len() / 2).unwrap()
    }

    /// Goes on asking until `is_over` is, and lets all of it be pushed that is going to be.
    async fn asks_until(&self, is_over: impl Fn() -> bool) {
        while !is_over() {
            self.both_ask().await;
            pushes_on(&self.steady, 1).await;
        }
    }

    /// Goes on asking for well over a second, and checks that nothing came to this collector that was late.
    async fn assert_stopped(&self, collector: &Collector, said: Instant) {
        while said.elapsed() < 2 * A_SECOND {
            self.both_ask().await;
            self.machine.has_counted(&self.exporter).await;
        }
        let late = collector.received().into_iter().filter(|push| push.at > said + A_SECOND).count();
        assert_eq!(late, 0, "pushes that came too late");
    }
}

/// How many requests a collector was told of under this instance id.
fn told(collector: &Collector, instance: &str) -> i128 {
    let points = collector.points().into_iter().filter(|point| point.instance == instance);
    totals_of(points).sum("ccxray.requests_total")
}

/// The instance ids that were seen, in their order, each with the person that it names.
fn instances(collector: &Collector) -> Vec<(String, Option<String>)> {
    let mut seen = Vec::new();
    for push in collector.received() {
        let instance = push.resource("service.instance.id").expect("each push bears one");
        let named = (instance, push.resource("enduser.id"));
        if !seen.contains(&named) {
            seen.push(named);
        }
    }
    seen
}

#[tokio::test]
async fn a_changed_file_stops_within_a_second_and_trusted_again_it_starts_from_zero() {
    let live = Live::new(1).await;
    live.machine.project("one", &sends("one", 2, &live.collector.url()));
    live.assert_stopped(&live.collector, Instant::now()).await;
    let asked_before = live.asked();
    live.machine.trusts(&live.dir);
    live.asks_until(|| instances(&live.collector).len() == 2).await;
    let [(_, nobody), (again, somebody)] = &instances(&live.collector)[..] else { panic!() };
    assert_eq!((nobody.as_deref(), somebody.as_deref()), (None, Some(NAME)));
    let told = told(&live.collector, again);
    assert!(0 < told && told <= live.asked() - asked_before, "consent is not retroactive: {told}");
    live.collector.assert_sound();
}

#[tokio::test]
async fn a_person_who_says_no_stops_everything_within_a_second() {
    let live = Live::new(2).await;
    live.machine.person_says(&agrees(0));
    let said = Instant::now();
    live.assert_stopped(&live.collector, said).await;
    live.assert_stopped(&live.steady, said).await;
}

#[tokio::test]
async fn a_person_who_wants_to_be_named_no_longer_is_not_and_nothing_links_him() {
    let live = Live::new(2).await;
    let asked_before = live.asked();
    live.machine.person_says(&agrees(1));
    let said = Instant::now();
    live.asks_until(|| instances(&live.collector).len() > 1 && said.elapsed() > A_SECOND).await;
    let [(first, named), (second, anonymous)] = &instances(&live.collector)[..] else { panic!() };
    assert_eq!((named.as_deref(), anonymous.as_deref()), (Some(NAME), None));
    assert_ne!(first, second);
    assert!(told(&live.collector, second) <= live.asked() - asked_before, "it starts from zero");
    let shows_him = |push: &Received| String::from_utf8_lossy(&push.plain).contains(NAME);
    let late =
        live.collector.received().into_iter().filter(|push| shows_him(push) && push.at > said + A_SECOND);
    assert_eq!(late.count(), 0);
    assert!(
        !live
            .collector
            .received()
            .iter()
            .any(|push| !shows_him(push) && String::from_utf8_lossy(&push.plain).contains(first))
    );
    live.collector.assert_sound();
    assert_eq!(instances(&live.steady).len(), 1, "nothing changed for the other one");
}
