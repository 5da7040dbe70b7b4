//! Files that cannot grow: a limit on their size makes the kernel cut a write short and then refuse it, as a full disk
//! does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

use std::time::Duration;

use ccxray_tests::{
    World,
    client::{Ask, Client, End},
    eventually::eventually,
    exposition,
    spool::Spool,
    truth::Totals,
    upstream::{Message, Usage, script::always},
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

fn limit_files_of(pid: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(pid.try_into().unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

async fn ask(world: &World, times: usize) {
    for n in 0..times {
        let answered = world.client.ask(&Ask::simple(&format!("Question {n}"))).await;
        assert_eq!((answered.status, answered.end), (200, End::Clean), "whatever becomes of the entry");
    }
}

async fn on_the_page(world: &World) -> Totals {
    let scrape = Client::new(&world.exporter.url()).ask(&Ask::get("/metrics")).await;
    exposition::totals(&String::from_utf8(scrape.body).unwrap())
}

async fn world() -> World {
    World::start(always(Message::of("claude-opus-4-8").text("Yes.").usage(Usage::sample(1)).streamed())).await
}

#[tokio::test]
async fn entries_that_find_no_room_are_counted_in_a_gap_and_no_answer_is_touched() {
    let mut world = world().await;
    ask(&world, 2).await;
    world.settled().await;
    // Room for a segment's header and a part of an entry.
    limit_files_of(world.proxy.pid(), Some(400));
    ask(&world, 3).await;
    eventually("a refused write in the log", || {
        world.proxy.said().contains("failed to write segment").then_some(())
    })
    .await;
    limit_files_of(world.proxy.pid(), None);
    ask(&world, 1).await;
    eventually("the gap", || (Spool::read(&world.state.dir()).lost > 0).then_some(())).await;
    world.proxy.stop().await;
    let spool = Spool::read(&world.state.dir());
    spool.assert_no_holes();
    assert_eq!((spool.len() as u64 + spool.lost, spool.torn), (6, 0));
    assert!(spool.lost <= 3, "{} lost", spool.lost);
}

#[tokio::test]
async fn an_exporter_that_cannot_write_its_checkpoint_sends_nothing_that_it_could_not_stand_by() {
    let world = world().await;
    ask(&world, 2).await;
    world.settled().await;
    // Too little for a checkpoint, enough for the log to say so.
    limit_files_of(world.exporter.pid(), Some(1500));
    eventually("a refused checkpoint in the log", || {
        world.exporter.said().contains("nothing is sent until it can be").then_some(())
    })
    .await;
    let stored = world.collector.totals();
    ask(&world, 2).await;
    let all = world.truth();
    timeout(PATIENCE, async { while on_the_page(&world).await != all {} }).await.expect("counting goes on");
    assert_eq!(world.collector.totals(), stored);
    limit_files_of(world.exporter.pid(), None);
    world.settled().await;
}
