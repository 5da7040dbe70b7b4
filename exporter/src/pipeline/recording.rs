//! Measurements into a pipeline, within its budgets.

use ccxray_shared::{UnixMillis, entry::Provider};

use super::Pipeline;
use crate::{
    classify::known_tools,
    measure::{Catalogue, Key, Metric, Series, Sink, entry::OVERFLOW},
};

/// The measurements of one entry, or of one finding of our own.
pub(super) struct Recording<'p> {
    pipeline: &'p mut Pipeline,
    at: UnixMillis,
    provider: Option<Provider>,
}

impl<'p> Recording<'p> {
    pub(super) fn new(pipeline: &'p mut Pipeline, at: UnixMillis, provider: Option<Provider>) -> Self {
        Self { pipeline, at, provider }
    }

    /// Records in a series that is not there yet: it is made if the budgets allow it, else its values over budget
    /// are put together.
    fn admit(&mut self, metric: Metric, attributes: &[(Key, &str)], value: u64) {
        let mut admitted = attributes.to_vec();
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
        let Pipeline { id, meter, .. } = &mut *self.pipeline;
        Series::write_id(id, metric, &admitted);
        if !meter.record_bound(id, value) {
            meter.bind(id, metric, &admitted);
            meter.record_bound(id, value);
        }
    }

    fn has_place(&mut self, metric: Metric, key: Key, text: &str) -> bool {
        let is_built_in =
            key == Key::Tool && self.provider.is_some_and(|provider| known_tools::is_known(provider, text));
        is_built_in || text == OVERFLOW || self.pipeline.admissions.admit(metric, key, text, self.at)
    }

    fn note_overflow(&mut self, metric: Metric, attribute: &str) {
        self.record(Metric::Overflow, &[(Key::Metric, metric.name()), (Key::Attribute, attribute)], 1);
    }
}

impl Sink for Recording<'_> {
    fn record(&mut self, metric: Metric, attributes: &[(Key, &str)], value: u64) {
        let Pipeline { id, meter, .. } = &mut *self.pipeline;
        Series::write_id(id, metric, attributes);
        if !meter.record_bound(id, value) {
            self.admit(metric, attributes, value);
        }
    }

    fn is_new_session(&mut self, session: &str) -> bool {
        self.pipeline.sessions.is_new(session, self.at)
    }
}
