//! What a service manager hears while the daemon runs.

use std::{sync::Arc, time::Duration};

use ccxray_shared::daemon::supervisor;
use tokio::time::interval;

use crate::engine::Vitals;

/// Tells the service manager, if it wants to know, that the engine gets on.
pub(super) async fn beat(vitals: Arc<Vitals>) {
    let Some(every) = supervisor::beat_every() else { return };
    beat_with(&vitals, every, async || {
        let told = tokio::task::spawn_blocking(supervisor::beat).await;
        debug_assert!(told.is_ok(), "telling does not panic");
    })
    .await;
}

/// Says nothing while the engine stands still: a runtime that gets on does not cover up an engine that hangs.
async fn beat_with(vitals: &Vitals, every: Duration, tell: impl AsyncFn()) {
    let mut ticks = interval(every);
    let mut seen = None;
    loop {
        ticks.tick().await;
        let progress = Some(vitals.progress());
        if progress != seen {
            seen = progress;
            tell().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::timeout;

    use super::*;

    const EVERY: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_stands_still_is_not_vouched_for() {
        let (vitals, told) = (Vitals::default(), Cell::new(0));
        let tell = async || told.set(told.get() + 1);
        // Looks at 0, 20, 40, 60 and 80 s.
        let _ = timeout(Duration::from_secs(90), beat_with(&vitals, EVERY, tell)).await;
        assert_eq!(told.get(), 1);
        let tell = async || {
            told.set(told.get() + 1);
            vitals.get_on();
        };
        let _ = timeout(Duration::from_secs(90), beat_with(&vitals, EVERY, tell)).await;
        assert_eq!(told.get(), 6);
    }
}
