//! What could not be measured, or did not fit together. None of it bears flags.

use super::{Recorder, Sink};
use crate::{
    classify::drift::{Category, Drift},
    measure::{Key, Metric, catalogue::closed},
};

/// What stands for a word that the catalogue does not list.
const OTHER: &str = "other";

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn sentinels(&mut self, drifts: &[Drift<'_>]) {
        let classified = self.classified;
        if classified.usage_missing() {
            self.record_plain(Metric::UsageMissing, &[self.provider()], 1);
        }
        if classified.truncated {
            self.record_plain(Metric::SseTruncated, &[self.provider()], 1);
        }
        if classified.entry.tools.as_ref().is_some_and(|tools| tools.unreadable > 0) {
            self.record_plain(Metric::ReconciliationMismatch, &[(Key::Type, "tool_count")], 1);
        }
        if classified.tokens_mismatch {
            self.record_plain(Metric::ParserMismatch, &[(Key::Type, "token_sum")], 1);
        }
        for drift in drifts {
            self.drift(drift);
        }
    }

    fn drift(&mut self, drift: &Drift<'_>) {
        let provider = self.provider();
        match drift.category {
            Category::UnknownTool => self.record_plain(Metric::UnknownTool, &[provider], drift.count),
            Category::UnknownSkillMarker => {
                self.record_plain(Metric::UnknownSkillMarker, &[provider], drift.count);
            }
            Category::UnknownMcpFormat => self.record_plain(Metric::UnknownMcpFormat, &[], drift.count),
            Category::Fallback => self.parser(Metric::FallbackUsed, Key::Reason, drift),
            Category::ParserError => self.parser(Metric::ParserError, Key::ErrorType, drift),
            // They are `other` or `unpriced` in the metrics that they belong to.
            Category::UnknownStopReason | Category::UnknownError | Category::UnknownModel => {}
        }
    }

    fn parser(&mut self, metric: Metric, key: Key, drift: &Drift<'_>) {
        let word = |key, word: Option<&str>| word.and_then(|word| closed(metric, key, word)).unwrap_or(OTHER);
        let attributes = [(Key::Parser, word(Key::Parser, drift.parser)), (key, word(key, drift.reason))];
        self.record_plain(metric, &attributes, drift.count);
    }
}
