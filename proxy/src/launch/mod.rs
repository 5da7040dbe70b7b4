//! The launcher: starts an agent so that its requests come here, stamped with the project that they belong to and
//! with what its user allows.
//!
//! [`address`] is where the proxy is, [`probe`] asks whether it is there, [`agent`] knows what makes each agent use it,
//! [`shell`] writes that down for a shell, and [`start`] becomes the agent.

pub mod address;
pub mod agent;
mod own_tier;
pub mod probe;
pub mod shell;
pub mod stamps;
pub mod start;
