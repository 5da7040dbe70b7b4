//! Why an answer ended, in one set of words for all providers.

use ccxray_shared::{Entry, entry::Provider};

/// The canonical stop reason of an answered request.
///
/// Anthropic's words are its API's `stop_reason`; `incomplete` is ours, for a stream that never came to its
/// terminal event.
pub fn canonical(entry: &Entry<'_>) -> &'static str {
    if entry.error.is_some() {
        return "error";
    }
    if entry.streamed && entry.terminal == Some(false) {
        return "incomplete";
    }
    let Some(reason) = &entry.stop_reason else { return "incomplete" };
    match entry.provider {
        Provider::Anthropic => anthropic(reason),
        Provider::OpenAi | Provider::Gemini | Provider::Other => "other",
    }
}

fn anthropic(reason: &str) -> &'static str {
    match reason {
        "end_turn" => "end_turn",
        "tool_use" => "tool_use",
        "max_tokens" => "max_tokens",
        "refusal" => "refusal",
        "stop_sequence" => "stop_sequence",
        "pause_turn" => "pause",
        "model_context_window_exceeded" => "context_window",
        _ => "other",
    }
}
