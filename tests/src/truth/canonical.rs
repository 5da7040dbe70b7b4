//! The provider's words in the metrics' words.

use super::facts::{End, Facts};

/// What kind of failure it was, if it was one. A client that leaves is no failure.
pub(super) fn error_type(facts: &Facts) -> Option<&'static str> {
    if let Some(known) =
        facts.error.as_ref().and_then(|error| told(error.kind.as_deref(), error.context_length))
    {
        return Some(known);
    }
    match facts.status {
        None => Some("connection"),
        Some(status) if status >= 400 => Some(by_status(status)),
        Some(_) if facts.error.is_some() => Some("in_stream"),
        Some(_) => (facts.end == End::UpstreamBroke).then_some("connection"),
    }
}

fn told(kind: Option<&str>, context_length: bool) -> Option<&'static str> {
    match kind {
        _ if context_length => Some("context_length"),
        Some("rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED") => Some("rate_limit"),
        Some("overloaded_error" | "server_is_overloaded" | "UNAVAILABLE") => Some("overloaded"),
        Some("api_error" | "server_error" | "INTERNAL") => Some("server"),
        Some("invalid_request_error" | "INVALID_ARGUMENT") => Some("invalid_request"),
        Some("authentication_error") => Some("authentication"),
        _ => None,
    }
}

fn by_status(status: u16) -> &'static str {
    match status {
        500.. => "server",
        _ => "other",
    }
}

/// Why an answer ended.
pub(super) fn stop_reason(facts: &Facts) -> &str {
    if facts.error.is_some() {
        return "error";
    }
    if facts.streamed && !facts.terminal {
        return "incomplete";
    }
    match facts.stop_reason.as_deref() {
        None => "incomplete",
        Some("pause_turn") => "pause",
        Some("model_context_window_exceeded") => "context_window",
        Some(as_sent) => as_sent,
    }
}

/// `2xx` to `5xx`, or why there is no whole answer.
pub(super) fn status(facts: &Facts) -> String {
    match (facts.end, facts.status) {
        (End::ClientLeft | End::UpstreamBroke, _) => "aborted".into(),
        (End::NoAnswer, _) | (_, None) => "unreachable".into(),
        (End::Complete, Some(status)) => format!("{}xx", status / 100),
    }
}
