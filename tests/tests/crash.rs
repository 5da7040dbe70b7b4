//! kill -9 at any moment: what reached the spool is counted once, and exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use ccxray_tests::{
    client::{Ask, Client, End},
    collector::Collector,
    daemons::{Exporter, Proxy, State},
    eventually::{eventually, eventually_equal},
    spool::Spool,
    truth::{expected, from_spool},
    upstream::{Answer, Message, Upstream, Usage},
    wire::Request,
};
use serde_json::json;
use tokio::task::JoinHandle;

const OPUS: &str = "claude-opus-4-8";
const KILLS: usize = 100;

/// What is promised: an answer that ended this long before its proxy was killed has its entry.
const FLUSH: Duration = Duration::from_millis(250);

/// How long a client waits for an answer.
const GIVE_UP: Duration = Duration::from_secs(5);

/// An answer whose usage says which request it was for: the question is its number.
fn numbered(request: &Request) -> Answer {
    let question = request.json()["messages"][0]["content"].clone();
    let number = question.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    let usage = Usage { input: number, ..Usage::sample(1) };
    Message::of(OPUS).text("Yes.").tool("Bash", json!({"command": "ls"})).usage(usage).streamed()
}

/// An answer that a client had whole.
#[derive(Clone, Copy, Debug)]
struct Finished {
    number: u64,
    at: Instant,
}

/// Clients that ask without pause until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Finished>>>,
}

impl Load {
    /// Two clients, of which each asks some hundred times a second at most.
    fn start(base: &str) -> Self {
        let (stop, numbers) = (Arc::<AtomicBool>::default(), Arc::new(AtomicU64::new(1)));
        let client = |_| {
            let (base, stop, numbers) = (base.to_owned(), stop.clone(), numbers.clone());
            tokio::spawn(async move { ask_on(&Client::new(&base), &stop, &numbers).await })
        };
        let clients = (0..2).map(client).collect();
        Self { stop, clients }
    }

    /// Stops them; all answers that any of them had whole.
    async fn stop(self) -> Vec<Finished> {
        self.stop.store(true, Relaxed);
        let mut finished = Vec::new();
        for client in self.clients {
            finished.extend(client.await.expect("a client does not panic"));
        }
        finished
    }
}

async fn ask_on(client: &Client, stop: &AtomicBool, numbers: &AtomicU64) -> Vec<Finished> {
    let mut finished = Vec::new();
    while !stop.load(Relaxed) {
        let number = numbers.fetch_add(1, Relaxed);
        // A new session now and then.
        let session = format!("00000000-0000-4000-8000-{:012}", number / 50);
        let ask = Ask::turn(&session, OPUS, &json!([{"role": "user", "content": number.to_string()}]));
        // Nobody answers for a proxy that died while the connection was being made: a client gives up by itself.
        let Ok(answered) = tokio::time::timeout(GIVE_UP, client.ask(&ask)).await else { continue };
        if answered.end == End::Clean && answered.status == 200 {
            finished.push(Finished { number, at: Instant::now() });
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    finished
}

/// A time to live that is never the same.
fn lifetime(kill: usize, at_most: u64) -> Duration {
    let spread = (kill as u64).wrapping_mul(2_654_435_761) % 1_000;
    Duration::from_millis(at_most * spread / 1_000)
}

/// Which answers have an entry. Panics if one has two.
fn recorded(spool: &Spool) -> BTreeSet<u64> {
    let mut times: BTreeMap<u64, u32> = BTreeMap::new();
    for entry in spool.entries() {
        if let Some(number) = entry["usage"]["counts"]["input_tokens"].as_u64() {
            *times.entry(number).or_default() += 1;
        }
    }
    let twice: Vec<_> = times.iter().filter(|&(_, &times)| times > 1).collect();
    assert!(twice.is_empty(), "recorded more than once: {twice:?}");
    times.into_keys().collect()
}

/// Waits until the collector says what the spool holds, and checks how it came to say so.
async fn assert_collector_agrees_with(spool: &Spool, collector: &Collector) {
    let truth = expected(&from_spool(spool));
    assert_eq!(truth.sum("ccxray.requests_total"), spool.len() as i128);
    let what = "the collector's totals to be what the spool holds";
    eventually_equal(what, &truth, async || collector.totals()).await;
    collector.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exporter_killed_a_hundred_times_counts_every_entry_once() {
    let state = State::new();
    let upstream = Upstream::start(numbered).await;
    let mut proxy = Proxy::start(&state, &upstream.url()).await;
    let collector = Collector::start().await;
    let exporter = Exporter::to(&collector.url()).interval("100ms");
    // What ended before the first start is not counted: consent is not retroactive.
    let mut running = exporter.start(&state).await;
    let load = Load::start(&proxy.url());
    for kill in 0..KILLS {
        let pushes = collector.count();
        if kill % 5 == 4 {
            // Some live long enough to push, and die during or soon after that.
            eventually("a push", || (collector.count() > pushes).then_some(())).await;
            tokio::time::sleep(lifetime(kill, 150)).await;
        } else {
            tokio::time::sleep(lifetime(kill, 300)).await;
        }
        running.kill();
        running = exporter.start(&state).await;
    }
    let finished = load.stop().await;
    proxy.stop().await;
    let spool = Spool::read(&state.dir());
    spool.assert_no_holes();
    assert_eq!(recorded(&spool), finished.iter().map(|answer| answer.number).collect());
    assert!(
        collector.count() > KILLS / 4,
        "the exporter lived long enough to push: {} pushes",
        collector.count()
    );

    assert_collector_agrees_with(&spool, &collector).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_killed_a_hundred_times_loses_only_what_it_had_no_time_to_write() {
    let state = State::new();
    let upstream = Upstream::start(numbered).await;
    let collector = Collector::start().await;
    let _exporter = Exporter::to(&collector.url()).start(&state).await;
    let mut proxy = Proxy::start(&state, &upstream.url()).await;
    let (address, load) = (proxy.address().to_owned(), Load::start(&proxy.url()));
    let mut deaths = Vec::new();
    for kill in 0..KILLS {
        tokio::time::sleep(FLUSH / 2 + lifetime(kill, 300)).await;
        let written_before = Instant::now().checked_sub(FLUSH).expect("the machine runs longer than that");
        proxy.kill();
        proxy = Proxy::start_with(&state, &upstream.url(), &address, &[]).await;
        deaths.push(written_before..Instant::now());
    }
    let finished = load.stop().await;
    proxy.stop().await;
    let spool = Spool::read(&state.dir());
    spool.assert_no_holes();
    let recorded = recorded(&spool);
    // A client may take an answer from its socket's buffer when the proxy is already dead.
    let in_time = |answer: &&Finished| !deaths.iter().any(|death| death.contains(&answer.at));
    let lost: Vec<_> =
        finished.iter().filter(in_time).filter(|answer| !recorded.contains(&answer.number)).collect();
    assert!(lost.is_empty(), "{} of {} answers have no entry: {lost:?}", lost.len(), finished.len());
    // One that dies before it has finished an exchange has written nothing.
    assert!(spool.streams.len() > KILLS / 2, "{} streams", spool.streams.len());
    assert_collector_agrees_with(&spool, &collector).await;
}
