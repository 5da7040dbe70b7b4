//! `ccxray-proxy`: forwards every byte untouched and leaves one entry per finished exchange in the spool.
//!
//! An exchange passes through the modules in this order: [`listen`] accepts the connection, [`route`] decides
//! which upstream the request is for, [`forward`] carries the bytes both ways, and [`record`] gets a copy of
//! them, for which nothing here ever waits. [`cli`] is the command line, [`serve`] puts it all
//! together after [`preflight`] has found nothing wrong. [`launch`] starts agents that use it.

pub mod cli;
pub mod decode;
pub mod distil;
pub mod forward;
pub mod launch;
pub mod listen;
pub mod preflight;
pub mod record;
pub mod route;
pub mod serve;
