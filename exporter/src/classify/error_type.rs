//! What kind of failure an exchange was, in one set of words for all providers.

use std::collections::HashMap;

use ccxray_shared::{
    Entry,
    entry::{ErrorFacts, Outcome},
};
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, UniqueMap, expected, words};

/// The canonical type of the failure of an exchange with this `outcome`, if it failed. A client that leaves is no failure.
///
/// The provider's own word decides before the status: an overload that is reported inside a stream is an overload.
pub fn canonical(entry: &Entry<'_>, outcome: Outcome) -> Option<&'static str> {
    let rules = &Rules::current().errors;
    if let Some(error) = &entry.error
        && let Some(known) = rules.by_word(error)
    {
        return Some(known.as_str());
    }
    match (entry.status, outcome) {
        (_, Outcome::UpstreamUnreachable) if entry.status == Some(504) => Some("timeout"),
        (_, Outcome::UpstreamUnreachable) => Some("connection"),
        (Some(status), _) if status >= 400 => Some(rules.by_status(status).as_str()),
        _ if entry.error.is_some() => Some("in_stream"),
        (_, Outcome::UpstreamAbort) => Some("connection"),
        (_, Outcome::Complete | Outcome::ClientAbort | Outcome::Unknown) => None,
    }
}

/// The error that `entry` states, if neither its code nor its type is known. A number is no name for an error.
pub(super) fn unknown<'e>(entry: &'e Entry<'_>) -> Option<&'e str> {
    let error = entry.error.as_ref()?;
    if Rules::current().errors.by_word(error).is_some() {
        return None;
    }
    words_of(error).find(|word| !word.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The code before the type: OpenAI's says more; the others' are numbers or missing.
fn words_of<'e>(error: &'e ErrorFacts<'_>) -> impl Iterator<Item = &'e str> {
    [error.code.as_deref(), error.kind.as_deref()].into_iter().flatten()
}

words! {
    /// A canonical type of error.
    Failure {
        RateLimit = "rate_limit",
        Overloaded = "overloaded",
        Server = "server",
        InvalidRequest = "invalid_request",
        Authentication = "authentication",
        Permission = "permission",
        NotFound = "not_found",
        TooLarge = "too_large",
        ContextLength = "context_length",
        Timeout = "timeout",
        Connection = "connection",
        InStream = "in_stream",
        Other = "other",
    }
}

/// What the providers' words and the statuses mean. The words are from the lists of errors in the API references of
/// Anthropic, OpenAI and Google.
#[derive(Debug)]
pub(super) struct ErrorWords {
    /// Of all providers together: a gateway may answer in the words of another one.
    words: HashMap<String, Failure>,
    statuses: HashMap<u16, Failure>,
}

impl ErrorWords {
    fn by_word(&self, error: &ErrorFacts<'_>) -> Option<Failure> {
        if error.context_length {
            return Some(Failure::ContextLength);
        }
        words_of(error).find_map(|word| self.words.get(word)).copied()
    }

    fn by_status(&self, status: u16) -> Failure {
        let unlisted = if status >= 500 { Failure::Server } else { Failure::Other };
        self.statuses.get(&status).copied().unwrap_or(unlisted)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorRules {
    words: PerProvider<UniqueMap<Failure>>,
    statuses: HashMap<u16, Failure>,
}

impl DataFile for ErrorWords {
    const NAME: &'static str = "errors.json";
    const EMBEDDED: &'static str = include_str!("../../data/errors.json");
    type Rules = ErrorRules;
    type Example = ErrorExample;

    fn from_rules(rules: ErrorRules) -> Result<Self, String> {
        let mut words = HashMap::new();
        for (word, &failure) in rules.words.all().into_iter().flat_map(|of_provider| of_provider.iter()) {
            if words.insert(word.clone(), failure).is_some_and(|other| other != failure) {
                return Err(format!("\"{word}\" means two things, with two providers; it must mean one"));
            }
        }
        Ok(Self { words, statuses: rules.statuses })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorExample {
    word: Option<String>,
    status: Option<u16>,
    /// Nothing, for a word that is not known.
    is: Option<Failure>,
}

impl Example<ErrorWords> for ErrorExample {
    fn check(&self, rules: &ErrorWords) -> Result<(), String> {
        let by_word = self.word.as_ref().and_then(|word| rules.words.get(word)).copied();
        let found = by_word.or_else(|| self.status.map(|status| rules.by_status(status)));
        expected(&found.map(Failure::as_str), &self.is.map(Failure::as_str))
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

    fn canonical(entry: &Entry<'_>) -> Option<&'static str> {
        super::canonical(entry, entry.outcome)
    }

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
