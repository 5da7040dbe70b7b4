//! Why an answer ended, in one set of words for all providers.

use ccxray_shared::{
    Entry,
    entry::{Provider, ToolCalls},
};

/// The canonical stop reason of an answered request.
///
/// The providers' words are from their API references: Anthropic's `stop_reason`, a response's `status`, Chat
/// Completions' `finish_reason`, Gemini's `finishReason` and `blockReason`. `incomplete` is ours, for an answer that
/// never came to its end.
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
        Provider::OpenAi => openai(reason, waits_for_client(entry.tools.as_ref())),
        Provider::Gemini => gemini(reason, waits_for_client(entry.tools.as_ref())),
        Provider::Other => "other",
    }
}

/// Whether the client has a tool to run. Where the reason does not say so itself, this decides.
fn waits_for_client(tools: Option<&ToolCalls<'_>>) -> bool {
    let Some(tools) = tools else { return false };
    let unlisted = (tools.blocks as usize) > tools.calls.len();
    unlisted || tools.calls.iter().any(|call| !call.hosted)
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

/// The statuses of a response and the finish reasons of a completion; none means two things.
fn openai(reason: &str, waits: bool) -> &'static str {
    match reason {
        "completed" if waits => "tool_use",
        "completed" | "stop" => "end_turn",
        "tool_calls" | "function_call" => "tool_use",
        "length" | "incomplete:max_output_tokens" => "max_tokens",
        "content_filter" | "incomplete:content_filter" | "completed:refusal" | "stop:refusal" => "refusal",
        "failed" | "cancelled" => "error",
        "in_progress" | "queued" => "incomplete",
        _ => "other",
    }
}

fn gemini(reason: &str, waits: bool) -> &'static str {
    match reason {
        "STOP" if waits => "tool_use",
        "STOP" => "end_turn",
        "MAX_TOKENS" => "max_tokens",
        "SAFETY" | "PROHIBITED_CONTENT" | "BLOCKLIST" | "SPII" | "RECITATION" => "refusal",
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "OTHER" => "error",
        _ if reason.starts_with("blockReason:") => "refusal",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::{
        Name,
        entry::{ErrorFacts, ToolCall},
    };

    use super::*;
    use crate::source::tests::entry;

    fn calls(hosted: &[bool]) -> ToolCalls<'static> {
        let call = |&hosted: &bool| ToolCall { hosted, ..ToolCall::named(Name::from_wire("tool")) };
        let calls: Vec<_> = hosted.iter().map(call).collect();
        ToolCalls { blocks: u32::try_from(calls.len()).unwrap(), calls, unreadable: 0 }
    }

    fn of(provider: Provider, reason: &'static str, tools: Option<ToolCalls<'static>>) -> &'static str {
        let stop_reason = Some(Name::from_wire(reason));
        canonical(&Entry { provider, stop_reason, tools, ..entry(70_000) })
    }

    #[test]
    fn every_providers_words_have_their_canonical_form() {
        use Provider::{Anthropic, Gemini, OpenAi, Other};
        for (provider, reason, expected) in [
            (Anthropic, "end_turn", "end_turn"),
            (Anthropic, "tool_use", "tool_use"),
            (Anthropic, "max_tokens", "max_tokens"),
            (Anthropic, "refusal", "refusal"),
            (Anthropic, "stop_sequence", "stop_sequence"),
            (Anthropic, "pause_turn", "pause"),
            (Anthropic, "model_context_window_exceeded", "context_window"),
            (Anthropic, "completed", "other"),
            (OpenAi, "completed", "end_turn"),
            (OpenAi, "completed:refusal", "refusal"),
            (OpenAi, "incomplete:max_output_tokens", "max_tokens"),
            (OpenAi, "incomplete:content_filter", "refusal"),
            (OpenAi, "incomplete", "other"),
            (OpenAi, "failed", "error"),
            (OpenAi, "cancelled", "error"),
            (OpenAi, "in_progress", "incomplete"),
            (OpenAi, "queued", "incomplete"),
            (OpenAi, "stop", "end_turn"),
            (OpenAi, "stop:refusal", "refusal"),
            (OpenAi, "tool_calls", "tool_use"),
            (OpenAi, "function_call", "tool_use"),
            (OpenAi, "length", "max_tokens"),
            (OpenAi, "content_filter", "refusal"),
            (OpenAi, "tea", "other"),
            (Gemini, "STOP", "end_turn"),
            (Gemini, "MAX_TOKENS", "max_tokens"),
            (Gemini, "SAFETY", "refusal"),
            (Gemini, "PROHIBITED_CONTENT", "refusal"),
            (Gemini, "BLOCKLIST", "refusal"),
            (Gemini, "SPII", "refusal"),
            (Gemini, "RECITATION", "refusal"),
            (Gemini, "blockReason:OTHER", "refusal"),
            (Gemini, "MALFORMED_FUNCTION_CALL", "error"),
            (Gemini, "UNEXPECTED_TOOL_CALL", "error"),
            (Gemini, "OTHER", "error"),
            (Gemini, "LANGUAGE", "other"),
            (Other, "stop", "other"),
        ] {
            assert_eq!(of(provider, reason, None), expected, "{provider:?} {reason}");
        }
    }

    #[test]
    fn an_answer_that_waits_for_the_clients_tools_ended_with_them() {
        for (provider, reason) in [(Provider::OpenAi, "completed"), (Provider::Gemini, "STOP")] {
            assert_eq!(of(provider, reason, Some(calls(&[true, false]))), "tool_use");
            assert_eq!(of(provider, reason, Some(calls(&[true]))), "end_turn", "the provider ran it itself");
            let unread = Some(ToolCalls { blocks: 1, calls: vec![], unreadable: 0 });
            assert_eq!(of(provider, reason, unread), "tool_use");
        }
        assert_eq!(of(Provider::OpenAi, "incomplete:max_output_tokens", Some(calls(&[false]))), "max_tokens");
        assert_eq!(of(Provider::Gemini, "MAX_TOKENS", Some(calls(&[false]))), "max_tokens");
    }

    #[test]
    fn an_error_and_a_missing_end_go_before_any_word() {
        for provider in [Provider::Anthropic, Provider::OpenAi, Provider::Gemini] {
            let stopped = Entry { provider, stop_reason: Some(Name::from_wire("STOP")), ..entry(70_000) };
            let error = Some(ErrorFacts { kind: None, code: None, in_stream: true, context_length: false });
            assert_eq!(canonical(&Entry { error, ..stopped.clone() }), "error");
            let cut = Entry { streamed: true, terminal: Some(false), ..stopped.clone() };
            assert_eq!(canonical(&cut), "incomplete");
            assert_eq!(canonical(&Entry { stop_reason: None, ..stopped }), "incomplete");
        }
    }
}
