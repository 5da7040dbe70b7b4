//! The real daemons, each in a process of its own.

mod binary;
mod exporter;
mod process;
mod proxy;
mod state;

pub use binary::binary;
pub use exporter::{Exporter, Local, RunningExporter};
pub use process::Process;
pub use proxy::Proxy;
pub use state::State;
