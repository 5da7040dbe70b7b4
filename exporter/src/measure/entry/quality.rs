//! How well it went.

use ccxray_shared::entry::Outcome;

use super::{Recorder, Sink};
use crate::{
    classify::Classified,
    measure::{Key, Labels, Metric, catalogue::closed},
};

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn quality(&mut self) {
        if let Some(error) = self.classified.error {
            self.record(Metric::Errors, &[(Key::Type, error), self.provider()], 1);
        }
        if let Some(reason) = self.classified.stop_reason {
            self.record(Metric::StopReason, &[(Key::Reason, reason)], 1);
            if reason == "max_tokens" {
                self.record(Metric::MaxTokensHit, &[(Key::Model, self.classified.model)], 1);
            }
        }
        if let Some(by) = broken_off_by(self.classified.outcome) {
            self.record(Metric::Aborted, &[self.provider(), (Key::By, by)], 1);
        }
        if self.classified.entry.retry {
            self.record_by_provider(Metric::Retries, 1);
        }
        self.latency();
        self.rate_limits();
    }

    fn latency(&mut self) {
        let Classified { entry, outcome, billed, answered, model, .. } = self.classified;
        if !billed || !answered {
            return;
        }
        let labels = Labels::chained(&[(Key::Model, model), self.provider()], self.flags);
        if *outcome == Outcome::Complete {
            self.sink.record(Metric::LatencyMs, &labels, entry.latency_ms);
        }
        if let Some(first) = entry.first_content_ms {
            self.sink.record(Metric::FirstTokenLatencyMs, &labels, first);
        }
    }

    /// A limit that the catalogue does not know has no gauge: several could not be told apart.
    fn rate_limits(&mut self) {
        for stated in &self.classified.entry.rate_limits {
            if let Some(limit) = closed(Metric::RateLimitRemaining, Key::Limit, &stated.limit) {
                let labels = Labels::of(&[self.provider(), (Key::Limit, limit)]);
                self.sink.gauge(Metric::RateLimitRemaining, &labels, stated.remaining);
            }
        }
    }
}

fn broken_off_by(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::ClientAbort => Some("client"),
        Outcome::UpstreamAbort => Some("upstream"),
        Outcome::Complete | Outcome::UpstreamUnreachable | Outcome::Unknown => None,
    }
}
