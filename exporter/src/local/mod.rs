//! What the exporter shows on this machine: a page for people, `/metrics` for Prometheus, and whether it is well.
//!
//! - [`server`]: the listener, and who may talk to it. [`routes`]: what it answers.
//! - [`prometheus`]: an OTLP request as Prometheus text. [`prometheus_name`]: how names are translated.
//! - [`summary`], [`activity`], [`distribution`]: the few figures that the page shows. [`history`]: those of the last hour. `past`: how they are sampled.
//! - [`page`]: the page. `vendor/`: the library that draws its charts.

pub mod activity;
pub mod distribution;
pub mod history;
pub mod page;
mod past;
pub mod prometheus;
pub mod prometheus_name;
pub mod routes;
#[cfg(test)]
mod sample;
pub mod server;
pub mod summary;

pub use routes::LocalData;
pub use server::{Server, bind};
