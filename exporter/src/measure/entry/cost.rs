//! Tokens and money.

use super::{Recorder, Sink};
use crate::{classify::classified::Cost, measure::Metric};

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn cost(&mut self) {
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
                    self.record_by_model(metric, count);
                }
            }
        }
        match self.classified.cost {
            Cost::None => {}
            Cost::Priced(cost) => self.record_by_model(Metric::CostUsd, cost.0),
            Cost::Unpriced => self.record_by_model(Metric::CostUnpriced, 1),
        }
    }
}
