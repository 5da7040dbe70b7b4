//! A WebSocket on which turns follow each other: from the copies of its bytes to an entry for each turn.
//!
//! - [`connection`]: both directions, and the turns under way.
//! - [`turn`]: one request for a response, and the events that belong to it.

mod connection;
mod turn;

pub(super) use connection::Connection;
