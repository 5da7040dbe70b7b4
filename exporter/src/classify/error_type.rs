//! What kind of failure an exchange was, in one set of words for all providers.

use ccxray_shared::{
    Entry,
    entry::{ErrorFacts, Outcome},
};

/// The canonical type of an exchange's failure, if it failed. A client that leaves is no failure.
///
/// The provider's own word decides before the status: an overload that is reported inside a stream is an overload.
/// Anthropic's words are from its API's list of errors.
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

fn by_word(error: &ErrorFacts<'_>) -> Option<&'static str> {
    if error.context_length {
        return Some("context_length");
    }
    match error.kind.as_deref()? {
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

    /// What an exchange with this outcome, status and provider's word counts as.
    fn kind(
        outcome: Outcome,
        status: u16,
        word: Option<&'static str>,
        context_length: bool,
    ) -> Option<&'static str> {
        let error = (word.is_some() || context_length).then(|| ErrorFacts {
            kind: word.map(Name::from_wire),
            code: None,
            in_stream: false,
            context_length,
        });
        canonical(&Entry { status: Some(status), outcome, error, ..entry(70_000) })
    }

    #[test]
    fn the_catalogue_lists_each_type_that_there_is() {
        let mut found = BTreeSet::new();
        for status in 200..600 {
            found.extend(kind(Outcome::Complete, status, None, false));
        }
        found.extend(kind(Outcome::Complete, 400, Some("invalid_request_error"), true));
        found.extend(kind(Outcome::Complete, 200, Some("a_new_word"), false));
        found.extend(kind(Outcome::UpstreamAbort, 200, None, false));
        let listed = Catalogue::embedded().get(Metric::Errors).values[&Key::Type].iter();
        assert_eq!(found, listed.map(|(word, _)| word.as_str()).collect());
    }
}
