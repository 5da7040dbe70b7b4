//! Drives the data flow: one thread reads the spool, counts, closes windows, writes checkpoints and hands snapshots
//! over.

pub mod core;
pub mod thread;

pub use self::{
    core::{Core, CoreOptions},
    thread::{Command, Engine, EngineOptions},
};
