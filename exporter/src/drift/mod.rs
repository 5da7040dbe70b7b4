//! The drift log: what entries had that nobody knows, in samples, for `parser report`.
//!
//! - [`sample`]: a line of it.
//! - [`sampler`]: which drift becomes a line, and which is only counted; pure.
//! - [`log`]: the file.

pub mod log;
pub mod sample;
pub mod sampler;

pub use self::{log::DriftLog, sample::Sample, sampler::Met};
