//! The harness: what the tests need to run the real daemons against a world that they control.
//!
//! - [`upstream`]: a scripted provider on real TCP that misbehaves at any byte and keeps the truth of what it
//!   served; [`client`] talks to it (or to the proxy before it) as Claude Code does, or lets real agents do so.
//! - [`daemons`]: the two binaries, started, stopped, killed; [`world`]: all parts together.
//! - [`collector`]: an OTLP receiver that keeps every request; [`backends`]: receivers that others wrote;
//!   [`exposition`]: what a scrape says.
//! - [`truth`]: what the metrics must be, from the upstream's ledger or from the spool (which [`spool`] reads
//!   without the product's code), with prices given by hand.
//! - [`service_manager`]: the other end of `sd_notify`.
//! - [`stage`]: everything from a provider to a real database, for a real agent to play on.
//! - [`machine`]: somebody's machine with projects on it; [`trace`]: what a process asks of the system.
//! - [`canary`]: secrets that must not be found anywhere.
//! - [`eventually`](mod@eventually), [`wire`]: waiting within bounds; HTTP/1.1 by hand.
//!
//! A harness that cannot do its part panics: a test has nothing better to do with its errors.

#![expect(
    clippy::missing_panics_doc,
    reason = "every function of a harness panics when it cannot do its part"
)]

pub mod backends;
pub mod canary;
pub mod client;
pub mod collector;
pub mod daemons;
pub mod eventually;
pub mod exposition;
pub mod machine;
pub mod service_manager;
pub mod spool;
pub mod stage;
pub mod trace;
pub mod truth;
pub mod upstream;
pub mod wire;
pub mod world;

pub use eventually::{PATIENCE, eventually};
pub use stage::Stage;
pub use world::World;
