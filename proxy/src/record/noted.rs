//! Which headers the recorder gets to see.
//!
//! Everything else, credentials first, stays on the forwarding side: what the recorder never had, it can never
//! write down.

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

const NOTED: &[&str] = &[
    "anthropic-beta",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-tokens-remaining",
    "content-encoding",
    "content-type",
    "conversation_id",
    "sec-websocket-extensions",
    "session-id",
    "session_id",
    "thread-id",
    "upgrade",
    "user-agent",
    "x-claude-code-agent-id",
    "x-claude-code-session-id",
    "x-codex-parent-thread-id",
    "x-codex-turn-metadata",
    "x-openai-subagent",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
];

/// As many as are seldom exceeded.
const USUAL: usize = 8;

/// The headers out of `headers` that the recorder gets to see; copies, which keep nothing of the buffer that the
/// head was read into.
pub fn noted(headers: &HeaderMap) -> HeaderMap {
    let mut noted = HeaderMap::with_capacity(USUAL);
    for (name, value) in headers.iter().filter(|(name, _)| is_noted(name)) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            noted.append(name.clone(), value);
        }
    }
    noted
}

fn is_noted(name: &HeaderName) -> bool {
    NOTED.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_for_the_search() {
        assert!(NOTED.is_sorted());
    }

    #[test]
    fn credentials_are_not_noted() {
        for name in [
            "authorization",
            "x-api-key",
            "x-goog-api-key",
            "cookie",
            "chatgpt-account-id",
            "proxy-authorization",
            "anthropic-organization-id",
            "x-codex-window-id",
        ] {
            assert!(!is_noted(&HeaderName::from_static(name)), "{name}");
        }
        assert!(is_noted(&HeaderName::from_static("anthropic-ratelimit-requests-remaining")));
    }
}
