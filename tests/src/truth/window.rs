//! The context window of a session.

use crate::{upstream::Api, wire::Request};

/// Models for which Claude Code from 2.1.329 on says of itself (`--output-format json`: `contextWindow`) that it counts with
/// 200 000 tokens, unless a million are asked for.
const SMALL: [&str; 4] = ["claude-haiku-4-5", "claude-opus-4-5", "claude-opus-4-6", "claude-sonnet-4-"];

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

fn claude_code(request: &Request) -> u64 {
    let asks = request.header("anthropic-beta").is_some_and(|betas| betas.contains("context-1m-"));
    let client = request.header("user-agent").unwrap_or_default();
    of_claude(&request.model().unwrap_or_default(), asks, is_new(client))
}

/// Whether this is Claude Code 2.1.329 or later.
pub(super) fn is_new(client: &str) -> bool {
    let version =
        client.strip_prefix("claude-cli/").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let numbers: Vec<u32> = version.split('.').map_while(|number| number.parse().ok()).collect();
    numbers >= vec![2, 1, 329]
}

/// The window that Claude Code counts with for a model, if it asks for a million or does not; before 2.1.329, 200 000
/// whatever the model.
pub(super) fn of_claude(model: &str, asks: bool, is_new: bool) -> u64 {
    let small = !is_new || SMALL.iter().any(|begin| model.starts_with(begin));
    if small && !asks { 200_000 } else { 1_000_000 }
}
