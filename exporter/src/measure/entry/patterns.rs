//! How agents work.

use ccxray_shared::entry::{Class, Trigger};

use super::{Recorder, Sink};
use crate::{
    classify::{context_window, subagent},
    measure::Metric,
};

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn patterns(&mut self) {
        let classified = self.classified;
        let entry = classified.entry;
        if entry.class == Class::Turn {
            self.context();
            self.tools_per_turn();
        }
        // The first attempt says what set it off, whether or not it is answered.
        let is_auto = entry.class == Class::Compaction && entry.compaction == Some(Trigger::Auto);
        if is_auto && !entry.retry {
            self.record_by_provider(Metric::AutoCompactTriggered, 1);
        }
        let calls = entry.tools.iter().flat_map(|tools| &tools.calls);
        let started: usize = calls.map(|call| subagent::started_by(entry.provider, call)).sum();
        if started > 0 {
            self.record_by_provider(Metric::SubagentInvocations, started as u64);
        }
    }

    fn context(&mut self) {
        let used = self.classified.tokens.and_then(|tokens| tokens.all_input());
        if let Some(used) = used.filter(|_| self.classified.answered) {
            let window = context_window::of(self.classified.entry, used);
            self.record_by_provider(Metric::ContextUtilization, percent(used, window));
        }
    }

    /// Of an answer whose copy was given up it is not known how many tools it called.
    fn tools_per_turn(&mut self) {
        let Some(calls) = self.classified.tool_calls else { return };
        if self.classified.finished {
            self.record_by_provider(Metric::ToolsPerTurn, u64::from(calls));
        }
    }
}

/// Rounded up, so that a share lies in the same bucket as its percentage: bounds are whole numbers, and inclusive.
fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).div_ceil(whole.max(1))
}
