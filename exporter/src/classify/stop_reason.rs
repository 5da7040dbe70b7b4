//! Why an answer ended, in one set of words for all providers.

use std::collections::HashMap;

use ccxray_shared::{
    Entry,
    entry::{Provider, ToolCalls},
};
use serde::Deserialize;

use super::{
    classified::is_read,
    rules::{DataFile, Example, PerProvider, Rules, UniqueMap, expected, words},
};

/// The canonical stop reason of an answered request; `None` if the answer could not be read.
///
/// `incomplete` is ours, for an answer that never came to its end; `other` stands for a word that is not known.
pub fn canonical(entry: &Entry<'_>) -> Option<&'static str> {
    if entry.error.is_some() {
        return Some("error");
    }
    if entry.streamed && entry.terminal == Some(false) {
        return Some("incomplete");
    }
    let Some(reason) = &entry.stop_reason else { return is_read(entry).then_some("incomplete") };
    let words = &Rules::current().stop_reasons;
    let waits = || waits_for_client(entry.tools.as_ref());
    Some(words.of(entry.provider, reason, waits).map_or("other", Stop::as_str))
}

/// The stop reason that `entry` states, if it is not a known one.
pub(super) fn unknown<'e>(entry: &'e Entry<'_>) -> Option<&'e str> {
    let reason = entry.stop_reason.as_deref()?;
    Rules::current().stop_reasons.of(entry.provider, reason, || false).is_none().then_some(reason)
}

/// Whether the client has a tool to run. Where the reason does not say so itself, this decides.
fn waits_for_client(tools: Option<&ToolCalls<'_>>) -> bool {
    let Some(tools) = tools else { return false };
    let unlisted = (tools.blocks as usize) > tools.calls.len();
    unlisted || tools.calls.iter().any(|call| !call.hosted)
}

words! {
    /// A canonical stop reason.
    Stop {
        EndTurn = "end_turn",
        ToolUse = "tool_use",
        MaxTokens = "max_tokens",
        Refusal = "refusal",
        Sequence = "stop_sequence",
        Pause = "pause",
        ContextWindow = "context_window",
        Error = "error",
        Incomplete = "incomplete",
        Other = "other",
    }
}

/// What the providers' words mean. They are from the API references: Anthropic's `stop_reason`, a response's `status`,
/// Chat Completions' `finish_reason`, Gemini's `finishReason` and `blockReason`.
#[derive(Debug)]
pub(super) struct StopWords(PerProvider<OfProvider>);

#[derive(Debug)]
struct OfProvider {
    words: HashMap<String, Meaning>,
    prefixes: Vec<(String, Stop)>,
}

#[derive(Clone, Copy, Debug)]
struct Meaning {
    /// If the client has a tool to run.
    waiting: Stop,
    otherwise: Stop,
}

impl StopWords {
    fn of(&self, provider: Provider, reason: &str, waits: impl FnOnce() -> bool) -> Option<Stop> {
        let rules = self.0.get(provider)?;
        if let Some(meaning) = rules.words.get(reason) {
            return Some(if waits() { meaning.waiting } else { meaning.otherwise });
        }
        rules.prefixes.iter().find(|(prefix, _)| reason.starts_with(prefix.as_str())).map(|(_, stop)| *stop)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StopRules {
    /// The word → its meaning.
    words: UniqueMap<Stop>,
    /// The same, where the client has a tool to run and that makes a difference.
    #[serde(default)]
    when_a_tool_waits: UniqueMap<Stop>,
    /// How words begin that have an end of their own.
    #[serde(default)]
    prefixes: UniqueMap<Stop>,
}

impl DataFile for StopWords {
    const NAME: &'static str = "stop_reasons.json";
    const EMBEDDED: &'static str = include_str!("../../data/stop_reasons.json");
    type Rules = PerProvider<StopRules>;
    type Example = StopExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        Ok(Self(rules.map(|rules| {
            OfProvider {
                words: (rules.words.iter())
                    .map(|(word, &otherwise)| {
                        let waiting = rules.when_a_tool_waits.get(word).copied().unwrap_or(otherwise);
                        (word.clone(), Meaning { waiting, otherwise })
                    })
                    .collect(),
                prefixes: rules.prefixes.into_map().into_iter().collect(),
            }
        })))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StopExample {
    provider: Provider,
    reason: String,
    #[serde(default)]
    tool_waits: bool,
    /// Nothing, for a word that is not known.
    is: Option<Stop>,
}

impl Example<StopWords> for StopExample {
    fn check(&self, rules: &StopWords) -> Result<(), String> {
        let found = rules.of(self.provider, &self.reason, || self.tool_waits);
        expected(&found.map(Stop::as_str), &self.is.map(Stop::as_str))
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::{
        Name,
        entry::{ErrorFacts, Parse, ToolCall},
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
        canonical(&Entry { provider, stop_reason, tools, ..entry(70_000) }).unwrap()
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
            assert_eq!(canonical(&Entry { error, ..stopped.clone() }), Some("error"));
            let cut = Entry { streamed: true, terminal: Some(false), ..stopped.clone() };
            assert_eq!(canonical(&cut), Some("incomplete"));
            assert_eq!(canonical(&Entry { stop_reason: None, ..stopped }), Some("incomplete"));
        }
    }

    #[test]
    fn why_an_answer_ended_that_was_not_read_is_unknown() {
        let unread = |parse| Entry { parse, ..entry(70_000) };
        for parse in [Parse::Shed, Parse::Error, Parse::Unknown] {
            assert_eq!(canonical(&unread(parse)), None);
            let cut = Entry { streamed: true, terminal: Some(false), ..unread(parse) };
            assert_eq!(canonical(&cut), Some("incomplete"));
        }
        assert_eq!(canonical(&unread(Parse::Partial)), Some("incomplete"));
    }
}
