//! Why no answer came from an upstream.

use std::{error::Error, io};

use ccxray_shared::daemon::log::causes;
use hyper::StatusCode;

use super::{own_answer::OwnAnswer, request_body::ClientBrokeOff};

/// Why no answer began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection in time.
    ConnectTimeout,
    /// No connection: the name is unknown, the port closed, the certificate not trusted.
    Connect,
    /// The connection was lost before the head of the answer had come, or the head was none.
    BrokeOff,
    /// The client's own request ended before it was complete.
    Client,
    /// The upstream switched to another protocol, which nobody had asked for.
    UnaskedSwitch,
}

impl Failure {
    /// Sorts the client's error.
    pub fn of(error: &hyper_util::client::legacy::Error) -> Self {
        if causes(error).any(<dyn Error>::is::<ClientBrokeOff>) {
            Self::Client
        } else if !error.is_connect() {
            Self::BrokeOff
        } else if causes(error).any(is_timeout) {
            Self::ConnectTimeout
        } else {
            Self::Connect
        }
    }

    /// What the client is told about `upstream`.
    pub fn answer(self, upstream: &str) -> OwnAnswer {
        let (status, kind, message) = match self {
            Self::ConnectTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "connect_timeout",
                format!("no connection to upstream `{upstream}` in time"),
            ),
            Self::Connect => (
                StatusCode::BAD_GATEWAY,
                "unreachable",
                format!("no connection to upstream `{upstream}`; the proxy's log says why"),
            ),
            Self::BrokeOff => (
                StatusCode::BAD_GATEWAY,
                "broke_off",
                format!("upstream `{upstream}` broke off before it answered"),
            ),
            Self::Client => (
                StatusCode::BAD_REQUEST,
                "bad_body",
                "the request's body ended before it was complete".to_owned(),
            ),
            Self::UnaskedSwitch => (
                StatusCode::BAD_GATEWAY,
                "unasked_switch",
                format!("upstream `{upstream}` switched to a protocol that nobody had asked for"),
            ),
        };
        OwnAnswer { status, kind, message }
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}
