//! The copy of a WebSocket's bytes, one direction at a time: frames, what is compressed in them, messages.
//!
//! - [`frame`]: where frames begin and end (RFC 6455).
//! - [`extension`]: what the two sides have agreed on (RFC 7692).
//! - [`inflate`]: compressed messages, bounded.
//! - [`message`]: whole messages.
//!
//! Whoever only looks on has nothing to answer, to mask or to close, which is most of what a WebSocket library
//! does; and those that are well kept do not inflate.

pub mod extension;
mod fault;
pub mod frame;
mod inflate;
pub mod message;

pub use extension::Deflate;
pub use fault::Fault;
pub use message::{Content, Message, MessageReader, Side};
