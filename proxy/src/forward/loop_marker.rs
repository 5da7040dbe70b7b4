//! Stops a request that comes round to where it has been.
//!
//! Two proxies that have each other as upstreams would pass a request back and forth for ever. So each puts a
//! random id of its own on what it sends to an upstream without TLS, and refuses what carries it. A provider's
//! own API is behind TLS and never sees the mark.

use std::io;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

/// The header that carries the ids of the proxies passed.
pub const LOOP_HEADER: HeaderName = HeaderName::from_static("x-ccxray-loop");

/// This process's mark.
#[derive(Clone, Debug)]
pub struct LoopMarker(HeaderValue);

impl LoopMarker {
    /// A random mark.
    pub fn random() -> io::Result<Self> {
        let bits = getrandom::u64().map_err(io::Error::from)?;
        HeaderValue::from_str(&format!("{bits:016x}")).map(Self).map_err(io::Error::other)
    }

    /// Whether a request has passed this process before.
    pub fn is_on(&self, headers: &HeaderMap) -> bool {
        headers.get_all(LOOP_HEADER).iter().any(|mark| mark == self.0)
    }

    /// Marks a request, or takes all marks off it where the upstream is no proxy of this kind.
    pub fn put_on(&self, headers: &mut HeaderMap, upstream_is_plain: bool) {
        if upstream_is_plain {
            headers.append(LOOP_HEADER, self.0.clone());
        } else {
            headers.remove(LOOP_HEADER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_recognised_even_after_other_proxies() {
        let (us, other) = (LoopMarker::random().unwrap(), LoopMarker::random().unwrap());
        let mut headers = HeaderMap::new();
        us.put_on(&mut headers, true);
        other.put_on(&mut headers, true);
        assert!(us.is_on(&headers) && other.is_on(&headers));
        assert!(!LoopMarker::random().unwrap().is_on(&headers));
    }

    #[test]
    fn no_mark_reaches_a_provider() {
        let (us, other) = (LoopMarker::random().unwrap(), LoopMarker::random().unwrap());
        let mut headers = HeaderMap::new();
        other.put_on(&mut headers, true);
        us.put_on(&mut headers, false);
        assert_eq!(headers, HeaderMap::new());
    }
}
