//! Carries exchanges to their upstreams and back, byte for byte.
//!
//! [`forwarder`] is the way of one exchange: past the [`door`], with its [`headers`] cleaned, through the
//! [`client`], with a wrapper around each body ([`request_body`], [`response_body`]) that shows the bytes to the
//! recorder; chunks of an answer that come at once leave [`joined`]. After an [`upgrade`] there are no bodies any more, only two streams. What the proxy answers on its
//! own is an [`own_answer`].

pub mod client;
pub mod door;
pub mod failure;
pub mod forwarder;
pub mod headers;
pub mod joined;
pub mod loop_marker;
pub mod own_answer;
pub mod request_body;
pub mod response_body;
pub mod tls;
pub mod tunnel;
pub mod upgrade;
