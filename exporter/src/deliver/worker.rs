//! The task that keeps one destination supplied.
//!
//! Snapshots go out in the order in which they were offered, one request at a time. One that fails is tried again when
//! the destination's health allows it, so that the snapshots behind it wait in the queue, which thins itself. An ack
//! covers every cut before its own: totals only grow.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccxray_shared::UnixMillis;
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Duration, Instant, sleep_until},
};

use super::{
    delivery::Delivery,
    destination::Destination,
    endpoint::Endpoint,
    failure_log::{FailureLog, Subject},
    health::{Event, Health, Jitter, MonoMillis, NextAttempt, Policy, State},
    messages::{FromWorker, Snapshot},
    outcome::{self, Outcome, OutcomeKind},
    payload::{Compression, Payload},
    queue::{Limits, Queue, Share, Waiting},
    record::{HealthRecord, Moment},
    tls::TlsError,
    transport::{HttpTransport, Reply, SendError, Transport},
    zeros,
};

/// What may be tuned, for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tuning {
    /// The breaker.
    pub policy: Policy,
    /// The queue.
    pub limits: Limits,
}

/// A worker's other end. Dropping it stops the worker as [`abort`](Self::abort) does.
#[derive(Debug)]
pub struct WorkerHandle {
    shared: Arc<Shared>,
    compression: Compression,
    task: AbortHandle,
}

impl WorkerHandle {
    /// Queues `snapshot`. Never blocks: when the queue is full, older snapshots go.
    pub fn offer(&self, snapshot: Snapshot) {
        let Snapshot { cut, request } = snapshot;
        let payload = Payload::encode(&request, self.compression);
        let has_zeros = zeros::any(&request, cut);
        let dropped = self.shared.queue().push(Waiting { cut, payload, has_zeros });
        self.shared.arrived.notify_one();
        self.shared.report_dropped(dropped);
    }

    /// Stops at once: nothing is sent any more, a request under way is broken off.
    pub fn abort(&self) {
        self.task.abort();
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.abort();
    }
}

/// Starts the worker of `destination`, on the tokio runtime that the caller is in. `health` is what the last process
/// knew of it; `events` is called from the worker and from [`WorkerHandle::offer`], and must not block; `share` is its
/// queue's of what may wait in all.
pub fn spawn(
    destination: &Destination,
    health: HealthRecord,
    events: impl Fn(FromWorker) + Send + Sync + 'static,
    log: FailureLog,
    share: Share,
) -> Result<WorkerHandle, TlsError> {
    let transport = HttpTransport::new(destination)?;
    let tuning = Tuning::default();
    let queue = Queue::new(tuning.limits, share);
    Ok(start(transport, destination, health, events, log, tuning.policy, queue))
}

/// [`spawn`] with a transport and numbers of the caller's choice.
pub fn spawn_with(
    transport: impl Transport,
    destination: &Destination,
    health: HealthRecord,
    events: impl Fn(FromWorker) + Send + Sync + 'static,
    log: FailureLog,
    tuning: Tuning,
) -> WorkerHandle {
    let queue = Queue::new(tuning.limits, Share::whole());
    start(transport, destination, health, events, log, tuning.policy, queue)
}

fn start(
    transport: impl Transport,
    destination: &Destination,
    health: HealthRecord,
    events: impl Fn(FromWorker) + Send + Sync + 'static,
    log: FailureLog,
    policy: Policy,
    queue: Queue,
) -> WorkerHandle {
    let shared =
        Arc::new(Shared { queue: Mutex::new(queue), arrived: Notify::new(), events: Box::new(events) });
    let clock = Clock(Instant::now());
    let worker = Worker {
        transport,
        shared: Arc::clone(&shared),
        health: health.restore(clock.now()),
        record: health,
        last_outcome: health.cause,
        policy,
        clock,
        log,
        endpoint: destination.endpoint.clone(),
        compression: destination.compression,
    };
    let task = tokio::spawn(worker.run()).abort_handle();
    WorkerHandle { shared, compression: destination.compression, task }
}

/// What handle and task both hold.
struct Shared {
    queue: Mutex<Queue>,
    arrived: Notify,
    events: Box<dyn Fn(FromWorker) + Send + Sync>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Waiting {
        loop {
            if let Some(waiting) = self.queue().pop() {
                return waiting;
            }
            self.arrived.notified().await;
        }
    }

    fn report(&self, event: FromWorker) {
        (self.events)(event);
    }

    fn report_dropped(&self, snapshots: u64) {
        if snapshots > 0 {
            self.report(FromWorker::Dropped { snapshots });
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("waiting", &self.queue().len()).finish_non_exhaustive()
    }
}

struct Worker<T> {
    transport: T,
    shared: Arc<Shared>,
    health: Health,
    record: HealthRecord,
    last_outcome: Option<OutcomeKind>,
    policy: Policy,
    clock: Clock,
    log: FailureLog,
    endpoint: Endpoint,
    compression: Compression,
}

impl<T: Transport> Worker<T> {
    async fn run(mut self) {
        loop {
            let waiting = self.shared.next().await;
            self.deliver(waiting).await;
        }
    }

    /// Sends one snapshot, in as many attempts and parts as it takes.
    async fn deliver(&mut self, waiting: Waiting) {
        let mut delivery = Delivery::new(waiting, self.compression);
        while let Some(body) = delivery.next_body() {
            self.permission().await;
            let attempt = self.transport.send(body).await;
            let outcome = outcome::classify(&attempt, UnixMillis::now());
            self.note(outcome, &attempt);
            delivery.learn(outcome);
        }
        self.conclude(&delivery);
    }

    /// Waits until an attempt may be made.
    async fn permission(&mut self) {
        loop {
            match self.health.next_attempt() {
                NextAttempt::Now => return,
                NextAttempt::Never => std::future::pending().await,
                NextAttempt::At(at) => sleep_until(self.clock.instant(at)).await,
            }
            if self.health.state() == State::Degraded {
                return;
            }
            self.step(Event::CooldownOver);
        }
    }

    fn note(&mut self, outcome: Outcome, attempt: &Result<Reply, SendError>) {
        let kind = outcome.kind();
        if kind != OutcomeKind::Delivered {
            let now = self.clock.now().wall;
            match attempt {
                Ok(reply) => {
                    let detail = format_args!("status {}", reply.status);
                    self.log.attempt(now, self.subject(), kind.as_str(), &detail);
                }
                Err(error) => {
                    let detail = self.endpoint.conceal(&error.to_string());
                    self.log.attempt(now, self.subject(), kind.as_str(), &detail);
                }
            }
        }
        self.last_outcome = Some(kind);
        self.step(event_of(outcome));
        if is_tried_again(outcome) {
            self.shared.report(FromWorker::Failed);
        }
    }

    fn conclude(&mut self, delivery: &Delivery) {
        for &(reason, points) in delivery.rejections() {
            self.shared.report(FromWorker::Rejected { reason, points });
        }
        let backlog = if delivery.is_too_old() { self.shared.queue().keep_newest() } else { 0 };
        if delivery.is_acked() {
            let (cut, rejected) = (delivery.cut(), delivery.rejected());
            self.shared.report(FromWorker::Acked { cut, rejected });
        } else {
            self.step(Event::Lost);
            self.shared.report_dropped(backlog + 1);
        }
    }

    fn step(&mut self, event: Event) {
        let now = self.clock.now();
        let before = self.health;
        self.health = before.step(event, now.mono, &self.policy, jitter());
        if self.health == before {
            return;
        }
        let record = HealthRecord::new(self.health, self.last_outcome, now);
        if self.health.state() == before.state() {
            self.record = HealthRecord { since: self.record.since, ..record };
        } else {
            self.record = record;
            self.log.transition(now.wall, self.subject(), before.state(), self.health.state());
        }
        self.shared.report(FromWorker::Health(self.record));
    }

    /// One more than the queue holds: the snapshot in hand.
    fn subject(&self) -> Subject<'_> {
        Subject { destination: &self.endpoint, waiting: self.shared.queue().len() + 1 }
    }
}

fn event_of(outcome: Outcome) -> Event {
    match outcome {
        Outcome::Delivered | Outcome::Partial { .. } => Event::Delivered,
        Outcome::Retryable { after } => Event::Retryable { after },
        Outcome::Refused => Event::Refused,
        Outcome::Misconfigured => Event::Misconfigured,
        Outcome::TooLarge | Outcome::TooOld | Outcome::Poison => Event::Rejected,
    }
}

fn is_tried_again(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Retryable { .. } | Outcome::Refused | Outcome::Misconfigured => true,
        Outcome::Delivered
        | Outcome::Partial { .. }
        | Outcome::TooLarge
        | Outcome::TooOld
        | Outcome::Poison => false,
    }
}

/// Without randomness every install waits the same, which is worse for the server but not wrong.
fn jitter() -> Jitter {
    let mut byte = [0];
    getrandom::fill(&mut byte).map_or(Jitter(0), |()| Jitter(byte[0]))
}

/// Monotonic time since the worker's start.
#[derive(Clone, Copy, Debug)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> Moment {
        let elapsed = u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { mono: MonoMillis(elapsed), wall: UnixMillis::now() }
    }

    fn instant(self, at: MonoMillis) -> Instant {
        self.0 + Duration::from_millis(at.0)
    }
}
