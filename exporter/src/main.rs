//! The exporter daemon.

fn main() {}
