//! The push of snapshots over OTLP, and nothing else: the only place that opens a socket towards the network.
//!
//! ```text
//! engine ─ offer(Snapshot) → queue → worker → transport → destination
//!        ←  FromWorker  ───────────┘   │ outcome: what the reply means
//!                                      │ health:  when the next attempt may be made
//!                                      └ bisect:  which metrics go into it
//! ```
//!
//! - [`destination`]: where to, read from the `OTEL_*` environment.
//! - [`outcome`], [`retry_after`]: what one attempt came to; pure.
//! - [`health`]: the five states of a destination and its breaker; pure. [`record`]: what survives a restart.
//! - [`queue`], [`payload`], [`zeros`], [`bisect`]: snapshots that wait, as bytes, and in parts when they are not taken
//!   whole.
//! - [`delivery`]: one snapshot on its way.
//! - [`transport`], [`tls`]: one HTTP request.
//! - [`worker`]: the task that brings these together, one per destination.
//! - [`failure_log`]: `otel.log`, for people.

pub mod bisect;
pub mod delivery;
pub mod destination;
pub mod failure_log;
pub mod health;
pub mod outcome;
pub mod payload;
pub mod queue;
pub mod record;
pub mod retry_after;
pub mod secret;
pub mod tls;
pub mod transport;
pub mod worker;
pub mod zeros;

pub use destination::Destination;
pub use failure_log::FailureLog;
pub use record::HealthRecord;
pub use worker::{CutId, FromWorker, Snapshot, WorkerHandle, spawn};
