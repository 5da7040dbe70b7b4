//! Waiting for something that happens in another process.

use std::time::Duration;

use tokio::time::Instant;

use crate::truth::Totals;

/// How long a test waits for what should happen within seconds. Long, because two cores may be busy with other
/// tests; it is spent in full only by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, and returns that. Panics after [`PATIENCE`], saying `what` was awaited.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Looks until the totals that are `found` are the `expected` ones. Panics after [`PATIENCE`], showing the series that
/// differ.
pub async fn eventually_equal(what: &str, expected: &Totals, mut found: impl AsyncFnMut() -> Totals) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let differences = expected.differences(&found().await);
        if differences.is_empty() {
            return;
        }
        let differences = differences.join("\n  ");
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}\n  {differences}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
