//! What each kind of answer leads to.

use std::{collections::BTreeSet, sync::Arc};

use ccxray_exporter::deliver::{
    CutId, FromWorker, health::State, messages::RejectReason, outcome::OutcomeKind,
};
use tokio::sync::Notify;

use crate::{
    collector::{Act, Collector, answer, answer_bytes, ok},
    rig::Rig,
};

const ACKED: FromWorker = FromWorker::Acked { cut: CutId(1), rejected: 0 };

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("m{number}")).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn snapshots_arrive_in_order_and_each_is_acked() {
    let collector = Collector::start(|_, _| ok()).await;
    let mut rig = Rig::towards(collector.address);
    for cut in 1..=3 {
        rig.offer(cut, &[&format!("m{cut}")]);
    }
    let acks: Vec<_> = (1..=3).map(|cut| FromWorker::Acked { cut: CutId(cut), rejected: 0 }).collect();
    assert_eq!(rig.until_acked(3).await, acks);
    let names: Vec<_> = collector.received().into_iter().flat_map(|request| request.metrics).collect();
    assert_eq!(names, ["m1", "m2", "m3"]);
    assert_eq!(collector.connections(), 1, "the connection is kept");
    assert_eq!(rig.log(), "", "success is no news");
}

#[tokio::test]
async fn a_request_carries_its_own_headers_and_no_others() {
    let collector = Collector::start(|_, _| ok()).await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["m"]);
    rig.until_acked(1).await;
    let head = collector.received().remove(0).head;
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("post /v1/metrics http/1.1"));
    let headers: BTreeSet<_> =
        lines.filter(|line| !line.is_empty()).map(|line| line.split(':').next().unwrap()).collect();
    let expected = ["content-encoding", "content-length", "content-type", "host", "user-agent"];
    assert_eq!(headers, BTreeSet::from(expected));
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    assert!(head.contains("user-agent: ccxray-exporter/"), "{head}");
}

#[tokio::test]
async fn a_partial_success_is_counted_and_not_sent_again() {
    // Field 1 of 2 bytes with field 1 = 7, written by hand.
    let collector = Collector::start(|_, _| answer(200, "", b"\x0a\x02\x08\x07")).await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["m"]);
    let rejected = FromWorker::Rejected { reason: RejectReason::PartialSuccess, points: 7 };
    assert_eq!(rig.until_acked(1).await, [rejected, FromWorker::Acked { cut: CutId(1), rejected: 7 }]);
    assert_eq!(collector.received().len(), 1);
}

#[tokio::test]
async fn one_poisoned_metric_does_not_stop_the_others() {
    let collector = Collector::start(|_, metrics| {
        if metrics.iter().any(|name| name == "m13") { answer(400, "", b"invalid metric") } else { ok() }
    })
    .await;
    let mut rig = Rig::towards(collector.address);
    let names = numbered(32);
    rig.offer(1, &borrowed(&names));
    let rejected = FromWorker::Rejected { reason: RejectReason::BadData, points: 1 };
    assert_eq!(rig.until_acked(1).await, [rejected, FromWorker::Acked { cut: CutId(1), rejected: 1 }]);
    // The whole, then at most log2 32 + 1.
    let received = collector.received();
    assert!(received.len() <= 7, "{}", received.len());
    let clean = received.iter().filter(|request| !request.metrics.contains(&"m13".to_owned()));
    let taken: BTreeSet<_> = clean.flat_map(|request| &request.metrics).collect();
    assert_eq!(taken, names.iter().filter(|name| *name != "m13").collect());
}

#[tokio::test]
async fn a_destination_that_takes_nothing_leaves_the_snapshot_unacked_and_itself_degraded() {
    let collector = Collector::start(|_, _| answer(400, "", b"invalid temporality")).await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["a", "b"]);
    assert_eq!(rig.until(State::Degraded).await.cause, Some(OutcomeKind::Poison));
    assert_eq!(rig.event().await, FromWorker::Dropped { snapshots: 1 });
    assert_eq!(rig.pending_events(), []);
}

#[tokio::test]
async fn what_is_too_large_is_split_and_acked_when_all_parts_are() {
    let collector =
        Collector::start(|_, metrics| if metrics.len() > 2 { answer(413, "", b"") } else { ok() }).await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["a", "b", "c", "d", "e"]);
    assert_eq!(rig.until_acked(1).await, [ACKED]);
    let received = collector.received();
    let mut taken: Vec<_> = received
        .iter()
        .filter(|request| request.metrics.len() <= 2)
        .flat_map(|request| &request.metrics)
        .collect();
    taken.sort();
    assert_eq!(taken, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_part_that_fails_is_repeated_alone() {
    let collector = Collector::start(|number, metrics| match (number, metrics.len()) {
        (_, 2) => answer(413, "", b""),
        (2, _) => answer(503, "", b""),
        _ => ok(),
    })
    .await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["a", "b"]);
    rig.until_acked(1).await;
    let requests: Vec<_> =
        collector.received().into_iter().map(|request| request.metrics.join("+")).collect();
    assert_eq!(requests, ["a+b", "a", "b", "b"]);
}

#[tokio::test]
async fn too_old_discards_the_backlog_and_sends_the_newest() {
    let gate = Arc::new(Notify::new());
    let too_old = answer_bytes(400, "", b"out of order sample");
    let held = Arc::clone(&gate);
    let collector =
        Collector::start(
            move |number, _| {
                if number == 0 { Act::Gate(Arc::clone(&held), too_old.clone()) } else { ok() }
            },
        )
        .await;
    let mut rig = Rig::towards(collector.address);
    for cut in 1..=5 {
        rig.offer(cut, &[&format!("m{cut}")]);
    }
    gate.notify_one();
    let events = rig.until_acked(5).await;
    let news: Vec<_> = events.into_iter().filter(|event| !matches!(event, FromWorker::Health(_))).collect();
    assert_eq!(
        news,
        [FromWorker::Dropped { snapshots: 4 }, FromWorker::Acked { cut: CutId(5), rejected: 0 }]
    );
    let names: Vec<_> = collector.received().into_iter().flat_map(|request| request.metrics).collect();
    assert_eq!(names, ["m1", "m5"]);
}

#[tokio::test]
async fn no_answer_and_a_broken_connection_are_tried_again() {
    for bad in [
        || Act::Hang,
        || Act::Close,
        || Act::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab".to_vec()),
    ] {
        let collector = Collector::start(move |number, _| if number == 0 { bad() } else { ok() }).await;
        let mut rig = Rig::towards(collector.address);
        rig.offer(1, &["m"]);
        assert_eq!(rig.until(State::Degraded).await.failures, 1);
        assert_eq!(rig.until_acked(1).await.last(), Some(&ACKED));
        assert_eq!(collector.received().len(), 2);
    }
}

#[tokio::test]
async fn a_dead_port_is_no_connection() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut rig = Rig::towards(closed);
    rig.offer(1, &["m"]);
    rig.until(State::CircuitOpen).await;
    assert!(rig.log().contains("attempt retryable (no connection: Connection refused"), "{}", rig.log());
}

#[tokio::test]
async fn a_login_page_is_no_collector() {
    let page = b"<html><title>Sign in</title></html>";
    let collector =
        Collector::start(
            |number, _| {
                if number == 0 { answer(200, "content-type: text/html\r\n", page) } else { ok() }
            },
        )
        .await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["m"]);
    rig.until(State::Degraded).await;
    assert_eq!(rig.until_acked(1).await.last(), Some(&ACKED), "and is asked again later");
    assert!(rig.log().contains("attempt misconfigured (status 200)"));
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for status in [301, 302, 307, 308] {
        let elsewhere = Collector::start(|_, _| ok()).await;
        let location = format!("location: http://{}/v1/metrics\r\n", elsewhere.address);
        let collector = Collector::start(
            move |number, _| {
                if number == 0 { answer(status, &location, b"") } else { ok() }
            },
        )
        .await;
        let mut rig = Rig::towards(collector.address);
        rig.offer(1, &["m"]);
        rig.until(State::Degraded).await;
        rig.until_acked(1).await;
        assert_eq!((elsewhere.connections(), collector.received().len()), (0, 2), "{status}");
    }
}

#[tokio::test]
async fn an_endless_reply_ends_with_the_attempt() {
    let flood = [
        b"HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
        b"10000\r\n".to_vec(),
        vec![b'x'; 0x10000],
    ]
    .concat();
    let collector =
        Collector::start(move |number, _| if number == 0 { Act::Answer(flood.clone()) } else { ok() }).await;
    let mut rig = Rig::towards(collector.address);
    rig.offer(1, &["m"]);
    rig.until_acked(1).await;
    assert!(rig.log().contains("attempt retryable (status 503)"), "{}", rig.log());
}

#[tokio::test]
async fn aborting_breaks_off_the_request_under_way_and_sends_nothing_more() {
    let collector = Collector::start(|_, _| Act::Hang).await;
    let destination = crate::rig::destination(
        &format!("http://{}", collector.address),
        &[("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")],
    );
    let transport = ccxray_exporter::deliver::transport::HttpTransport::new(&destination).unwrap();
    let mut rig = Rig::with(transport, &destination, crate::rig::QUICK);
    rig.offer(1, &["m"]);
    rig.offer(2, &["m"]);
    collector.received_at_least(1).await;
    rig.worker.abort();
    tokio::time::timeout(std::time::Duration::from_secs(10), collector.hung_up()).await.expect("hung up");
    rig.offer(3, &["m"]);
    assert_eq!((collector.received().len(), collector.connections()), (1, 1));
    assert_eq!(rig.pending_events(), []);
}
