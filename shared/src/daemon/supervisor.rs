//! What the daemons tell a service manager, as systemd's `sd_notify(3)` has it. Where there is none, nothing is said.

use std::time::Duration;

use sd_notify::{NotifyState, notify};

/// The daemon is up; `status` says in a line how things stand.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The daemon comes to its end; `status` says what that waits for.
pub fn stopping(status: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// The daemon is making progress. Blocks if the service manager does not listen.
pub fn beat() {
    tell(&[NotifyState::Watchdog]);
}

/// How often to [`beat`]: three times in the span after which the service manager would lose its patience. None if
/// nobody waits for it.
pub fn beat_every() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 3).filter(|every| !every.is_zero())
}

fn tell(news: &[NotifyState<'_>]) {
    if let Err(error) = notify(news) {
        tracing::debug!("the service manager did not take `{}`: {error}", news[0]);
    }
}
