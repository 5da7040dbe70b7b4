//! What was asked for, by whom.

use ccxray_shared::entry::Outcome;

use super::{Recorder, Sink};
use crate::{
    classify::agent_type,
    measure::{Key, Metric},
};

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn usage(&mut self) {
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
        if let Some(session) = &entry.session {
            self.sink.session(session, &self.by_provider);
        }
        if self.classified.billed && self.classified.answered {
            self.record_by_provider(Metric::ProviderDistribution, 1);
            self.record(Metric::AgentTypeInvocations, &[(Key::Type, agent_type::canonical(entry))], 1);
        }
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
