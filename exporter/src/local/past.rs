//! The history as the server keeps it: sampled by a task of its own, read by whoever looks at the page.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ccxray_shared::UnixMillis;
use tokio::time::sleep;

use super::{
    history::{Figures, History, SAMPLED_EVERY},
    routes::LocalData,
    summary::Summary,
};

/// The history, shared by the task and the connections.
#[derive(Debug, Default)]
pub struct Past(Mutex<History>);

impl Past {
    /// Samples for ever.
    pub async fn sample(&self, data: &impl LocalData) -> Infallible {
        loop {
            if let Some((at, figures)) = now(data).await {
                self.lock().note(at, figures);
            }
            sleep(SAMPLED_EVERY).await;
        }
    }

    /// The history up to this moment, as JSON, so that its end agrees with `/metrics`.
    pub async fn with_now(&self, data: &impl LocalData) -> String {
        let now = now(data).await;
        let mut history = self.lock().clone();
        if let Some((at, figures)) = now {
            history.note(at, figures);
        }
        history.to_json().to_string()
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures of this moment; `None` while the exporter catches up, because totals that run through the past would
/// look as if it all had happened now.
async fn now(data: &impl LocalData) -> Option<(UnixMillis, Figures)> {
    let request = data.collect().await?;
    data.is_caught_up().then(|| (UnixMillis::now(), Figures::of(&Summary::of(&request))))
}
