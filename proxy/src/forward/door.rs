//! Which requests are let in at all.

use std::net::SocketAddr;

use ccxray_shared::daemon::guard::{Guard, RefusedError};
use hyper::{
    HeaderMap, Method, StatusCode, Uri,
    header::{HOST, ORIGIN},
};

use super::{loop_marker::LoopMarker, own_answer::OwnAnswer};
use crate::route::destination::RouteError;

/// How a request came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The address that it was sent to; none on a Unix socket.
    pub local: Option<SocketAddr>,
    /// Whether its head stated its length in two ways, `Content-Length` and `Transfer-Encoding`: the mark of
    /// an attempt to smuggle a second request past somebody.
    pub has_two_lengths: bool,
}

/// Why a request is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// We are no forward proxy.
    #[error("CONNECT is not offered; set the agent's base url to this address instead of an http proxy")]
    Connect,
    /// Not sent by a program on this machine that means us.
    #[error(transparent)]
    Stranger(#[from] RefusedError),
    /// Its body has two lengths.
    #[error("a request must not have both content-length and transfer-encoding")]
    TwoLengths,
    /// It has passed here before.
    #[error("this request has passed here before: an upstream leads back to this proxy; correct its url")]
    Loop,
    /// Nobody to send it to.
    #[error(transparent)]
    NoRoute(#[from] RouteError),
}

/// Judges a request by its head.
pub fn check(
    guard: &Guard,
    marker: &LoopMarker,
    arrival: Arrival,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    if method == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    let values = |name| headers.get_all(name).into_iter().map(hyper::header::HeaderValue::as_bytes);
    let fetch_site = headers.get("sec-fetch-site").map(hyper::header::HeaderValue::as_bytes);
    guard.check(arrival.local, values(HOST), values(ORIGIN), fetch_site)?;
    // The absolute form of a URI speaks to a forward proxy, unless it names ourselves.
    if let Some(authority) = uri.authority() {
        guard.check(arrival.local, [authority.as_str().as_bytes()], [], None)?;
    }
    if arrival.has_two_lengths {
        return Err(Refusal::TwoLengths);
    }
    if marker.is_on(headers) {
        return Err(Refusal::Loop);
    }
    Ok(())
}

impl Refusal {
    /// What the client is told.
    pub fn answer(self) -> OwnAnswer {
        let (status, kind) = match self {
            Self::Connect => (StatusCode::METHOD_NOT_ALLOWED, "connect"),
            Self::Stranger(RefusedError::HostMissing) => (StatusCode::BAD_REQUEST, "host"),
            Self::Stranger(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::TwoLengths => (StatusCode::BAD_REQUEST, "two_lengths"),
            Self::Loop => (StatusCode::LOOP_DETECTED, "loop"),
            Self::NoRoute(RouteError::Stamp(_)) => (StatusCode::BAD_REQUEST, "stamp"),
            Self::NoRoute(_) => (StatusCode::NOT_FOUND, "no_route"),
        };
        OwnAnswer { status, kind, message: self.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn knock(method: &Method, uri: &str, host: &'static str) -> Result<(), Refusal> {
        let arrival = Arrival { local: Some("127.0.0.1:5588".parse().unwrap()), has_two_lengths: false };
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        let marker = LoopMarker::random().unwrap();
        check(&Guard::default(), &marker, arrival, method, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn an_absolute_uri_is_let_in_only_if_it_names_us() {
        let ours = "localhost:5588";
        assert_eq!(knock(&Method::GET, "/v1/models", ours), Ok(()));
        assert_eq!(knock(&Method::GET, "http://localhost:5588/v1/models", ours), Ok(()));
        let foreign = Err(Refusal::Stranger(RefusedError::ForeignHost));
        assert_eq!(knock(&Method::GET, "http://api.anthropic.com/v1/models", ours), foreign);
        assert_eq!(knock(&Method::GET, "/v1/models", "evil.example"), foreign);
    }

    #[test]
    fn connect_is_refused() {
        assert_eq!(knock(&Method::CONNECT, "api.anthropic.com:443", "localhost:5588"), Err(Refusal::Connect));
    }
}
