//! One snapshot on its way: what the next request holds, and what came of the earlier ones.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use super::{
    bisect::{Metrics, Plan},
    messages::{CutId, RejectReason},
    outcome::Outcome,
    payload::{Compression, Payload, point_count, select},
    queue::Waiting,
};

/// A snapshot of which something is still to be sent.
#[derive(Debug)]
pub struct Delivery {
    waiting: Waiting,
    compression: Compression,
    plan: Plan,
    rejections: Vec<(RejectReason, u64)>,
    was_taken: bool,
    is_too_old: bool,
}

impl Delivery {
    /// `waiting`, to be sent whole.
    pub fn new(waiting: Waiting, compression: Compression) -> Self {
        let plan = Plan::whole(waiting.payload.metrics());
        Self { waiting, compression, plan, rejections: Vec::new(), was_taken: false, is_too_old: false }
    }

    /// The next request's body; `None` when there is nothing more to send.
    pub fn next_body(&self) -> Option<Bytes> {
        if self.is_too_old {
            return None;
        }
        let metrics = self.plan.next()?;
        if metrics.len() == self.waiting.payload.metrics() {
            return Some(self.waiting.payload.body());
        }
        Some(Payload::encode(&self.part(&metrics), self.compression).body())
    }

    /// Takes in what the last request came to.
    pub fn learn(&mut self, outcome: Outcome) {
        match outcome {
            // The same again.
            Outcome::Retryable { .. } | Outcome::Refused | Outcome::Misconfigured => {}
            Outcome::Delivered => self.taken(0),
            Outcome::Partial { rejected } => self.taken(rejected),
            Outcome::TooLarge => {
                let given_up = self.plan.too_large();
                self.give_up(RejectReason::TooLarge, &given_up);
            }
            Outcome::Poison => {
                let given_up = self.plan.turned_down();
                self.give_up(RejectReason::BadData, &given_up);
            }
            Outcome::TooOld => self.is_too_old = true,
        }
    }

    /// What it covers.
    pub fn cut(&self) -> CutId {
        self.waiting.cut
    }

    /// Points that were turned down, by reason, in the order in which that became known.
    pub fn rejections(&self) -> &[(RejectReason, u64)] {
        &self.rejections
    }

    /// Points that were turned down.
    pub fn rejected(&self) -> u64 {
        self.rejections.iter().map(|(_, points)| points).sum()
    }

    /// The destination took a part, and the rest is settled.
    pub fn is_acked(&self) -> bool {
        self.was_taken && !self.is_too_old
    }

    /// The destination wants newer points only.
    pub fn is_too_old(&self) -> bool {
        self.is_too_old
    }

    fn taken(&mut self, rejected: u64) {
        self.was_taken = true;
        if rejected > 0 {
            self.rejections.push((RejectReason::PartialSuccess, rejected));
        }
        let given_up = self.plan.taken();
        self.give_up(RejectReason::BadData, &given_up);
    }

    fn give_up(&mut self, reason: RejectReason, metrics: &Metrics) {
        let points = point_count(&self.part(metrics));
        if points > 0 {
            self.rejections.push((reason, points));
        }
    }

    fn part(&self, metrics: &Metrics) -> ExportMetricsServiceRequest {
        if metrics.is_empty() {
            return ExportMetricsServiceRequest::default();
        }
        select(&self.waiting.payload.decode(), |index| metrics.contains(&index))
    }
}
