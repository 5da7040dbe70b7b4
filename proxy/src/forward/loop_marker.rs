//! Stops a request that comes round to where it has been.
//!
//! Two proxies that have each other as upstreams would pass a request back and forth, each holding more and more
//! exchanges open, until nothing is left to open. So when suspiciously many are open at once, a proxy puts a random
//! id of its own on what it sends to an upstream without TLS, and refuses what carries it; then all rounds unwind.
//! In any other case nothing is added to a request, and a provider's own API, which is behind TLS, never sees a mark.

use std::io;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

/// The header that carries the ids of the proxies passed.
pub const LOOP_HEADER: HeaderName = HeaderName::from_static("x-ccxray-loop");

/// With more exchanges open than this, a loop is suspected. Several times what a busy team's agents have open.
const SUSPECTED_ABOVE: usize = 128;

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

    /// Marks a request if a loop is suspected while `open` exchanges are under way; takes all marks off it where the
    /// upstream is no proxy of this kind.
    pub fn put_on(&self, headers: &mut HeaderMap, upstream_is_plain: bool, open: usize) {
        if !upstream_is_plain {
            headers.remove(LOOP_HEADER);
        } else if open > SUSPECTED_ABOVE {
            headers.append(LOOP_HEADER, self.0.clone());
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
        us.put_on(&mut headers, true, SUSPECTED_ABOVE + 1);
        other.put_on(&mut headers, true, SUSPECTED_ABOVE + 1);
        assert!(us.is_on(&headers) && other.is_on(&headers));
        assert!(!LoopMarker::random().unwrap().is_on(&headers));
    }

    #[test]
    fn no_mark_reaches_a_provider() {
        let (us, other) = (LoopMarker::random().unwrap(), LoopMarker::random().unwrap());
        let mut headers = HeaderMap::new();
        other.put_on(&mut headers, true, SUSPECTED_ABOVE + 1);
        us.put_on(&mut headers, false, SUSPECTED_ABOVE + 1);
        assert_eq!(headers, HeaderMap::new());
    }

    #[test]
    fn nothing_is_added_as_long_as_no_loop_is_suspected() {
        let mut headers = HeaderMap::new();
        LoopMarker::random().unwrap().put_on(&mut headers, true, SUSPECTED_ABOVE);
        assert_eq!(headers, HeaderMap::new());
    }
}
