//! The five states of a destination, and its breaker.
//!
//! ```text
//!            delivered                      retryable × 5, refused
//!   active ◄────────────► degraded ───────────────────► circuit_open ◄──┐
//!     ▲      retryable,                                     │ cooldown  │ retryable (cooldown doubles),
//!     │      misconfigured, lost                            ▼           │ refused
//!     └──────────── delivered ───────────────────────── half_open ──────┘
//! ```
//!
//! From `disabled` only consent leads out, whatever an attempt that was still on its way came to. From every other
//! state a delivery leads to `active`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds on a monotonic clock of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonoMillis(pub u64);

impl MonoMillis {
    /// The time `later` after this one.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A random byte that spreads the attempts of many installs. It lengthens a wait by up to a fifth and never shortens
/// it, so that a server's `Retry-After` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(pub u8);

impl Jitter {
    fn lengthen(self, wait: Duration) -> Duration {
        wait + wait * u32::from(self.0) / (5 * 255)
    }
}

/// The breaker's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Consecutive retryable failures that open the circuit.
    pub trip_after: u32,
    /// Wait after the first of them; it doubles with each.
    pub first_retry: Duration,
    /// How long the circuit stays open at first; it doubles with each probe that fails.
    pub cooldown: Duration,
    /// The longest cooldown, and the one after refused credentials.
    pub longest_cooldown: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            trip_after: 5,
            first_retry: Duration::from_secs(1),
            cooldown: Duration::from_mins(1),
            longest_cooldown: Duration::from_mins(10),
        }
    }
}

/// How a destination is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing may be sent.
    Disabled,
    /// The last attempt was a success, or there was none yet.
    Active,
    /// Attempts fail, and go on.
    Degraded {
        /// Consecutive attempts that failed for lack of an answer or for its meaning.
        failures: u32,
        /// No attempt before that.
        retry_at: MonoMillis,
    },
    /// No attempt until the cooldown is over.
    CircuitOpen {
        /// Its end.
        until: MonoMillis,
        /// Its nominal length.
        cooldown: Duration,
    },
    /// One attempt is let through; what it comes to decides.
    HalfOpen {
        /// The cooldown that is over.
        cooldown: Duration,
    },
}

/// The name of a state, without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// See [`Health::Disabled`].
    Disabled,
    /// See [`Health::Active`].
    Active,
    /// See [`Health::Degraded`].
    Degraded,
    /// See [`Health::CircuitOpen`].
    CircuitOpen,
    /// See [`Health::HalfOpen`].
    HalfOpen,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Disabled, Self::Active, Self::Degraded, Self::CircuitOpen, Self::HalfOpen];

    /// As it stands in logs and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::CircuitOpen => "circuit_open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What may happen to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was taken, in whole or in part.
    Delivered,
    /// It may pass later.
    Retryable {
        /// How long the server asked to wait.
        after: Option<Duration>,
    },
    /// The credentials were turned down.
    Refused,
    /// No OTLP endpoint there.
    Misconfigured,
    /// The content was turned down, which proves that the endpoint answers. Another request may follow at once.
    Rejected,
    /// Nothing of a whole snapshot was taken.
    Lost,
    /// The end of a cooldown may have come.
    CooldownOver,
    /// Consent was given.
    Enabled,
    /// Consent was withdrawn.
    Disabled,
}

/// When the next attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// At once.
    Now,
    /// At that time.
    At(MonoMillis),
    /// Not at all.
    Never,
}

impl Health {
    /// The state after `event` at `now`.
    #[must_use]
    pub fn step(self, event: Event, now: MonoMillis, policy: &Policy, jitter: Jitter) -> Self {
        let wait = Wait { now, policy, jitter };
        match (self, event) {
            // Consent outranks everything, and what was on its way when it went is no reason to begin again.
            (
                Self::Disabled,
                Event::Delivered
                | Event::Retryable { .. }
                | Event::Refused
                | Event::Misconfigured
                | Event::Rejected
                | Event::Lost
                | Event::CooldownOver
                | Event::Disabled,
            )
            | (
                Self::Active | Self::Degraded { .. } | Self::CircuitOpen { .. } | Self::HalfOpen { .. },
                Event::Disabled,
            ) => Self::Disabled,
            (Self::Disabled, Event::Enabled)
            | (
                Self::Active | Self::Degraded { .. } | Self::CircuitOpen { .. } | Self::HalfOpen { .. },
                Event::Delivered,
            )
            | (Self::Active, Event::Rejected | Event::CooldownOver | Event::Enabled) => Self::Active,

            (Self::Active, Event::Retryable { after }) => wait.after_failure(1, after),
            (Self::Degraded { failures, .. }, Event::Retryable { after }) => {
                wait.after_failure(failures.saturating_add(1), after)
            }
            (Self::HalfOpen { cooldown }, Event::Retryable { after }) => wait.open(cooldown * 2, after),

            (Self::Active | Self::Degraded { .. } | Self::HalfOpen { .. }, Event::Refused) => {
                wait.open(policy.longest_cooldown, None)
            }

            (Self::Active | Self::HalfOpen { .. }, Event::Misconfigured) => wait.misconfigured(1),
            (Self::Degraded { failures, .. }, Event::Misconfigured) => {
                wait.misconfigured(failures.saturating_add(1))
            }

            (Self::Degraded { .. } | Self::HalfOpen { .. }, Event::Rejected | Event::Lost)
            | (Self::Active, Event::Lost) => Self::Degraded { failures: 0, retry_at: now },

            (Self::CircuitOpen { until, cooldown }, Event::CooldownOver) if now >= until => {
                Self::HalfOpen { cooldown }
            }
            // A straggler from before the circuit opened says nothing about now.
            (
                Self::CircuitOpen { .. },
                Event::Retryable { .. }
                | Event::Refused
                | Event::Misconfigured
                | Event::Rejected
                | Event::Lost
                | Event::CooldownOver
                | Event::Enabled,
            )
            | (Self::Degraded { .. } | Self::HalfOpen { .. }, Event::CooldownOver | Event::Enabled) => self,
        }
    }

    /// When the next attempt may be made.
    pub fn next_attempt(self) -> NextAttempt {
        match self {
            Self::Disabled => NextAttempt::Never,
            Self::Active | Self::HalfOpen { .. } => NextAttempt::Now,
            Self::Degraded { retry_at, .. } => NextAttempt::At(retry_at),
            Self::CircuitOpen { until, .. } => NextAttempt::At(until),
        }
    }

    /// Its name.
    pub fn state(self) -> State {
        match self {
            Self::Disabled => State::Disabled,
            Self::Active => State::Active,
            Self::Degraded { .. } => State::Degraded,
            Self::CircuitOpen { .. } => State::CircuitOpen,
            Self::HalfOpen { .. } => State::HalfOpen,
        }
    }
}

/// The arithmetic of waits.
struct Wait<'p> {
    now: MonoMillis,
    policy: &'p Policy,
    jitter: Jitter,
}

impl Wait<'_> {
    fn after_failure(&self, failures: u32, after: Option<Duration>) -> Health {
        if failures >= self.policy.trip_after {
            return self.open(self.policy.cooldown, after);
        }
        let wait = doubled(self.policy.first_retry, failures, self.policy.cooldown);
        Health::Degraded { failures, retry_at: self.at(wait.max(after.unwrap_or_default())) }
    }

    /// An endpoint that is none will not become one within seconds.
    fn misconfigured(&self, failures: u32) -> Health {
        let wait = doubled(self.policy.cooldown, failures, self.policy.longest_cooldown);
        Health::Degraded { failures, retry_at: self.at(wait) }
    }

    fn open(&self, cooldown: Duration, after: Option<Duration>) -> Health {
        let cooldown = cooldown.min(self.policy.longest_cooldown);
        Health::CircuitOpen { until: self.at(cooldown.max(after.unwrap_or_default())), cooldown }
    }

    fn at(&self, wait: Duration) -> MonoMillis {
        self.now.after(self.jitter.lengthen(wait))
    }
}

/// `first` for the first failure, twice that for the second, up to `longest`.
fn doubled(first: Duration, failures: u32, longest: Duration) -> Duration {
    let factor = 1_u32 << failures.saturating_sub(1).min(16);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests;
