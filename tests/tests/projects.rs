//! Several projects on one machine: each sends where and as much as its people agreed to, from the moment they agree to
//! the moment they do not.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use ccxray_tests::{
    client::Ask,
    collector::{Collector, Reply},
    daemons::{Exporter, RunningExporter},
    eventually,
    machine::{Machine, NAME, agrees, resources, sends},
};
use serde_json::{Value, json};

const REQUESTS: &str = "ccxray.requests_total{class=turn,provider=anthropic,route=messages,status=2xx}";

async fn has(collector: &Collector, requests: i128) {
    eventually("the collector to have the requests", || {
        (collector.totals().get(REQUESTS) == requests).then_some(())
    })
    .await;
}

async fn started(machine: &Machine) -> RunningExporter {
    Exporter::without_consent().start(&machine.state).await
}

fn command(machine: &Machine, arguments: &[&str]) -> String {
    Exporter::command(&machine.state, arguments)
}

#[tokio::test]
async fn two_projects_go_to_two_collectors_and_a_name_to_that_of_tier_2_only() {
    let machine = Machine::new().await;
    let (anonymous, named, server) =
        (Collector::start().await, Collector::start().await, Collector::start().await);
    machine.person_says(&agrees(2));
    let one = machine.trusted("one", 1, &anonymous);
    let two = machine.trusted("two", 2, &named);
    let mut exporter = Exporter::without_consent().server(&server.url()).start(&machine.state).await;
    machine.asks(&one, 3).await;
    machine.asks(&two, 2).await;
    machine.client.ask(&Ask::simple("Whose?")).await;
    has(&anonymous, 3).await;
    has(&named, 2).await;
    has(&server, 1).await;
    for collector in [&anonymous, &named, &server] {
        collector.assert_sound();
    }
    assert_eq!(resources(&anonymous, "enduser.id"), [None]);
    assert_eq!(resources(&anonymous, "project.name"), [Some("one".to_owned())]);
    assert_eq!(resources(&named, "enduser.id"), [Some(NAME.to_owned())]);
    assert_eq!(resources(&named, "project.name"), [Some("two".to_owned())]);
    let of_process = |push: &ccxray_tests::collector::Received| {
        String::from_utf8_lossy(&push.plain).contains("ccxray.exporter.lag_bytes")
    };
    eventually("the exporter's own figures at the server", || {
        server.received().iter().any(of_process).then_some(())
    })
    .await;
    let dirs = [one, two].map(|dir| dir.display().to_string());
    for collector in [&anonymous, &named] {
        let received = collector.received();
        assert!(!received.iter().any(of_process), "they are the server's only");
        let has_dir = |text: &str| dirs.iter().any(|dir| text.contains(dir.as_str()));
        assert!(!received.iter().any(|push| has_dir(&String::from_utf8_lossy(&push.plain))));
    }
    exporter.stop().await;
    let said = exporter.said();
    let lines = [
        format!("ccxray OTel tier: 1 (anonymous) → {}/v1/metrics", anonymous.url()),
        format!("ccxray OTel tier: 2 (named) → {}/v1/metrics", named.url()),
    ];
    assert!(lines.iter().all(|line| said.contains(line)), "{said}");
    assert!(
        said.contains("allows tier 1; yours counts as that") || said.contains("allows tier 1 (anonymous)"),
        "{said}"
    );
}

#[tokio::test]
async fn a_project_counts_from_the_moment_it_is_trusted_until_it_is_another_one() {
    let machine = Machine::new().await;
    let collector = Collector::start().await;
    let dir = machine.project("one", &sends("one", 1, &collector.url()));
    let mut exporter = started(&machine).await;
    machine.asks(&dir, 2).await;
    machine.has_counted(&exporter).await;
    assert_eq!(collector.connections(), 0, "nobody trusts it");
    let report = command(&machine, &["status"]);
    assert!(report.contains(&format!("→ ccxray-exporter trust {}", dir.display())), "{report}");

    machine.trusted("one", 1, &collector);
    machine.asks(&dir, 1).await;
    eventually("the exporter to have seen that it is trusted", || {
        exporter.said().contains("ccxray OTel tier: 1 (anonymous)").then_some(())
    })
    .await;
    let before = machine.upstream.served().len();
    machine.asks(&dir, 3).await;
    eventually("what came after that", || (collector.totals().get(REQUESTS) >= 3).then_some(())).await;
    assert!(collector.totals().get(REQUESTS) <= 4, "consent is not retroactive");
    let first = resources(&collector, "service.instance.id");
    assert_eq!(first.len(), 1);
    assert_eq!(before, 3);

    // The same file with one more space is another one.
    let file = dir.join(".ccxray.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text} ")).unwrap();
    eventually("the exporter to say so", || exporter.said().contains("has changed").then_some(())).await;
    let pushes = collector.count();
    machine.asks(&dir, 2).await;
    machine.has_counted(&exporter).await;
    assert_eq!(collector.count(), pushes, "no push came any more");
    let report = command(&machine, &["status"]);
    assert!(report.contains("has changed"), "{report}");

    command(&machine, &["trust", dir.to_str().unwrap()]);
    eventually("a new series for the new consent", || {
        machine_asks_once(&machine, &dir);
        (resources(&collector, "service.instance.id").len() == 2).then_some(())
    })
    .await;
    collector.assert_sound();
    exporter.stop().await;
}

/// One exchange in the background: whether it is counted decides the caller.
fn machine_asks_once(machine: &Machine, dir: &Path) {
    let (client, ask) = (machine.client.clone(), Ask::simple("Again?").from_dir(dir));
    tokio::spawn(async move { client.ask(&ask).await });
}

#[tokio::test]
async fn a_persons_no_breaks_off_the_push_under_way_within_a_second() {
    let machine = Machine::new().await;
    let collector = Collector::start().await;
    machine.person_says(&agrees(2));
    let dir = machine.trusted("one", 2, &collector);
    let exporter = started(&machine).await;
    machine.asks(&dir, 1).await;
    has(&collector, 1).await;
    collector.reply(Reply::Hang);
    machine.asks(&dir, 1).await;
    let before = collector.count();
    eventually("a push that hangs", || (collector.count() > before).then_some(())).await;
    assert!(collector.open() > 0);
    let asked = Instant::now();
    machine.person_says(&json!({"tier": 0}));
    eventually("the push to be broken off", || (collector.open() == 0).then_some(())).await;
    // A second, and as much again for a machine that has much to do.
    assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
    let (pushes, connections) = (collector.count(), collector.connections());
    collector.reply(Reply::Accept);
    machine.asks(&dir, 2).await;
    machine.has_counted(&exporter).await;
    assert_eq!((collector.count(), collector.connections()), (pushes, connections));
    let said = exporter.said();
    assert!(said.contains("nothing leaves this machine any more"), "{said}");
}

#[tokio::test]
async fn a_destination_that_is_away_delays_nobody_else() {
    let machine = Machine::new().await;
    let (hangs, answers) = (Collector::start().await, Collector::start().await);
    hangs.reply(Reply::Hang);
    let one = machine.trusted("one", 1, &hangs);
    let two = machine.trusted("two", 1, &answers);
    let mut exporter = started(&machine).await;
    for round in 1..=3 {
        machine.asks(&one, 1).await;
        machine.asks(&two, 1).await;
        has(&answers, round).await;
    }
    assert!(hangs.count() > 0, "it was tried");
    assert_eq!(hangs.totals().get(REQUESTS), 0);
    let asked = Instant::now();
    exporter.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
    hangs.reply(Reply::Accept);
    let _exporter = started(&machine).await;
    has(&hangs, 3).await;
    hangs.assert_sound();
    answers.assert_sound();
    assert_eq!(resources(&hangs, "service.instance.id").len(), 1, "a restart goes on under the same id");
    assert_eq!(resources(&answers, "service.instance.id").len(), 1);
}

#[tokio::test]
async fn directories_that_nobody_here_trusts_get_nothing_sent_or_read() {
    let machine = Machine::new().await;
    let collector = Collector::start().await;
    let trusted = machine.trusted("one", 1, &collector);
    let other = machine.project("other", &sends("other", 2, &collector.url()));
    let mut exporter = started(&machine).await;
    let climbing = trusted.join("../other");
    for dir in [&other, &climbing, Path::new("/"), Path::new("/proc/self/cwd"), Path::new("one")] {
        machine.asks(dir, 1).await;
    }
    machine.has_counted(&exporter).await;
    exporter.stop().await;
    assert_eq!(collector.connections(), 0);
}

#[tokio::test]
async fn a_stamp_of_0_keeps_an_exchange_out_and_the_rest_is_told_by_status_and_preview() {
    let machine = Machine::new().await;
    let collector = Collector::start().await;
    machine.person_says(&agrees(2));
    let dir = machine.trusted("one", 2, &collector);
    let exporter = started(&machine).await;
    let ask = || Ask::simple("Hi").from_dir(&dir);
    for stamped in [ask(), ask().header("x-ccxray-tier", "0"), ask()] {
        machine.client.ask(&stamped).await;
    }
    has(&collector, 2).await;
    machine.has_counted(&exporter).await;
    assert_eq!(resources(&collector, "enduser.id"), [Some(NAME.to_owned())]);
    let preview = command(&machine, &["preview", "--project", dir.to_str().unwrap()]);
    assert!(preview.contains(NAME) && preview.contains("/v1/metrics (tier 2)"), "{preview}");
    let status: Value = serde_json::from_str(&command(&machine, &["status", "--json"])).unwrap();
    let destination = &status["destinations"][0];
    assert_eq!(destination["acknowledged_at"], "2026-11-20T10:00:00Z");
    assert_eq!(destination["attributes"]["project.name"], "one");
    let files = destination["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file == dir.join(".ccxray.json").to_str().unwrap()), "{files:?}");
    assert_eq!(status["projects"][0]["standing"], "sent");
}
