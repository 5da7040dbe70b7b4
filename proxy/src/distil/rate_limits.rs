//! Rate limits as an answer's headers state them.

use ccxray_shared::{Name, entry::RateLimit};
use hyper::HeaderMap;

/// The headers that say how much is left (the API references of Anthropic and OpenAI, "Rate limits"), and of what.
/// Those of a subscription (`anthropic-ratelimit-unified-…`) and of a ChatGPT log-in (`x-codex-primary-used-percent` …)
/// state the share that is used, which is no amount.
const REMAINING: [(&str, &str); 6] = [
    ("anthropic-ratelimit-requests-remaining", "requests"),
    ("anthropic-ratelimit-tokens-remaining", "tokens"),
    ("anthropic-ratelimit-input-tokens-remaining", "input-tokens"),
    ("anthropic-ratelimit-output-tokens-remaining", "output-tokens"),
    ("x-ratelimit-remaining-requests", "requests"),
    ("x-ratelimit-remaining-tokens", "tokens"),
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

    #[test]
    fn openai_names_its_limits_the_other_way_round() {
        let headers = [("x-ratelimit-remaining-requests", "499"), ("x-ratelimit-remaining-tokens", "199000")];
        let headers =
            headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let limits = rate_limits(&HeaderMap::from_iter(headers));
        let limits: Vec<_> = limits.iter().map(|limit| (&*limit.limit, limit.remaining)).collect();
        assert_eq!(limits, [("requests", 499), ("tokens", 199_000)]);
    }
}
