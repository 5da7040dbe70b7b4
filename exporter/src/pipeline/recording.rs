//! Measurements into pipelines, within their budgets.

use ccxray_shared::{UnixMillis, entry::Provider, name::MALFORMED};

use super::Pipeline;
use crate::{
    classify::{agent_type, known_tools},
    measure::{Catalogue, Key, Labels, Metric, Sink, entry::OVERFLOW},
};

/// The measurements of one entry, or of one finding of our own.
pub(super) struct Recording<'p> {
    pipeline: &'p mut Pipeline,
    at: UnixMillis,
    provider: Option<Provider>,
    /// Whether the open window began after its time.
    pub(super) is_late: bool,
}

/// The measurements of one entry into the local pipeline and the one with a destination, as far as it is theirs.
pub(super) struct FanOut<'p>(pub(super) [Option<Recording<'p>>; 2]);

impl<'p> FanOut<'p> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut Recording<'p>> {
        self.0.iter_mut().flatten()
    }
}

impl<'p> Recording<'p> {
    pub(super) fn new(pipeline: &'p mut Pipeline, at: UnixMillis, provider: Option<Provider>) -> Self {
        Self { pipeline, at, provider, is_late: false }
    }

    pub(super) fn late_if(self, is_late: bool) -> Self {
        Self { is_late, ..self }
    }

    /// Records in a series that is not there yet: it is made if the budgets allow it, else its values over budget
    /// are put together.
    #[cold]
    fn admit(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        let mut admitted = labels.pairs().to_vec();
        for (key, text) in &mut admitted {
            if !self.has_place(metric, *key, text) {
                *text = OVERFLOW;
                self.note_overflow(metric, key.as_str());
            }
        }
        if !self.pipeline.meter.has_room(metric) {
            let budgets = &Catalogue::embedded().get(metric).budgets;
            admitted
                .iter_mut()
                .filter(|(key, _)| budgets.contains_key(key))
                .for_each(|(_, text)| *text = OVERFLOW);
            self.note_overflow(metric, "series");
        }
        let admitted = Labels::of(&admitted);
        let meter = &mut self.pipeline.meter;
        if !meter.record_bound(metric, &admitted, value) {
            meter.bind(metric, &admitted);
            meter.record_bound(metric, &admitted, value);
        }
    }

    fn has_place(&mut self, metric: Metric, key: Key, text: &str) -> bool {
        let is_known = match key {
            Key::Tool => self.provider.is_some_and(|provider| known_tools::is_known(provider, text)),
            Key::Type => metric == Metric::AgentTypeInvocations && agent_type::is_known(text),
            _ => false,
        };
        is_known
            || [OVERFLOW, MALFORMED].contains(&text)
            || self.pipeline.admissions.admit(metric, key, text, self.at)
    }

    fn note_overflow(&mut self, metric: Metric, attribute: &str) {
        let labels = Labels::of(&[(Key::Metric, metric.name()), (Key::Attribute, attribute)]);
        self.record(Metric::Overflow, &labels, 1);
    }
}

impl Sink for Recording<'_> {
    fn record(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        if !self.pipeline.meter.record_bound(metric, labels, value) {
            self.admit(metric, labels, value);
        }
    }

    fn gauge(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        self.pipeline.gauges.note(metric, labels, self.at, value);
    }

    fn session(&mut self, session: &str, labels: &Labels<'_>) {
        if self.pipeline.sessions.is_new(session, self.at) {
            self.record(Metric::Sessions, labels, 1);
        }
    }
}

impl Sink for FanOut<'_> {
    fn record(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        self.each().for_each(|recording| recording.record(metric, labels, value));
    }

    fn gauge(&mut self, metric: Metric, labels: &Labels<'_>, value: u64) {
        self.each().for_each(|recording| recording.gauge(metric, labels, value));
    }

    fn session(&mut self, session: &str, labels: &Labels<'_>) {
        self.each().for_each(|recording| recording.session(session, labels));
    }
}
