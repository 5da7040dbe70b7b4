//! What the engine is told, and what it tells of itself.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, select};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use tokio::sync::oneshot;

use super::PipelineId;
use crate::deliver::{FromWorker, health::State};

/// What the engine is told.
#[derive(Debug)]
pub enum Command {
    /// The worker of a pipeline reports something.
    Worker(PipelineId, FromWorker),
    /// Somebody looks at the local page.
    Collect(oneshot::Sender<ExportMetricsServiceRequest>),
    /// Write a last checkpoint and end; with `flush`, offer a last snapshot first.
    Stop {
        /// Whether to offer a last snapshot.
        flush: bool,
    },
}

/// The other side's end. Sending never blocks: commands are few, and however often the engine is woken, it wakes once.
#[derive(Clone, Debug)]
pub struct Commands {
    commands: Sender<Command>,
    wake: Sender<()>,
}

/// The engine's end.
#[derive(Debug)]
pub struct Orders {
    commands: Receiver<Command>,
    wake: Receiver<()>,
    vitals: Arc<Vitals>,
}

/// What a wait came to.
#[derive(Debug)]
pub enum Order {
    /// A command.
    Command(Command),
    /// The spool may have changed, or enough time has passed.
    Look,
    /// Nobody is left to give a command.
    Orphaned,
}

impl Commands {
    /// Both ends.
    pub fn new() -> (Self, Orders) {
        let (commands, received) = crossbeam_channel::unbounded();
        let (wake, woken) = crossbeam_channel::bounded(1);
        (Self { commands, wake }, Orders { commands: received, wake: woken, vitals: Arc::default() })
    }

    /// Gives a command. An engine that has ended does not hear it.
    pub fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// The spool may have changed.
    pub fn wake(&self) {
        let _ = self.wake.try_send(());
    }
}

impl Orders {
    /// Waits for a command or a hint, no longer than `patience`.
    pub fn wait(&self, patience: Duration) -> Order {
        select! {
            recv(self.commands) -> command => command.map_or(Order::Orphaned, Order::Command),
            recv(self.wake) -> _ => Order::Look,
            default(patience) => Order::Look,
        }
    }

    /// The next command that is already there.
    pub fn next(&self) -> Option<Command> {
        self.commands.try_recv().ok()
    }

    /// What the engine tells of itself, in its own hands.
    pub(super) fn own_vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// What the engine tells of itself.
    pub fn vitals(&self) -> Arc<Vitals> {
        self.vitals.clone()
    }
}

/// How one destination is doing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sending {
    /// Where to and at which tier, for people.
    pub summary: String,
    /// The destination's state.
    pub state: State,
}

/// How the engine is doing.
#[derive(Default)]
pub struct Vitals {
    problem: Mutex<Option<String>>,
    sending: Mutex<Vec<Sending>>,
    lag_bytes: AtomicU64,
    progress: AtomicU64,
}

impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vitals").field("problem", &self.problem()).finish_non_exhaustive()
    }
}

impl Vitals {
    /// What keeps it from its work, if anything does.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The destinations. Two projects may have the same one.
    pub fn sending(&self) -> Vec<Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes of the spool that have not been read.
    pub fn lag_bytes(&self) -> u64 {
        self.lag_bytes.load(Relaxed)
    }

    /// Grows as long as the engine gets on: at least once a second, also while it reads a backlog.
    pub fn progress(&self) -> u64 {
        self.progress.load(Relaxed)
    }

    /// The engine has got on.
    pub(crate) fn get_on(&self) {
        self.progress.fetch_add(1, Relaxed);
    }

    pub(super) fn set(&self, problem: Option<String>, sending: Vec<Sending>, lag_bytes: u64) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
        *self.sending.lock().unwrap_or_else(PoisonError::into_inner) = sending;
        self.lag_bytes.store(lag_bytes, Relaxed);
    }
}
