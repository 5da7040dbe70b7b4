//! Consent: what may leave the machine, for which exchange, and where it goes. Nothing, unless somebody said so.
//!
//! ```text
//! .ccxray.json ─────┐ config: text → settings, with every mistake at its place
//! .ccxray.user.json ┤ place:  only regular files of our own, only under trusted directories
//! trust.json ───────┘ trust:  a project's file counts by its path and its content
//!        ↓
//!     lookup → resolve → Consents ── decide(entry) → Decision
//! ```
//!
//! - [`tier`]: the three tiers, and what two files make of them; pure.
//! - [`config`]: the two configuration files as text and as settings; pure.
//! - [`place`], [`automount`]: opening a file that somebody else may have laid out.
//! - [`trust`]: the projects that the user trusts. [`own`]: the user's own file.
//! - [`lookup`]: from a directory to its project's file.
//! - [`environment`]: the `OTEL_*` variables.
//! - [`resolve`]: from files to a [`Grant`]; pure.
//! - [`consents`]: all of it at one moment; answers what may become of an entry; pure.
//! - [`keeper`]: the files, read again and again. [`watcher`]: the thread that does so.

pub mod automount;
pub mod config;
pub mod consents;
pub mod environment;
mod error;
mod grant;
pub mod keeper;
pub mod lookup;
pub mod own;
pub mod place;
mod reason;
pub mod resolve;
pub mod tier;
pub mod trust;
pub mod watcher;

pub use self::{
    consents::{Consents, Decision},
    environment::Environment,
    error::ConsentError,
    grant::Grant,
    keeper::Keeper,
    reason::Reason,
    tier::Tier,
    watcher::Watcher,
};
