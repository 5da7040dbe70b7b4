//! What the ccxray proxy and exporter must agree on: the words of an entry, the layout of the spool,
//! and how its files are written and read.
//!
//! - [`entry`], [`usage`], [`line`](mod@line): one line of the spool, as data.
//! - [`segment`]: the names and the header of a spool file.
//! - [`state_dir`], [`key`]: where things lie, and the secret that keyed hashes are made with.
//! - [`daemon`]: the habits of both programs on the command line and on loopback.
//! - [`json`]: configuration files, whose mistakes are told at their place.
//! - [`spool`]: the writer (the proxy's), the reader (the exporter's) and the bounds on the disk.
//!
//! `shared/FORMAT.md` is the format's page for other programs.

pub mod daemon;
pub mod entry;
pub mod json;
pub mod key;
pub mod line;
pub mod name;
pub mod private;
pub mod segment;
pub mod spool;
pub mod state_dir;
pub mod time;
pub mod usage;

pub use entry::Entry;
pub use name::Name;
pub use time::UnixMillis;
