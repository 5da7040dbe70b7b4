//! The measurements of one entry.

use ccxray_shared::entry::Outcome;

use super::{Key, Metric, series::TRUE};
use crate::classify::{Classified, classified::Cost, tool_name};

/// Takes measurements; a pipeline is one.
pub trait Sink {
    /// One recording of `value`.
    fn record(&mut self, metric: Metric, attributes: &[(Key, &str)], value: u64);

    /// Whether this is the first sight of a session.
    fn is_new_session(&mut self, session: &str) -> bool;
}

/// What stands in the place of tool names that an entry no longer lists.
pub const OVERFLOW: &str = "_overflow_";

/// Records all that `classified` says.
pub fn measure(classified: &Classified<'_>, sink: &mut impl Sink) {
    let mut recorder = Recorder { classified, sink };
    recorder.request();
    recorder.cost();
    recorder.tools();
    recorder.quality();
    recorder.latency();
}

struct Recorder<'a, S> {
    classified: &'a Classified<'a>,
    sink: &'a mut S,
}

impl<'a, S: Sink> Recorder<'a, S> {
    fn request(&mut self) {
        let entry = self.classified.entry;
        self.record(
            Metric::Requests,
            &[
                (Key::Provider, entry.provider.as_str()),
                (Key::Route, entry.route.as_str()),
                (Key::Status, status(entry.status, self.classified.outcome)),
                (Key::Class, entry.class.as_str()),
            ],
            1,
        );
        if let Some(session) = &entry.session
            && self.sink.is_new_session(session)
        {
            self.record(Metric::Sessions, &[self.provider()], 1);
        }
    }

    fn cost(&mut self) {
        let by_model = self.by_model();
        if let Some(tokens) = self.classified.tokens {
            let counts = [
                (Metric::TokensInput, tokens.input),
                (Metric::TokensOutput, tokens.output),
                (Metric::TokensCacheRead, tokens.cache_read),
                (Metric::TokensCacheCreation, tokens.cache_creation),
                (Metric::TokensReasoning, tokens.reasoning),
            ];
            for (metric, count) in counts {
                if let Some(count) = count {
                    self.record(metric, &by_model, count);
                }
            }
        }
        match self.classified.cost {
            Cost::None => {}
            Cost::Priced(cost) => self.record(Metric::CostUsd, &by_model, cost.0),
            Cost::Unpriced => self.record(Metric::CostUnpriced, &by_model, 1),
        }
        if self.classified.usage_missing() {
            self.record(Metric::UsageMissing, &[self.provider()], 1);
        }
    }

    fn tools(&mut self) {
        let Some(tools) = &self.classified.entry.tools else { return };
        for call in &tools.calls {
            self.record(Metric::ToolInvocations, &[(Key::Tool, &tool_name::full(call)), self.provider()], 1);
        }
        let unlisted = u64::from(tools.blocks).saturating_sub(tools.calls.len() as u64);
        if unlisted > 0 {
            self.record(Metric::ToolInvocations, &[(Key::Tool, OVERFLOW), self.provider()], unlisted);
        }
    }

    fn quality(&mut self) {
        if let Some(error) = self.classified.error {
            self.record(Metric::Errors, &[(Key::Type, error), self.provider()], 1);
        }
        if let Some(reason) = self.classified.stop_reason {
            self.record(Metric::StopReason, &[(Key::Reason, reason)], 1);
        }
        if self.classified.truncated {
            self.record(Metric::SseTruncated, &[self.provider()], 1);
        }
    }

    fn latency(&mut self) {
        let Classified { entry, outcome, billed, answered, .. } = self.classified;
        if !billed || !answered {
            return;
        }
        let [provider, model] = self.by_model();
        if *outcome == Outcome::Complete {
            self.record(Metric::LatencyMs, &[model, provider], entry.latency_ms);
        }
        if let Some(first) = entry.first_content_ms {
            self.record(Metric::FirstTokenLatencyMs, &[model, provider], first);
        }
    }

    fn provider(&self) -> (Key, &'static str) {
        (Key::Provider, self.classified.entry.provider.as_str())
    }

    fn by_model(&self) -> [(Key, &'a str); 2] {
        [self.provider(), (Key::Model, self.classified.model)]
    }

    /// Records with the entry's flags.
    fn record(&mut self, metric: Metric, attributes: &[(Key, &str)], value: u64) {
        let mut flagged = [(Key::ParserDegraded, TRUE); 6];
        let mut len = attributes.len();
        flagged[..len].copy_from_slice(attributes);
        for (flag, is_set) in [
            (Key::CliOtelActive, self.classified.entry.agent_otel),
            (Key::ParserDegraded, self.classified.degraded),
        ] {
            if is_set {
                flagged[len] = (flag, TRUE);
                len += 1;
            }
        }
        self.sink.record(metric, &flagged[..len], value);
    }
}

/// The class of the status; why there is no whole answer where there is none.
fn status(status: Option<u16>, outcome: Outcome) -> &'static str {
    match (outcome, status) {
        (Outcome::ClientAbort | Outcome::UpstreamAbort, _) => "aborted",
        (Outcome::UpstreamUnreachable, _) | (_, None) => "unreachable",
        (_, Some(status)) => match status / 100 {
            0 | 1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        },
    }
}
