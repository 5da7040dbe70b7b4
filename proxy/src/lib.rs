//! `ccxray-proxy`: forwards every byte untouched and leaves one entry per finished exchange in the spool.

pub mod decode;
pub mod distil;
pub mod record;
pub mod route;
