//! Drives the data flow: one thread reads the spool, counts, closes windows, writes checkpoints and hands snapshots
//! over.

pub mod commands;
pub mod core;
mod ledgering;
mod telling;
pub mod thread;

pub use self::{
    commands::{Command, Commands, Orders, Vitals},
    core::{Core, CoreOptions},
    thread::{Engine, EngineOptions, SETTLING, random_bits},
};
