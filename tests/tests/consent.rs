//! Nothing leaves the machine unless its user wants it to, and nothing more does when he no longer wants it.

use ccxray_tests::{
    World,
    client::{Ask, Client},
    collector::{Collector, Reply},
    daemons::{Exporter, Proxy, RunningExporter, State},
    eventually::{eventually, eventually_equal},
    exposition,
    truth::{expected, from_upstream},
    upstream::{Message, Upstream, Usage, script::always},
};

fn script() -> impl ccxray_tests::upstream::script::Script {
    always(Message::of("claude-opus-4-8").text("Yes.").usage(Usage::sample(1)).streamed())
}

async fn ask(client: &Client, times: usize) {
    for n in 0..times {
        client.ask(&Ask::simple(&format!("Question {n}"))).await;
    }
}

/// Waits until the local page has counted all that the upstream served.
async fn counted_locally(exporter: &RunningExporter, upstream: &Upstream) {
    let truth = expected(&from_upstream(&upstream.served()));
    let client = Client::new(&exporter.url());
    let scrape = async || {
        let answered = client.ask(&Ask::get("/metrics")).await;
        exposition::totals(&String::from_utf8_lossy(&answered.body))
    };
    eventually_equal("the local page to count the traffic", &truth, scrape).await;
}

/// Counts the traffic with this exporter, whose environment names the collector; nothing may come there.
async fn assert_sends_nothing(exporter: Exporter) {
    let state = State::new();
    let upstream = Upstream::start(script()).await;
    let proxy = Proxy::start(&state, &upstream.url()).await;
    let collector = Collector::start().await;
    let exporter = exporter.variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url());
    let exporter = exporter.variable("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &collector.url());
    let mut exporter = exporter.start(&state).await;
    ask(&Client::new(&proxy.url()), 5).await;
    counted_locally(&exporter, &upstream).await;
    exporter.stop().await;
    assert_eq!(collector.connections(), 0, "no socket was opened towards the collector");
}

#[tokio::test]
async fn without_a_tier_nothing_is_sent() {
    assert_sends_nothing(Exporter::without_consent()).await;
}

#[tokio::test]
async fn at_tier_0_nothing_is_sent() {
    assert_sends_nothing(Exporter::without_consent().argument("--tier").argument("0")).await;
}

#[tokio::test]
async fn with_a_tier_it_is_sent() {
    let world = World::start(script()).await;
    ask(&world.client, 5).await;
    world.settled().await;
}

#[tokio::test]
async fn after_sigterm_no_push_begins() {
    let mut world = World::start(script()).await;
    ask(&world.client, 3).await;
    world.settled().await;
    // The next push hangs: there is always one under way, and always something new that waits behind it.
    world.collector.reply(Reply::Hang);
    let before = world.collector.count();
    ask(&world.client, 3).await;
    eventually("a push that hangs", || (world.collector.count() > before).then_some(())).await;
    let (pushes, connections) = (world.collector.count(), world.collector.connections());
    ask(&world.client, 3).await;
    world.collector.reply(Reply::Accept);
    world.exporter.stop().await;
    assert_eq!(world.collector.count(), pushes, "no push began");
    assert_eq!(world.collector.connections(), connections, "no connection was made");
}

#[tokio::test]
async fn a_stopped_exporter_ends_within_its_two_seconds_even_if_a_push_hangs() {
    let mut world = World::start(script()).await;
    world.collector.reply(Reply::Hang);
    ask(&world.client, 3).await;
    eventually("a push that hangs", || (world.collector.count() > 0).then_some(())).await;
    let asked = std::time::Instant::now();
    world.exporter.stop().await;
    // Two seconds, and as much again for a machine that has much to do.
    assert!(asked.elapsed().as_secs_f32() < 4.0, "it took {:?}", asked.elapsed());
}
