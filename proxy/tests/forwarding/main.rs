//! The forwarding half as a client and an upstream see it: real connections, and on each side a peer that
//! speaks its bytes by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

mod bodies;
mod door;
mod ends;
mod routing;
mod support;
mod upgrades;
