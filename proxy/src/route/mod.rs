//! Which upstream a request is for, what it asks for, and what its launcher stamped on it.

pub mod stamp;
