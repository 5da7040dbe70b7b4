//! Drives the data flow: one thread reads the spool, counts, closes windows, writes checkpoints and hands snapshots
//! over.
//!
//! - [`core`]: the windows and the pipelines; pure. `core/agreement`: what consent changes in them. `exported`: one
//!   pipeline with a destination. `route`: which one an entry counts in. `seen`: the directories that entries came from.
//! - [`thread`]: the IO around it. [`commands`]: what it is told. [`outlet`]: where consent comes from and snapshots go.

use std::time::Duration;

pub mod commands;
pub mod core;
mod exported;
mod ledgering;
pub mod outlet;
mod route;
mod seen;
mod telling;
pub mod thread;

pub use self::{
    commands::{Command, Commands, Orders, Sending, Vitals},
    core::{Core, CoreOptions},
    exported::Exported,
    outlet::Outlet,
    route::{Lack, PipelineId, Route},
    thread::{Engine, EngineOptions, random_bits},
};

/// How long after its end an entry may still be on its way into the spool.
pub const SETTLING: Duration = Duration::from_secs(2);
/// How far behind the last snapshot the clock may fall before the series start anew.
const BEHIND: Duration = Duration::from_mins(5);
