//! What kind of failure an exchange was, in one set of words for all providers.

use ccxray_shared::{
    Entry,
    entry::{ErrorFacts, Outcome},
};

/// The canonical type of an exchange's failure, if it failed. A client that leaves is no failure.
///
/// The provider's own word decides before the status: an overload that is reported inside a stream is an overload.
/// The words are from the lists of errors in the API references of Anthropic, OpenAI and Google; none of them means
/// two things.
pub fn canonical(entry: &Entry<'_>) -> Option<&'static str> {
    if let Some(error) = &entry.error
        && let Some(known) = by_word(error)
    {
        return Some(known);
    }
    match (entry.status, entry.outcome) {
        (_, Outcome::UpstreamUnreachable) if entry.status == Some(504) => Some("timeout"),
        (_, Outcome::UpstreamUnreachable) => Some("connection"),
        (Some(status), _) if status >= 400 => Some(by_status(status)),
        _ if entry.error.is_some() => Some("in_stream"),
        (_, Outcome::UpstreamAbort) => Some("connection"),
        (_, Outcome::Complete | Outcome::ClientAbort | Outcome::Unknown) => None,
    }
}

/// OpenAI's code says more than its type; the others' codes are numbers or missing.
fn by_word(error: &ErrorFacts<'_>) -> Option<&'static str> {
    if error.context_length {
        return Some("context_length");
    }
    let words = [error.code.as_deref(), error.kind.as_deref()];
    words.into_iter().flatten().find_map(|word| anthropic(word).or(openai(word)).or(google(word)))
}

fn anthropic(word: &str) -> Option<&'static str> {
    match word {
        "rate_limit_error" => Some("rate_limit"),
        "overloaded_error" => Some("overloaded"),
        "api_error" => Some("server"),
        "invalid_request_error" => Some("invalid_request"),
        "authentication_error" => Some("authentication"),
        "permission_error" | "billing_error" => Some("permission"),
        "not_found_error" => Some("not_found"),
        "request_too_large" => Some("too_large"),
        "timeout_error" => Some("timeout"),
        _ => None,
    }
}

/// An exhausted quota is a matter of the account, like a bill that was not paid: waiting does not help.
fn openai(word: &str) -> Option<&'static str> {
    match word {
        "context_length_exceeded" => Some("context_length"),
        "rate_limit_exceeded" | "usage_limit_reached" | "tokens" | "requests" => Some("rate_limit"),
        "insufficient_quota" | "usage_not_included" => Some("permission"),
        "server_is_overloaded" | "slow_down" => Some("overloaded"),
        "server_error" => Some("server"),
        "invalid_api_key" => Some("authentication"),
        "model_not_found" => Some("not_found"),
        "invalid_prompt" => Some("invalid_request"),
        _ => None,
    }
}

fn google(word: &str) -> Option<&'static str> {
    match word {
        "RESOURCE_EXHAUSTED" => Some("rate_limit"),
        "UNAVAILABLE" => Some("overloaded"),
        "INTERNAL" => Some("server"),
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => Some("invalid_request"),
        "UNAUTHENTICATED" => Some("authentication"),
        "PERMISSION_DENIED" => Some("permission"),
        "NOT_FOUND" => Some("not_found"),
        "DEADLINE_EXCEEDED" => Some("timeout"),
        _ => None,
    }
}

fn by_status(status: u16) -> &'static str {
    match status {
        400 | 422 => "invalid_request",
        401 => "authentication",
        402 | 403 => "permission",
        404 => "not_found",
        408 | 504 => "timeout",
        413 => "too_large",
        429 => "rate_limit",
        529 => "overloaded",
        500.. => "server",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ccxray_shared::Name;

    use super::*;
    use crate::{
        measure::{Catalogue, Key, Metric},
        source::tests::entry,
    };

    fn error(kind: Option<&'static str>, code: Option<&'static str>) -> ErrorFacts<'static> {
        let [kind, code] = [kind, code].map(|word| word.map(Name::from_wire));
        ErrorFacts { kind, code, in_stream: false, context_length: false }
    }

    /// With a status that stands for another error, so that only the word can give the answer.
    fn of(kind: Option<&'static str>, code: Option<&'static str>) -> &'static str {
        let entry = Entry { status: Some(418), error: Some(error(kind, code)), ..entry(70_000) };
        canonical(&entry).unwrap()
    }

    #[test]
    fn every_providers_words_have_their_canonical_form() {
        for (word, expected) in [
            ("rate_limit_error", "rate_limit"),
            ("overloaded_error", "overloaded"),
            ("api_error", "server"),
            ("invalid_request_error", "invalid_request"),
            ("authentication_error", "authentication"),
            ("permission_error", "permission"),
            ("billing_error", "permission"),
            ("not_found_error", "not_found"),
            ("request_too_large", "too_large"),
            ("timeout_error", "timeout"),
            ("context_length_exceeded", "context_length"),
            ("rate_limit_exceeded", "rate_limit"),
            ("usage_limit_reached", "rate_limit"),
            ("tokens", "rate_limit"),
            ("requests", "rate_limit"),
            ("insufficient_quota", "permission"),
            ("usage_not_included", "permission"),
            ("server_is_overloaded", "overloaded"),
            ("slow_down", "overloaded"),
            ("server_error", "server"),
            ("invalid_api_key", "authentication"),
            ("model_not_found", "not_found"),
            ("invalid_prompt", "invalid_request"),
            ("RESOURCE_EXHAUSTED", "rate_limit"),
            ("UNAVAILABLE", "overloaded"),
            ("INTERNAL", "server"),
            ("INVALID_ARGUMENT", "invalid_request"),
            ("FAILED_PRECONDITION", "invalid_request"),
            ("OUT_OF_RANGE", "invalid_request"),
            ("UNAUTHENTICATED", "authentication"),
            ("PERMISSION_DENIED", "permission"),
            ("NOT_FOUND", "not_found"),
            ("DEADLINE_EXCEEDED", "timeout"),
            ("tea", "other"),
        ] {
            assert_eq!(of(Some(word), None), expected, "{word}");
            assert_eq!(of(None, Some(word)), expected, "{word} as a code");
        }
    }

    #[test]
    fn a_code_says_more_than_the_type_and_a_number_says_nothing() {
        assert_eq!(of(Some("invalid_request_error"), Some("context_length_exceeded")), "context_length");
        assert_eq!(of(Some("invalid_request_error"), Some("invalid_api_key")), "authentication");
        assert_eq!(of(Some("RESOURCE_EXHAUSTED"), Some("429")), "rate_limit");
    }

    #[test]
    fn a_message_about_a_full_context_goes_before_any_word() {
        let mut full = error(Some("INVALID_ARGUMENT"), Some("400"));
        full.context_length = true;
        assert_eq!(
            canonical(&Entry { status: Some(400), error: Some(full), ..entry(70_000) }),
            Some("context_length")
        );
    }

    #[test]
    fn without_a_known_word_the_status_decides_and_then_the_end() {
        for (status, expected) in [
            (400, "invalid_request"),
            (401, "authentication"),
            (402, "permission"),
            (403, "permission"),
            (404, "not_found"),
            (408, "timeout"),
            (413, "too_large"),
            (418, "other"),
            (422, "invalid_request"),
            (429, "rate_limit"),
            (500, "server"),
            (503, "server"),
            (504, "timeout"),
            (529, "overloaded"),
        ] {
            assert_eq!(
                canonical(&Entry { status: Some(status), ..entry(70_000) }),
                Some(expected),
                "{status}"
            );
        }
        assert_eq!(canonical(&Entry { error: Some(error(None, None)), ..entry(70_000) }), Some("in_stream"));
        let ended = |outcome| canonical(&Entry { outcome, ..entry(70_000) });
        assert_eq!(ended(Outcome::UpstreamAbort), Some("connection"));
        assert_eq!(ended(Outcome::UpstreamUnreachable), Some("connection"));
        assert_eq!([Outcome::Complete, Outcome::ClientAbort].map(ended), [None, None]);
    }

    #[test]
    fn the_catalogue_lists_each_type_that_there_is() {
        let mut found: BTreeSet<&str> = ["context_length", "in_stream", "connection"].into();
        found.extend(
            (200..600).filter_map(|status| canonical(&Entry { status: Some(status), ..entry(70_000) })),
        );
        let listed = Catalogue::embedded().get(Metric::Errors).values[&Key::Type].iter();
        assert_eq!(found, listed.map(|(word, _)| word.as_str()).collect());
    }
}
