//! `ccxray-exporter`: tails the spool, turns entries into `ccxray.*` metrics and pushes them, if its user has
//! consented.
//!
//! The modules are the data flow: [`source`] → [`classify`] → [`measure`] → [`pipeline`] → [`snapshot`] →
//! [`deliver`] and [`local`], with [`checkpoint`] remembering all of it at one consistent cut and [`engine`] driving
//! it.

pub mod checkpoint;
pub mod classify;
pub mod cli;
pub mod consent;
pub mod deliver;
pub mod doctor;
pub mod drift;
pub mod engine;
pub mod git;
pub mod init;
pub mod local;
pub mod measure;
pub mod metrics_list;
pub mod parser_report;
pub mod pipeline;
pub mod preview;
pub mod push;
pub mod rotating;
pub mod run;
pub mod snapshot;
pub mod source;
pub mod status;
pub mod trust;
