//! Rate limits as an answer's headers state them.

use ccxray_shared::{Name, entry::RateLimit};
use hyper::HeaderMap;

/// The headers that say how much is left (Anthropic's API reference, "Rate limits"), and of what.
const REMAINING: [(&str, &str); 4] = [
    ("anthropic-ratelimit-requests-remaining", "requests"),
    ("anthropic-ratelimit-tokens-remaining", "tokens"),
    ("anthropic-ratelimit-input-tokens-remaining", "input-tokens"),
    ("anthropic-ratelimit-output-tokens-remaining", "output-tokens"),
];

/// The limits of the closed list whose remaining amount is stated as a whole number.
pub fn rate_limits(headers: &HeaderMap) -> Vec<RateLimit<'static>> {
    let limit = |&(header, limit): &(&'static str, &'static str)| {
        let remaining = headers.get(header)?.to_str().ok()?.trim().parse().ok()?;
        Some(RateLimit { limit: Name::from_wire(limit), remaining })
    };
    REMAINING.iter().filter_map(limit).collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_numbers_of_the_closed_list_are_taken() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("anthropic-ratelimit-requests-remaining", "3998"),
            ("anthropic-ratelimit-tokens-remaining", "soon"),
            ("anthropic-ratelimit-tokens-limit", "80000"),
            ("anthropic-ratelimit-unified-remaining", "1"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let expected = RateLimit { limit: Name::from_wire("requests"), remaining: 3998 };
        assert_eq!(rate_limits(&headers), [expected]);
    }
}
