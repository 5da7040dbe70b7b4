//! The orderly end: whoever is in flight is told to come to an end, and waited for.

use tokio::sync::watch;

/// The one who calls for the end.
#[derive(Debug)]
pub struct Drain(watch::Sender<bool>);

/// Something that is waited for while it is held.
#[derive(Clone, Debug)]
pub struct InFlight(watch::Receiver<bool>);

impl Drain {
    /// Nobody in flight yet.
    pub fn new() -> (Self, InFlight) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), InFlight(receiver))
    }

    /// Tells everyone in flight to come to an end, and returns when they all have.
    pub async fn drain(&self) {
        self.0.send_replace(true);
        self.0.closed().await;
    }

    /// How many are in flight.
    pub fn in_flight(&self) -> usize {
        self.0.receiver_count()
    }
}

impl InFlight {
    /// Returns when the end has been called for.
    pub async fn draining(&mut self) {
        // An error means that nobody is left to call for it, which is an end too.
        let _ = self.0.wait_for(|called| *called).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_drain_ends_with_the_last_one_in_flight() {
        let (drain, in_flight) = Drain::new();
        let mut task = in_flight.clone();
        drop(in_flight);
        let held = task.clone();
        assert_eq!(drain.in_flight(), 2);
        let waiting = tokio::spawn(async move { drain.drain().await });
        task.draining().await;
        drop(task);
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap();
    }
}
