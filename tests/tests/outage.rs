//! A destination that is away: nothing is lost, nothing piles up, and nobody hammers at its door.

use ccxray_tests::{
    World,
    client::{Ask, Client},
    collector::{Collector, Reply},
    eventually::{eventually, eventually_equal},
    exposition,
    upstream::{Message, Usage, script::always},
};

async fn world() -> World {
    World::start(always(Message::of("claude-opus-4-8").text("Yes.").usage(Usage::sample(1)).streamed())).await
}

async fn ask(world: &World, times: usize) {
    for n in 0..times {
        world.client.ask(&Ask::simple(&format!("Question {n}"))).await;
    }
}

#[tokio::test]
async fn a_collector_that_was_away_gets_exact_totals_when_it_is_back() {
    let mut world = world().await;
    ask(&world, 3).await;
    world.settled().await;
    let (address, stored) = (world.collector.address(), world.collector.totals());
    world.collector = Collector::start().await;
    let log = world.state.dir().join("exporter/otel.log");
    ask(&world, 3).await;
    eventually("a failed attempt in the failure log", || {
        std::fs::read(&log).ok().filter(|log| !log.is_empty())
    })
    .await;
    world.collector = Collector::start_at(&address.to_string()).await;
    ask(&world, 3).await;
    eventually("the collector to have all", || (world.collector.totals() == world.truth()).then_some(()))
        .await;
    assert_ne!(stored, world.truth());
}

#[tokio::test]
async fn refusals_for_a_moment_lose_nothing() {
    let world = world().await;
    world.collector.reply(Reply::Status(503, Some(1)));
    ask(&world, 5).await;
    eventually("a refused push", || (world.collector.count() > 0).then_some(())).await;
    world.collector.reply(Reply::Accept);
    ask(&world, 5).await;
    world.settled().await;
}

#[tokio::test]
async fn a_partial_success_is_not_sent_again() {
    let world = world().await;
    world.collector.reply(Reply::Partial(1));
    ask(&world, 5).await;
    world.settled().await;
    let mut bodies: Vec<_> = world.collector.received().into_iter().map(|push| push.plain).collect();
    let pushes = bodies.len();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), pushes);
}

#[tokio::test]
async fn a_destination_that_refuses_the_credentials_is_left_alone_while_the_counting_goes_on() {
    let world = world().await;
    world.collector.reply(Reply::Status(401, None));
    ask(&world, 3).await;
    eventually("a refused push", || (world.collector.count() > 0).then_some(())).await;
    // Some more windows, each with something to send.
    let page = Client::new(&world.exporter.url());
    for _ in 0..3 {
        ask(&world, 2).await;
        let truth = world.truth();
        eventually_equal("the local page to count on", &truth, async || {
            exposition::totals(&String::from_utf8_lossy(&page.ask(&Ask::get("/metrics")).await.body))
        })
        .await;
    }
    assert_eq!(world.collector.count(), 1);
}
