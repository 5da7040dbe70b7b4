//! Token usage exactly as the provider stated it.
//!
//! The proxy keeps the provider's own field names and numbers; what they mean (does `input_tokens` contain
//! the cached ones?) is the exporter's to say, so that a replay with a newer exporter can say it better.
//! Absent is unknown, never 0. A field that is not listed here is not written down.

use serde::{Deserialize, Serialize};

use crate::Name;

/// Defines a struct of optional parts, with [`overwrite_with`](Usage::overwrite_with): streams report
/// cumulative usage, so a later statement replaces an earlier one, field by field, and is never added to it.
macro_rules! stated {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$fmeta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$ty>,)*
        }
        impl $name {
            /// Takes over each field that `newer` states; the others keep what they had.
            pub fn overwrite_with(&mut self, newer: &Self) {
                $(if newer.$field.is_some() { self.$field = newer.$field; })*
            }
        }
    };
}

stated! {
    /// Anthropic's split of cache writes by lifetime.
    CacheCreation {
        /// Tokens written for five minutes.
        ephemeral_5m_input_tokens: u64,
        /// Tokens written for an hour.
        ephemeral_1h_input_tokens: u64,
    }
}

stated! {
    /// OpenAI's `input_tokens_details` (Chat Completions: `prompt_tokens_details`), parts of the input.
    InputDetails {
        /// Read from a cache.
        cached_tokens: u64,
        /// Written to a cache (GPT-5.6 and later).
        cache_write_tokens: u64,
    }
}

stated! {
    /// OpenAI's `output_tokens_details` (Chat Completions: `completion_tokens_details`), parts of the output.
    OutputDetails {
        /// Reasoning, contained in the output.
        reasoning_tokens: u64,
    }
}

stated! {
    /// Anthropic's counts of what the provider's own tools did.
    ServerToolUse {
        /// Searches, billed one by one.
        web_search_requests: u64,
        /// Fetches.
        web_fetch_requests: u64,
    }
}

stated! {
    /// The numbers of a usage object, under the names of whichever provider sent it: which of them are there
    /// depends on the provider (Anthropic Messages; OpenAI Responses and Chat Completions; Gemini's
    /// `usageMetadata`, in camel case).
    Counts {
        /// Anthropic: uncached input. OpenAI Responses: all input.
        input_tokens: u64,
        /// Output, thinking included (Anthropic, OpenAI Responses).
        output_tokens: u64,
        /// Anthropic: all cache writes.
        cache_creation_input_tokens: u64,
        /// Anthropic: cache reads.
        cache_read_input_tokens: u64,
        /// Anthropic: `cache_creation_input_tokens` by lifetime.
        cache_creation: CacheCreation,
        /// Anthropic: what its own tools did.
        server_tool_use: ServerToolUse,
        /// OpenAI Chat Completions: all input.
        prompt_tokens: u64,
        /// OpenAI Chat Completions: output.
        completion_tokens: u64,
        /// OpenAI: the provider's own sum.
        total_tokens: u64,
        /// OpenAI Responses.
        input_tokens_details: InputDetails,
        /// OpenAI Responses.
        output_tokens_details: OutputDetails,
        /// OpenAI Chat Completions.
        prompt_tokens_details: InputDetails,
        /// OpenAI Chat Completions.
        completion_tokens_details: OutputDetails,
        /// Gemini: all input, cached included.
        #[serde(rename = "promptTokenCount")]
        prompt_token_count: u64,
        /// Gemini: output without thoughts.
        #[serde(rename = "candidatesTokenCount")]
        candidates_token_count: u64,
        /// Gemini: the cached part of the input.
        #[serde(rename = "cachedContentTokenCount")]
        cached_content_token_count: u64,
        /// Gemini: thinking, outside of `candidatesTokenCount`.
        #[serde(rename = "thoughtsTokenCount")]
        thoughts_token_count: u64,
        /// Gemini: input that tools added.
        #[serde(rename = "toolUsePromptTokenCount")]
        tool_use_prompt_token_count: u64,
        /// Gemini: the provider's own sum.
        #[serde(rename = "totalTokenCount")]
        total_token_count: u64,
    }
}

/// A usage object as it was sent: the numbers, and the words beside them that change a price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage<'a> {
    /// The numbers.
    pub counts: Counts,
    /// How many per-iteration objects Anthropic listed; they are not added to the counts.
    #[serde(skip_serializing_if = "crate::entry::is_zero")]
    pub iterations: u32,
    /// `standard`, `priority`, `flex`, `batch` …
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<Name<'a>>,
    /// Anthropic: `standard` or `fast`.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Name<'a>>,
    /// Anthropic: where the model ran.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub inference_geo: Option<Name<'a>>,
}

impl Usage<'_> {
    /// Takes over each part that `newer` states; the others keep what they had. The split of cache writes is
    /// one part: its two numbers belong together.
    pub fn overwrite_with(&mut self, newer: &Self) {
        self.counts.overwrite_with(&newer.counts);
        if newer.iterations > 0 {
            self.iterations = newer.iterations;
        }
        for (mine, theirs) in [
            (&mut self.service_tier, &newer.service_tier),
            (&mut self.speed, &newer.speed),
            (&mut self.inference_geo, &newer.inference_geo),
        ] {
            if let Some(name) = theirs {
                *mine = Some(name.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_statement_replaces_and_never_adds() {
        let mut usage: Usage<'_> = serde_json::from_str(
            r#"{"counts":{"input_tokens":10,"output_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":7}}}"#,
        )
        .unwrap();
        let delta: Usage<'_> = serde_json::from_str(r#"{"counts":{"output_tokens":99}}"#).unwrap();
        usage.overwrite_with(&delta);
        assert_eq!(usage.counts.input_tokens, Some(10));
        assert_eq!(usage.counts.output_tokens, Some(99));
        assert_eq!(usage.counts.cache_creation.unwrap().ephemeral_5m_input_tokens, Some(7));
    }

    #[test]
    fn what_was_not_stated_is_not_written() {
        let usage =
            Usage { counts: Counts { output_tokens: Some(3), ..Counts::default() }, ..Usage::default() };
        assert_eq!(serde_json::to_string(&usage).unwrap(), r#"{"counts":{"output_tokens":3}}"#);
    }
}
