//! A response as one object: the whole answer where it is no stream, else what its last event holds.

use std::borrow::Cow;

use ccxray_shared::{Name, usage::Usage};
use serde::Deserialize;

use super::{
    PARSER,
    error::WireError,
    item::{Item, ItemCalls},
    usage::WireUsage,
};
use crate::distil::{
    answer::{AnswerFacts, if_stated},
    lax::{Lax, object},
};

/// A response, begun or finished.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) model: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    status: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    incomplete_details: Lax<IncompleteDetails<'a>>,
    #[serde(borrow)]
    pub(super) error: Lax<WireError<'a>>,
    #[serde(borrow)]
    pub(super) output: Lax<Vec<Lax<Item<'a>>>>,
    usage: Lax<WireUsage>,
    #[serde(borrow)]
    service_tier: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IncompleteDetails<'a> {
    #[serde(borrow)]
    reason: Lax<Cow<'a, str>>,
}

object!(Response<'a>, IncompleteDetails<'a>);

impl Response<'_> {
    /// Its usage, which only a finished response states; none where it is null.
    pub(super) fn take_usage(&mut self) -> Option<Usage<'static>> {
        let counts = std::mem::take(&mut self.usage).0?.counts();
        if_stated(Usage { counts, service_tier: self.service_tier.name(), ..Usage::default() })
    }

    /// Its status, with the reason for an incomplete one, or that the model refused.
    pub(super) fn stop_reason(&self, refused: bool) -> Option<Name<'static>> {
        let status = self.status.name()?;
        let reason = self.incomplete_details.0.as_ref().and_then(|details| details.reason.name());
        Some(match (status.as_str(), reason) {
            ("incomplete", Some(reason)) => Name::from_string(format!("incomplete:{reason}")),
            ("completed", _) if refused => Name::from_wire("completed:refusal"),
            _ => status,
        })
    }
}

/// Reads the body of an answer that is not a stream.
pub(crate) fn read_response(body: &[u8]) -> AnswerFacts {
    let mut facts = AnswerFacts::default();
    let Ok(mut response) = serde_json::from_slice::<Response<'_>>(body) else {
        facts.notes.add(PARSER, "bad_answer_json");
        return facts;
    };
    let mut calls = ItemCalls::default();
    calls.all_done(response.output.0.as_deref().unwrap_or_default(), &mut facts.notes);
    facts.error = response.error.0.as_ref().map(|error| error.facts(false));
    facts.model_served = response.model.name();
    facts.stop_reason = response.stop_reason(calls.refused());
    facts.usage = response.take_usage();
    (facts.tools, facts.learnt) = calls.into_facts(&mut facts.notes);
    facts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RESPONSE: &[u8] = include_bytes!("../../../fixtures/response.answer.json");

    #[test]
    fn an_error_body_has_an_error_and_nothing_else() {
        let facts =
            read_response(br#"{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}}"#);
        let error = facts.error.clone().unwrap();
        assert_eq!(
            (error.kind.as_deref(), error.code.as_deref(), error.in_stream, error.context_length),
            (Some("tokens"), Some("rate_limit_exceeded"), false, false)
        );
        assert_eq!(AnswerFacts { error: None, ..facts }, AnswerFacts::default());
        assert_eq!(read_response(br#"{"detail":"Unauthorized"}"#), AnswerFacts::default());
    }

    #[test]
    fn a_full_context_is_told_by_the_code_or_by_the_message() {
        let full = |error: &str| {
            read_response(format!(r#"{{"error":{error}}}"#).as_bytes()).error.unwrap().context_length
        };
        assert!(full(r#"{"code":"context_length_exceeded"}"#));
        assert!(full(r#"{"message":"Your input exceeds the context window of this model."}"#));
        assert!(full(r#"{"message":"This model's maximum context length is 8192 tokens."}"#));
        assert!(!full(r#"{"code":"invalid_prompt","message":"too rude"}"#));
    }

    #[test]
    fn a_reason_that_is_no_word_is_not_kept() {
        let stop = |body: &str| read_response(body.as_bytes()).stop_reason.unwrap().to_string();
        assert_eq!(
            stop(r#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}"#),
            "incomplete:max_output_tokens"
        );
        assert_eq!(
            stop(r#"{"status":"incomplete","incomplete_details":{"reason":"too much of it"}}"#),
            "incomplete:_malformed_"
        );
        assert_eq!(stop(r#"{"status":"incomplete","incomplete_details":null}"#), "incomplete");
        assert_eq!(stop(r#"{"status":"failed"}"#), "failed");
    }

    proptest! {
        #[test]
        fn a_spoilt_response_never_panics(at in 0..RESPONSE.len(), with: u8, end in 0..RESPONSE.len()) {
            let mut spoilt = RESPONSE.to_vec();
            spoilt[at] = with;
            read_response(&spoilt);
            read_response(&spoilt[..end]);
        }
    }
}
