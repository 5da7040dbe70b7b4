//! A worker against real sockets: a collector that answers as scripted, and everything that it received.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod breaker;
mod collector;
mod outcomes;
mod rig;
mod secrets;
mod self_telemetry;
