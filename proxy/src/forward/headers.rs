//! Which headers end at a proxy.
//!
//! A hop's own headers (RFC 9110, section 7.6.1) are for the next neighbour and not for whoever is behind it:
//! those of a fixed list and those that `Connection` nominates. Everything else passes as it is.

use hyper::{
    HeaderMap, Method,
    header::{
        CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
    },
    http::uri::Authority,
};

use crate::route::prefix::STAMP_HEADERS;

static HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A client that nominates one of these would have us drop what the exchange cannot do without.
const NEVER_NOMINATED: [&str; 6] =
    ["authorization", "content-length", "content-type", "host", "x-api-key", "x-goog-api-key"];

/// Whether the request asks to become a WebSocket. No other upgrade is passed on.
pub fn wants_websocket(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET
        && tokens(headers, CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"))
        && tokens(headers, UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket"))
}

/// Makes a client's headers those of the request to `authority`.
pub fn toward_upstream(headers: &mut HeaderMap, authority: &Authority, websocket: bool) {
    let takes_trailers = tokens(headers, TE).any(|token| token.eq_ignore_ascii_case("trailers"));
    strip_hop(headers);
    // The answer to it is our own neighbour's business; the server side gives it when the body is asked for.
    headers.remove(EXPECT);
    for name in STAMP_HEADERS {
        headers.remove(name);
    }
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        headers.insert(HOST, host);
    }
    if websocket {
        upgrade_to_websocket(headers);
    } else if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Makes an upstream's headers those of the answer to the client.
pub fn toward_client(headers: &mut HeaderMap, switched: bool) {
    strip_hop(headers);
    if switched {
        upgrade_to_websocket(headers);
    }
}

fn upgrade_to_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

fn strip_hop(headers: &mut HeaderMap) {
    // Of two lengths only the chunks' own can be true.
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    let nominated: Vec<HeaderName> =
        tokens(headers, CONNECTION).filter_map(|token| token.parse().ok()).collect();
    for name in nominated.iter().filter(|name| !NEVER_NOMINATED.contains(&name.as_str())) {
        headers.remove(name);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        headers.iter().map(pair).collect()
    }

    fn upstream(headers: &[(&'static str, &'static str)], websocket: bool) -> HeaderMap {
        let mut headers = map(headers);
        toward_upstream(&mut headers, &Authority::from_static("up.example"), websocket);
        headers
    }

    #[test]
    fn the_hops_own_headers_and_the_nominated_ones_end_here() {
        let sent = upstream(
            &[
                ("host", "localhost:5588"),
                ("connection", "close, X-Private"),
                ("connection", "x-other"),
                ("x-private", "1"),
                ("x-other", "1"),
                ("keep-alive", "timeout=5"),
                ("proxy-connection", "keep-alive"),
                ("proxy-authorization", "Basic eDp5"),
                ("upgrade", "h2c"),
                ("http2-settings", "AAMAAABk"),
                ("expect", "100-continue"),
                ("x-ccxray-dir", "Lw"),
                ("x-ccxray-tier", "0"),
                ("x-ccxray-agent-otel", "1"),
                ("anthropic-beta", "future-thing"),
            ],
            false,
        );
        assert_eq!(sent, map(&[("host", "up.example"), ("anthropic-beta", "future-thing")]));
    }

    #[test]
    fn a_client_cannot_nominate_away_what_the_exchange_needs() {
        let needed = [("authorization", "Bearer x"), ("content-length", "2"), ("x-api-key", "k")];
        let mut sent = needed.to_vec();
        sent.push(("connection", "authorization, content-length, x-api-key, host"));
        let mut expected = map(&needed);
        expected.insert(HOST, HeaderValue::from_static("up.example"));
        assert_eq!(upstream(&sent, false), expected);
    }

    #[test]
    fn of_two_lengths_the_stated_one_goes_in_both_directions() {
        let both = [("transfer-encoding", "chunked"), ("content-length", "5")];
        assert_eq!(upstream(&both, false), map(&[("host", "up.example")]));
        let mut answer = map(&both);
        toward_client(&mut answer, false);
        assert_eq!(answer, HeaderMap::new());
    }

    #[test]
    fn willingness_to_take_trailers_is_passed_on() {
        let sent = upstream(&[("te", "gzip, trailers"), ("connection", "TE")], false);
        assert_eq!((sent[TE].as_bytes(), sent[CONNECTION].as_bytes()), (&b"trailers"[..], &b"te"[..]));
    }

    #[test]
    fn a_websocket_upgrade_stays_one() {
        let headers = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-extensions", "permessage-deflate"),
        ];
        assert!(wants_websocket(&Method::GET, &map(&headers)));
        assert!(!wants_websocket(&Method::POST, &map(&headers)));
        assert!(!wants_websocket(&Method::GET, &map(&[("connection", "upgrade"), ("upgrade", "h2c")])));
        let sent = upstream(&headers, true);
        assert_eq!(
            (sent[CONNECTION].as_bytes(), sent[UPGRADE].as_bytes()),
            (&b"Upgrade"[..], &b"websocket"[..])
        );
        assert_eq!(sent["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(sent["sec-websocket-extensions"], "permessage-deflate");
    }
}
