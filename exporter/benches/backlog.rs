//! What it costs to turn a backlog into metrics: CPU per entry of the whole engine (tail, decode, classify, measure,
//! budgets, checkpoints, the local pipeline and one destination), beside that of peers on the same lines in the same run.
//!
//! `cargo bench -p ccxray-exporter --bench backlog [-- ENTRIES]`. The figure to keep is the ratio: microseconds belong to a
//! machine.

#![expect(clippy::print_stdout, reason = "its output is its product")]

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use ccxray_exporter::{
    classify::price_table::PriceTable,
    consent::{Consents, Keeper, Tier, keeper::Sources, own::Home, trust::TrustStore},
    deliver::{Figures, Snapshot},
    engine::{
        Command, Commands, Core, CoreOptions, Engine, EngineOptions, Exported, Outlet, PipelineId,
        random_bits,
    },
    source::Source,
};
use ccxray_shared::{
    Name, UnixMillis,
    line::Line,
    private,
    segment::StreamId,
    spool::{Writer, WriterOptions},
    state_dir::StateDir,
};
use prost::Message;

/// How far apart in time the entries are: a minute's window holds 600 of them.
const APART: Duration = Duration::from_millis(100);

fn main() {
    let entries = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(400_000);
    let root = tempfile::tempdir().expect("a scratch directory can be made");
    let state_dir = StateDir::resolve(Some(root.path().join("state"))).expect("a directory was given");
    let lines = backlog(&state_dir, entries);
    let bytes = lines.iter().map(Vec::len).sum::<usize>() / lines.len();
    println!("{entries} entries of {bytes} bytes on average");

    let value = cpu_per_entry(entries, || each(&lines, entries, parse_value));
    let typed = cpu_per_entry(entries, || each(&lines, entries, |line| drop(black_box(Line::decode(line)))));
    let snapshots = Arc::<AtomicUsize>::default();
    let engine = cpu_per_entry(entries, || digest(&state_dir, entries, &snapshots));
    println!("serde_json::Value alone  {value:6.2} µs");
    println!("decoding alone           {typed:6.2} µs");
    println!("the whole engine         {engine:6.2} µs, {} snapshots", snapshots.load(Relaxed));
    println!("ratio to serde_json::Value {:.2}", engine / value);
    println!("peak memory of all of it {} MB", peak_memory() / 1_000_000);
}

fn parse_value(line: &[u8]) {
    drop(black_box(serde_json::from_slice::<serde_json::Value>(line)));
}

fn each(lines: &[Vec<u8>], entries: usize, mut work: impl FnMut(&[u8])) {
    lines.iter().cycle().take(entries).for_each(|line| work(line));
}

/// CPU of the whole process, in microseconds.
fn cpu_per_entry(entries: usize, work: impl FnOnce()) -> f64 {
    let before = cpu();
    work();
    let spent = cpu().saturating_sub(before);
    spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(entries).expect("fewer than four thousand millions"))
}

fn cpu() -> Duration {
    let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(usage).expect("a process's CPU time is not negative")
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1000
}

/// Writes the backlog, and gives a sample of its lines.
fn backlog(state_dir: &StateDir, entries: usize) -> Vec<Vec<u8>> {
    let templates: Vec<&str> = include_str!("backlog.jsonl").lines().collect();
    let options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("9b1c2d3e4f506172"));
    let mut writer = Writer::open(&state_dir.spool(), StreamId::from_bits(1), options)
        .expect("the scratch directory can be written");
    let start =
        UnixMillis::now().before(APART * u32::try_from(entries + 100).expect("a bench of a sane size"));
    let mut sample = Vec::new();
    for i in 0..entries {
        let Ok(Line::Entry(mut entry)) = Line::decode(templates[i % templates.len()].as_bytes()) else {
            panic!("the templates are entries")
        };
        entry.ended_at = start.after(APART * u32::try_from(i + 1).expect("fits"));
        entry.started_at = entry.ended_at.before(Duration::from_millis(entry.latency_ms));
        // A session lasts some two hundred requests.
        entry.session = Some(Name::from_string(format!("{:016x}", (i / 200) * 7 + i % 3)));
        if sample.len() < 1000 {
            let mut line = Vec::new();
            Line::Entry(entry.clone()).encode(&mut line).expect("plain data encodes");
            line.pop();
            sample.push(line);
        }
        writer.stage_entry(*entry, UnixMillis::now());
        if writer.staged_len() > 1 << 20 {
            writer.commit(UnixMillis::now(), Instant::now()).expect("the scratch directory can be written");
        }
    }
    writer.commit(UnixMillis::now(), Instant::now()).expect("the scratch directory can be written");
    sample
}

/// One destination, for exchanges without a project's file.
fn consents(state_dir: &StateDir) -> Arc<Consents> {
    let endpoint =
        |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "http://127.0.0.1".to_owned());
    let sources = Sources {
        home: Home { home: None, config: None },
        trust: TrustStore::new(&state_dir.exporter()),
        ceiling: Some(Tier::Anonymous),
        told: None,
        variables: Box::new(endpoint),
    };
    Keeper::start(sources).expect("no file says anything").consents()
}

/// Encodes snapshots, as a worker does, and counts them.
struct Encoded(Arc<AtomicUsize>);

impl Outlet for Encoded {
    fn changes(&mut self) -> Vec<Arc<Consents>> {
        Vec::new()
    }

    fn explore(&mut self, _: &str) {}

    fn open(&mut self, _: &Exported) {}

    fn close(&mut self, _: PipelineId) {}

    fn offer(&mut self, _: PipelineId, snapshot: Snapshot) {
        black_box(snapshot.request.encode_to_vec());
        self.0.fetch_add(1, Relaxed);
    }
}

/// Lets the engine work through the backlog, until it has read the last entry.
fn digest(state_dir: &StateDir, entries: usize, snapshots: &Arc<AtomicUsize>) {
    let options = CoreOptions {
        interval: Duration::from_mins(1),
        resume_grace: Duration::from_mins(5),
        consents: consents(state_dir),
        prices: PriceTable::embedded(),
    };
    let core = Core::start(options, None, UnixMillis(1), random_bits);
    let outlet = Box::new(Encoded(snapshots.clone()));
    let figures = Arc::new(Figures::new().expect("nothing is pushed"));
    let (commands, orders) = Commands::new();
    let vitals = orders.vitals();
    private::ensure_dir(&state_dir.exporter()).expect("the scratch directory can be written");
    let source = Source::begin(&state_dir.spool());
    let mut engine =
        Engine::new(EngineOptions { state_dir: state_dir.clone(), core, source, outlet, figures });
    engine.remember_beginning();
    let thread = std::thread::spawn(move || engine.run(&orders));
    // The last minute is still open when everything has been read.
    let windows = entries * usize::try_from(APART.as_millis()).expect("small") / 60_000;
    let deadline = Instant::now() + Duration::from_mins(5);
    while snapshots.load(Relaxed) + 3 < windows || vitals.lag_bytes() > 0 {
        assert!(
            Instant::now() < deadline,
            "the engine stands {} bytes before the end, with {snapshots:?} of {windows} snapshots; {:?}",
            vitals.lag_bytes(),
            vitals.problem()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    commands.send(Command::Stop { flush: false });
    thread.join().expect("the engine does not panic");
}
