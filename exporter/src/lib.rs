//! `ccxray-exporter`: tails the spool, turns entries into `ccxray.*` metrics and pushes them, if its user has consented.

pub mod deliver;
pub mod local;
