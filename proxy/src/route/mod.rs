//! Which upstream a request is for, what it asks for, and what its launcher stamped on it. All of it is pure:
//! method, path and headers in, a destination out.

pub mod base64url;
pub mod destination;
pub mod operation;
pub mod prefix;
pub mod stamp;
pub mod upstream;
