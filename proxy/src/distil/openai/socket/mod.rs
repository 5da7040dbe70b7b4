//! Responses over a WebSocket: the same bodies and events as over HTTP, one JSON text each, many turns one after the
//! other on one connection. What differs is what a request leaves out because the server has it already.
//!
//! - [`message`]: what each side's messages are.
//! - [`history`]: what stands behind the id of an earlier response.

mod history;
mod message;

pub(crate) use history::History;
pub(crate) use message::{ClientMessage, Create, Ending, ServerEvent};
