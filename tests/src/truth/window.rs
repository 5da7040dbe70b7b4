//! The context window of a session.

use crate::{upstream::Api, wire::Request};

/// The window that the client counts with.
pub(super) fn of(api: Api, request: &Request) -> u64 {
    match api {
        Api::Anthropic => claude_code(request),
        // Codex has a list of its own.
        Api::OpenAi => match request.model().as_deref() {
            Some("gpt-6.1-terra") => 500_000,
            _ => 272_000,
        },
        Api::Gemini => 1_048_576,
    }
}

/// A million only for whoever asks for it.
fn claude_code(request: &Request) -> u64 {
    let asks = request.header("anthropic-beta").is_some_and(|betas| betas.contains("context-1m-"));
    if asks { 1_000_000 } else { 200_000 }
}
