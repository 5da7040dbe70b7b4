//! What the exporter remembers: one consistent cut through the spool and everything that was made of it.
//!
//! Positions and totals lie in one file, so that no crash can leave one without the other: after a restart the totals
//! contain exactly the entries before the positions.

mod file;
mod state;

pub use file::{Loaded, Store, StoreError};
pub use state::{Agreed, SavedPipeline, SeenDirectory, State, Writer};
