//! Waiting for something that happens in another process.

use std::time::Duration;

use tokio::time::Instant;

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

/// Looks until `found` is the `expected`. Panics after [`PATIENCE`], showing both.
pub async fn eventually_equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &T,
    mut found: impl AsyncFnMut() -> T,
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = found().await;
        if now == *expected {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} in vain: {what}\nexpected: {expected:#?}\n   found: {now:#?}"
        );
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
