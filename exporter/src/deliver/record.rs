//! A destination's health as the checkpoint keeps it.
//!
//! A restart must not hammer a destination whose circuit is open. Monotonic clocks do not survive a process, so the
//! record holds the wall clock's time of the next attempt, and believes it no further than the longest wait.

use std::time::Duration;

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use super::{
    health::{Health, MonoMillis, NextAttempt, State},
    outcome::OutcomeKind,
    retry_after,
};

/// What survives a restart. The default is a destination that was never tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRecord {
    /// The state.
    pub state: State,
    /// Since when.
    pub since: UnixMillis,
    /// What led to it; absent at the start.
    pub cause: Option<OutcomeKind>,
    /// Consecutive failures; 0 but in `degraded`.
    pub failures: u32,
    /// Nominal length of the cooldown; 0 but in `circuit_open` and `half_open`.
    pub cooldown_ms: u64,
    /// No attempt before that; absent where none is needed.
    pub next_attempt: Option<UnixMillis>,
}

impl Default for HealthRecord {
    fn default() -> Self {
        Self {
            state: State::Active,
            since: UnixMillis::default(),
            cause: None,
            failures: 0,
            cooldown_ms: 0,
            next_attempt: None,
        }
    }
}

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The monotonic one.
    pub mono: MonoMillis,
    /// The wall's.
    pub wall: UnixMillis,
}

impl HealthRecord {
    /// The record of `health`, entered at `now` because of `cause`.
    pub fn new(health: Health, cause: Option<OutcomeKind>, now: Moment) -> Self {
        let next_attempt = match health.next_attempt() {
            NextAttempt::At(at) => Some(now.wall.after(at.since(now.mono))),
            NextAttempt::Now | NextAttempt::Never => None,
        };
        let (failures, cooldown) = match health {
            Health::Degraded { failures, .. } => (failures, Duration::ZERO),
            Health::CircuitOpen { cooldown, .. } | Health::HalfOpen { cooldown } => (0, cooldown),
            Health::Disabled | Health::Active => (0, Duration::ZERO),
        };
        let cooldown_ms = u64::try_from(cooldown.as_millis()).unwrap_or(u64::MAX);
        Self { state: health.state(), since: now.wall, cause, failures, cooldown_ms, next_attempt }
    }

    /// The health to go on with. A destination is tried because there is consent, so `disabled` does not come back.
    pub fn restore(&self, now: Moment) -> Health {
        let wait = self.next_attempt.map_or(Duration::ZERO, |at| at.since(now.wall));
        let at = now.mono.after(wait.min(LONGEST_WAIT));
        let cooldown = Duration::from_millis(self.cooldown_ms);
        match self.state {
            State::Disabled | State::Active => Health::Active,
            State::Degraded => Health::Degraded { failures: self.failures, retry_at: at },
            State::CircuitOpen => Health::CircuitOpen { until: at, cooldown },
            // Its one attempt ended with the process, so it has another.
            State::HalfOpen => Health::HalfOpen { cooldown },
        }
    }
}

/// `Retry-After` and its jitter: the wall clock may have been set back by years.
const LONGEST_WAIT: Duration = retry_after::LONGEST.saturating_add(Duration::from_mins(12));

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono: u64, wall: u64) -> Moment {
        Moment { mono: MonoMillis(mono), wall: UnixMillis(wall) }
    }

    const COOLDOWN: Duration = Duration::from_mins(1);

    #[test]
    fn an_open_circuit_stays_open_over_a_restart_for_what_is_left_of_its_cooldown() {
        let open = Health::CircuitOpen { until: MonoMillis(65_000), cooldown: COOLDOWN };
        let record = HealthRecord::new(open, Some(OutcomeKind::Retryable), at(5_000, 1_000_000));
        assert_eq!(record.next_attempt, Some(UnixMillis(1_060_000)));
        let json = serde_json::to_string(&record).unwrap();
        assert!(json.contains("\"circuit_open\"") && json.contains("\"retryable\""), "{json}");
        let record: HealthRecord = serde_json::from_str(&json).unwrap();
        // Ten seconds later, in a new process whose clock began at 0.
        let expected = Health::CircuitOpen { until: MonoMillis(50_003), cooldown: COOLDOWN };
        assert_eq!(record.restore(at(3, 1_010_000)), expected);
        let over = Health::CircuitOpen { until: MonoMillis(3), cooldown: COOLDOWN };
        assert_eq!(record.restore(at(3, 9_000_000)), over);
    }

    #[test]
    fn a_clock_set_back_cannot_keep_the_circuit_open_for_ever() {
        let open = Health::CircuitOpen { until: MonoMillis(60_000), cooldown: COOLDOWN };
        let record = HealthRecord::new(open, None, at(0, 1_000_000_000_000));
        let expected = Health::CircuitOpen { until: MonoMillis(72 * 60 * 1000), cooldown: COOLDOWN };
        assert_eq!(record.restore(at(0, 0)), expected);
    }

    #[test]
    fn every_state_comes_back_and_disabled_as_active() {
        let now = at(0, 0);
        let degraded = Health::Degraded { failures: 3, retry_at: MonoMillis(10) };
        for health in [Health::Active, degraded, Health::HalfOpen { cooldown: COOLDOWN }] {
            assert_eq!(HealthRecord::new(health, None, now).restore(now), health);
        }
        assert_eq!(HealthRecord::new(Health::Disabled, None, now).restore(now), Health::Active);
        assert_eq!(HealthRecord::default().restore(now), Health::Active);
    }
}
