//! What recorded bytes are wrapped in: content encodings (gzip, deflate, br, zstd and stacks of them), and the frames of
//! a WebSocket.
//!
//! The client gets the original bytes; only the recorder's copy is decoded, piece by piece as it comes in.

pub mod content;
mod layer;
mod output;
pub mod websocket;

pub use content::{ContentDecoder, Fault};
