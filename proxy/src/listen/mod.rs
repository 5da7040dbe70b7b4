//! From a listening socket to requests, and the orderly end of it.

pub mod acceptor;
pub mod address;
pub mod connection;
pub mod drain;
pub mod framing;
pub mod signals;
pub mod watched;
