//! The export ledger: what may have left this machine is in it before it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ccxray_tests::{
    World,
    client::{Ask, Client},
    collector::{Collector, Reply},
    daemons::{Exporter, State},
    eventually::{eventually, eventually_equal},
    exposition,
    spool::Spool,
    upstream::{Message, Usage, script::always},
};
use serde_json::Value;

const KILLS: usize = 6;

async fn world() -> World {
    World::start(always(Message::of("claude-opus-4-8").text("Yes.").usage(Usage::sample(1)).streamed())).await
}

async fn ask(world: &World, times: usize) {
    for n in 0..times {
        world.client.ask(&Ask::simple(&format!("Question {n}"))).await;
    }
}

/// The ledger's file, read without the product's code.
fn path(state: &State) -> PathBuf {
    state.dir().join("exporter/ledger.log")
}

fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The last line may just be on its way.
    text.lines().filter_map(|line| serde_json::from_str(line.splitn(3, ' ').nth(2)?).ok()).collect()
}

fn of_kind<'r>(records: &'r [Value], kind: &'static str) -> impl Iterator<Item = &'r Value> {
    records.iter().filter(move |record| record["kind"] == kind)
}

/// How many entries the ledger says were attempted.
fn attempted(state: &State) -> u64 {
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    for record in of_kind(&records(&path(state)), "attempted") {
        for (stream, end) in record["upto"].as_object().unwrap() {
            let reached = reached.entry(stream.clone()).or_default();
            *reached = end.as_u64().unwrap().max(*reached);
        }
    }
    reached.values().sum()
}

/// Whether the last attempt has been acknowledged.
fn is_exported(state: &State) -> bool {
    let records = records(&path(state));
    let last = |kind| of_kind(&records, kind).last().map(|record| record["cut"].as_u64().unwrap());
    last("exported").is_some() && last("exported") == last("attempted")
}

/// How many exchanges a collector has been told of.
fn told(collector: &Collector) -> u64 {
    u64::try_from(collector.totals().sum("ccxray.requests_total")).unwrap()
}

fn status(state: &State) -> Value {
    serde_json::from_str(&Exporter::command(state, &["status", "--json"])).unwrap()
}

#[tokio::test]
async fn what_a_collector_has_is_in_the_ledger_whenever_the_exporter_is_killed() {
    let mut world = world().await;
    for _ in 0..KILLS {
        let before = told(&world.collector);
        ask(&world, 2).await;
        eventually("a push with something new", || (told(&world.collector) > before).then_some(())).await;
        world.exporter.kill();
        assert!(attempted(&world.state) >= told(&world.collector));
        world.exporter = Exporter::to(&world.collector.url()).start(&world.state).await;
    }
    world.settled().await;
    let records = records(&path(&world.state));
    let instances: Vec<_> = of_kind(&records, "begun").map(|begun| &begun["instance"]).collect();
    assert_eq!(instances.len(), 1, "one pipeline, however often it was taken over");
    assert_eq!(attempted(&world.state), Spool::read(&world.state.dir()).len() as u64);
    assert_eq!(status(&world.state)["ledger"]["uncertain"], Value::Array(vec![]));
}

#[tokio::test]
async fn what_may_not_have_arrived_is_attempted_and_exported_once_it_has() {
    let world = world().await;
    world.collector.reply(Reply::Status(503, Some(1)));
    ask(&world, 3).await;
    eventually("three attempted entries", || (attempted(&world.state) == 3).then_some(())).await;
    eventually("a refused push", || (world.collector.count() > 0).then_some(())).await;
    assert!(of_kind(&records(&path(&world.state)), "exported").next().is_none());
    world.collector.reply(Reply::Accept);
    world.settled().await;
    eventually("the ack in the ledger", || is_exported(&world.state).then_some(())).await;
    assert_eq!(attempted(&world.state), 3);
}

#[tokio::test]
async fn while_the_ledger_cannot_be_written_nothing_is_sent_and_the_status_says_so() {
    let world = world().await;
    ask(&world, 2).await;
    world.settled().await;
    fs::remove_file(path(&world.state)).unwrap();
    fs::create_dir(path(&world.state)).unwrap();
    let stored = world.collector.totals();
    ask(&world, 2).await;
    eventually("a refused write in the log", || {
        world.exporter.said().contains("nothing is sent until it can be").then_some(())
    })
    .await;
    let page = Client::new(&world.exporter.url());
    eventually_equal("the local page to count on", &world.truth(), async || {
        exposition::totals(&String::from_utf8_lossy(&page.ask(&Ask::get("/metrics")).await.body))
    })
    .await;
    assert_eq!(world.collector.totals(), stored);
    let said = Exporter::command(&world.state, &["status"]);
    assert!(said.contains("nothing is sent until it"), "{said}");
    fs::remove_dir(path(&world.state)).unwrap();
    world.settled().await;
    let ledger = &status(&world.state)["ledger"];
    assert_eq!(ledger["damage"], Value::Null);
    assert_eq!(ledger["uncertain"][0]["why"], "records", "{ledger}");
}

#[tokio::test]
async fn what_ended_during_a_long_absence_is_withheld_in_the_ledger_and_in_the_status() {
    let mut world = world().await;
    ask(&world, 2).await;
    world.settled().await;
    world.exporter.kill();
    let stored = world.collector.totals();
    ask(&world, 3).await;
    eventually("five entries", || (Spool::read(&world.state.dir()).len() == 5).then_some(())).await;
    let patient = Exporter::to(&world.collector.url()).argument("--resume-grace").argument("1ms");
    world.exporter = patient.start(&world.state).await;
    ask(&world, 1).await;
    eventually("the entry after the absence", || (told(&world.collector) == 3).then_some(())).await;
    assert_ne!(world.collector.totals(), stored);
    let records = records(&path(&world.state));
    let withheld: Vec<_> = of_kind(&records, "withheld").collect();
    let [withheld] = withheld[..] else { panic!("{withheld:?}") };
    let spool = Spool::read(&world.state.dir());
    let ended = spool.entries().filter(|entry| {
        let at = &entry["ended_at"];
        at.as_u64() > withheld["from"].as_u64() && at.as_u64() < withheld["until"].as_u64()
    });
    assert_eq!((ended.count(), &withheld["why"]), (3, &Value::from("absence")));
    let status = status(&world.state);
    let range = &status["ledger"]["withheld"][0];
    assert_eq!((&range["from"], &range["until"]), (&withheld["from"], &withheld["until"]));
    eventually("the count of what is withheld", || {
        let said = Exporter::command(&world.state, &["status"]);
        said.contains("withheld   3 entries of ").then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_consent_there_is_no_ledger_and_withdrawn_consent_ends_it() {
    let mut world = world().await;
    ask(&world, 2).await;
    world.settled().await;
    eventually("the ack in the ledger", || is_exported(&world.state).then_some(())).await;
    world.exporter.stop().await;
    world.exporter = Exporter::without_consent().start(&world.state).await;
    eventually("the end of the pipeline", || {
        of_kind(&records(&path(&world.state)), "ended").next().map(drop)
    })
    .await;
    let fresh = State::new();
    let mut nobody = Exporter::without_consent().start(&fresh).await;
    nobody.stop().await;
    assert!(!path(&fresh).exists());
}
