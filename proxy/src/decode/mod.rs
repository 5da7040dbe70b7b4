//! Content encodings of recorded bodies: gzip, deflate, br, zstd and stacks of them.
//!
//! The client gets the original bytes; only the recorder's copy is decoded, piece by piece as it comes in.

pub mod content;
mod layer;
mod output;

pub use content::{ContentDecoder, Fault};
