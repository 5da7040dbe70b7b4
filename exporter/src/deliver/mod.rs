//! The push of snapshots over OTLP, and nothing else: the only place that opens a socket towards the network.
//!
//! ```text
//! engine ─ offer(Snapshot) → queue → worker → transport → destination
//!        ←  FromWorker  ───────────┘   │ outcome: what the reply means
//!                                      │ health:  when the next attempt may be made
//!                                      └ bisect:  which metrics go into it
//! ```
//!
//! - [`destination`], [`endpoint`]: where to, read from the `OTEL_*` environment. [`secret`]: values not to be seen.
//! - [`outcome`], [`retry_after`]: what one attempt came to; pure.
//! - [`health`]: the five states of a destination and its breaker; pure. [`record`]: what survives a restart.
//! - [`queue`], [`payload`], [`zeros`], [`bisect`]: snapshots that wait, as bytes, and in parts when they are not taken
//!   whole.
//! - [`delivery`]: one snapshot on its way.
//! - [`transport`], [`tls`]: one HTTP request.
//! - [`worker`]: the task that brings these together, one per destination. [`messages`]: what it takes and reports.
//! - [`history`], [`tally`]: what a destination has been through, for `status`; pure.
//! - [`failure_log`]: `otel.log`, for people. [`self_telemetry`]: the exporter's own health, as the
//!   metrics of [`self_metrics`]. [`figures`]: which of it goes where.

pub mod bisect;
pub mod delivery;
pub mod destination;
mod door;
pub mod endpoint;
pub mod failure_log;
pub mod figures;
pub mod health;
pub mod history;
pub mod messages;
pub mod outcome;
pub mod payload;
pub mod queue;
pub mod record;
pub mod retry_after;
pub mod secret;
pub mod self_metrics;
pub mod self_telemetry;
pub mod tally;
pub mod tls;
pub mod transport;
pub mod worker;
pub mod zeros;

pub use destination::Destination;
pub use failure_log::FailureLog;
pub use figures::Figures;
pub use history::History;
pub use messages::{CutId, FromWorker, Snapshot};
pub use record::HealthRecord;
pub use self_telemetry::SelfTelemetry;
pub use worker::{WorkerHandle, spawn};
