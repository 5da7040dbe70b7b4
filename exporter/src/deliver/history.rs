//! What a destination has been through lately, for `status`.

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use super::{health::State, outcome::OutcomeKind, record::HealthRecord, tally::Tally};

/// How many transitions are remembered.
const TRANSITIONS: usize = 3;

/// One change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at: UnixMillis,
    /// The state before.
    pub from: State,
    /// The state since then.
    pub to: State,
    /// What the attempt came to that led to it; absent if none did.
    pub cause: Option<OutcomeKind>,
}

/// The last changes of state, and what became of snapshots over a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The last three changes of state, oldest first.
    pub transitions: Vec<Transition>,
    /// What became of snapshots.
    pub tally: Tally,
}

impl History {
    /// Notes that the health was `before` and is `after`.
    pub fn note(&mut self, before: &HealthRecord, after: &HealthRecord) {
        if before.state == after.state {
            return;
        }
        if self.transitions.len() == TRANSITIONS {
            self.transitions.remove(0);
        }
        self.transitions.push(Transition {
            at: after.since,
            from: before.state,
            to: after.state,
            cause: after.cause,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_three_changes_of_state_are_kept_and_other_news_are_not() {
        let mut history = History::default();
        let mut before = HealthRecord::default();
        let states = [State::Degraded, State::Degraded, State::CircuitOpen, State::HalfOpen, State::Active];
        for (at, state) in (1..).zip(states) {
            let after = HealthRecord { state, since: UnixMillis(at), ..before };
            history.note(&before, &after);
            before = after;
        }
        let kept: Vec<_> =
            history.transitions.iter().map(|change| (change.at.0, change.from, change.to)).collect();
        let expected = [
            (3, State::Degraded, State::CircuitOpen),
            (4, State::CircuitOpen, State::HalfOpen),
            (5, State::HalfOpen, State::Active),
        ];
        assert_eq!(kept, expected);
    }
}
