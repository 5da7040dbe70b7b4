//! From the copy of an exchange to a line in the spool: the channel between the forwarding side and the
//! recorder thread, and that thread.

mod assembly;
pub mod channel;
pub mod exchange;
mod exchanges;
pub mod gauges;
pub mod noted;
pub mod panics;
pub mod recorder;
mod spooling;
mod stats;
mod summary;
mod websocket;
