//! The forwarding half as a client and an upstream see it: real connections, and on each side a peer that
//! speaks its bytes by hand.

mod bodies;
mod door;
mod ends;
mod routing;
mod support;
mod upgrades;
