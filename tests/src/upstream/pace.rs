//! When the pieces of an answer go out.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Lets an answer's pieces out under the test's control.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A gate that lets nothing through yet.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets `pieces` more through.
    pub fn let_through(&self, pieces: usize) {
        self.0.add_permits(pieces);
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        self.0.close();
    }

    pub(super) async fn pass(&self) {
        // A closed semaphore is an open gate.
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// How an answer's body is sent.
#[derive(Clone, Debug, Default)]
pub enum Pace {
    /// All at once, one write for each piece.
    #[default]
    Burst,
    /// In writes of so many bytes.
    Split(usize),
    /// Each piece of the body waits at the gate.
    Gated(Gate),
}
