//! The breaker in time: hours pass at once, because tokio's clock is paused and nothing here is a socket.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use ccxray_exporter::deliver::{
    CutId, FromWorker,
    health::State,
    transport::{Reply, SendError, Transport},
    worker::Tuning,
};
use tokio::time::{Instant, sleep};

use crate::rig::{Rig, destination};

/// Answers its `n`th attempt, counted from 0, as scripted, and notes the time.
struct Scripted<F> {
    start: Instant,
    attempts: Arc<Mutex<Vec<f64>>>,
    script: F,
}

impl<F: Fn(usize) -> u16 + Send + Sync + 'static> Transport for Scripted<F> {
    async fn send(&self, _: Bytes) -> Result<Reply, SendError> {
        let number = {
            let mut attempts = self.attempts.lock().unwrap();
            attempts.push(self.start.elapsed().as_secs_f64());
            attempts.len() - 1
        };
        match (self.script)(number) {
            0 => Err(SendError::Timeout),
            status => Ok(Reply {
                status,
                content_type: None,
                retry_after: (status == 429).then(|| "7200".to_owned()),
                body: Bytes::new(),
            }),
        }
    }
}

fn rig(script: impl Fn(usize) -> u16 + Send + Sync + 'static) -> (Rig, Arc<Mutex<Vec<f64>>>) {
    let attempts = Arc::default();
    let transport = Scripted { start: Instant::now(), attempts: Arc::clone(&attempts), script };
    let mut rig = Rig::with(transport, &destination("http://localhost:1", &[]), Tuning::default());
    rig.patience = Duration::from_hours(2);
    (rig, attempts)
}

/// The waits between attempts are these seconds, or up to a fifth more.
fn assert_waits(attempts: &Mutex<Vec<f64>>, expected: &[f64]) {
    let attempts = attempts.lock().unwrap();
    let waits: Vec<f64> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits.len(), expected.len(), "{waits:?}");
    for (wait, expected) in waits.iter().zip(expected) {
        // Timers of tokio are a millisecond coarse.
        assert!((expected - 0.002..expected * 1.2 + 0.01).contains(wait), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_met_with_five_attempts_and_then_ever_rarer_probes() {
    let (mut rig, attempts) = rig(|number| if number < 10 { [0, 502, 503, 504][number % 4] } else { 200 });
    rig.offer(1, &["m"]);
    let events = rig.until_acked(1).await;
    assert_waits(&attempts, &[1.0, 2.0, 4.0, 8.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0]);
    let states = events.iter().filter_map(|event| match event {
        FromWorker::Health(record) => Some(record.state),
        _ => None,
    });
    let mut states: Vec<_> = states.collect();
    states.dedup();
    let probe = [State::CircuitOpen, State::HalfOpen];
    let expected = [&[State::Degraded][..], &probe.repeat(6), &[State::Active]].concat();
    assert_eq!(states, expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_two_hours_is_left_alone_for_one() {
    let (mut rig, attempts) = rig(|number| if number == 0 { 429 } else { 200 });
    rig.offer(1, &["m"]);
    rig.until_acked(1).await;
    assert_waits(&attempts, &[3600.0]);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_probed_every_ten_minutes() {
    let (mut rig, attempts) = rig(|number| if number < 3 { 401 } else { 200 });
    rig.offer(1, &["m"]);
    rig.until_acked(1).await;
    assert_waits(&attempts, &[600.0, 600.0, 600.0]);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_no_collector_is_asked_ever_less_often() {
    let (mut rig, attempts) = rig(|number| if number < 6 { 404 } else { 200 });
    rig.offer(1, &["m"]);
    rig.until_acked(1).await;
    assert_waits(&attempts, &[60.0, 120.0, 240.0, 480.0, 600.0, 600.0]);
}

#[tokio::test(start_paused = true)]
async fn after_ten_days_without_an_answer_the_newest_totals_arrive_and_little_was_kept() {
    let minutes = 10 * 24 * 60;
    let outage = Duration::from_mins(minutes);
    let start = Instant::now();
    let (mut rig, attempts) = rig(move |_| if start.elapsed() < outage { 0 } else { 200 });
    for cut in 1..=minutes {
        rig.offer(cut, &["m"]);
        sleep(Duration::from_mins(1)).await;
    }
    let events = rig.until_acked(minutes).await;
    let acked = events.iter().filter(|event| matches!(event, FromWorker::Acked { .. })).count() as u64;
    let dropped: u64 = events
        .iter()
        .map(|event| match event {
            FromWorker::Dropped { snapshots } => *snapshots,
            _ => 0,
        })
        .sum();
    assert_eq!(acked + dropped, minutes, "each is acked or counted");
    assert!(acked <= 2049, "{acked}");
    assert_eq!(events.last(), Some(&FromWorker::Acked { cut: CutId(minutes), rejected: 0 }));
    let during = attempts.lock().unwrap().iter().filter(|at| **at < outage.as_secs_f64()).count();
    assert!(during < 1460, "{during} attempts: one per ten minutes, and the first few");
}
