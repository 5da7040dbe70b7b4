//! HTTP/1.1 by hand, for servers that must be able to break it at any byte.

mod base64;
mod connection;
mod request;
pub mod websocket;

pub use base64::base64;
pub use connection::{Break, Connection};
pub use request::Request;
