//! Usage as each provider states it → tokens as we count them, the same for all providers.
//!
//! Input is split into three parts that do not overlap: fresh, read from a cache, written to a cache. What the
//! wire did not state stays unknown. Sources of the field meanings: the API references of Anthropic Messages
//! (`usage`), OpenAI Responses and Chat Completions (`usage`), and Gemini (`usageMetadata`).

use ccxray_shared::{
    entry::Provider,
    usage::{Counts, Usage},
};

/// Canonical tokens of one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CanonicalTokens {
    /// Input neither read from nor written to a cache.
    pub input: Option<u64>,
    /// Output, reasoning included.
    pub output: Option<u64>,
    /// Input read from a cache.
    pub cache_read: Option<u64>,
    /// Input written to a cache, all lifetimes.
    pub cache_creation: Option<u64>,
    /// The part of `cache_creation` that lives for an hour.
    pub cache_creation_1h: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: Option<u64>,
}

impl CanonicalTokens {
    /// The canonical form of what `provider` sent.
    pub fn from_usage(provider: Provider, usage: &Usage<'_>) -> Self {
        match provider {
            Provider::Anthropic => anthropic(&usage.counts),
            Provider::OpenAi => openai(&usage.counts),
            Provider::Gemini => gemini(&usage.counts),
            Provider::Other => Self::default(),
        }
    }

    /// All input, if any part of it is known.
    pub fn all_input(&self) -> Option<u64> {
        let parts = [self.input, self.cache_read, self.cache_creation];
        parts
            .iter()
            .any(Option::is_some)
            .then(|| parts.iter().flatten().fold(0, |sum: u64, part| sum.saturating_add(*part)))
    }

    /// Whether the provider states a sum of all tokens, and it is another one. Anthropic states none. A part that is
    /// not stated counts as none: if there was one after all, something has been missed.
    pub fn contradict(&self, usage: &Usage<'_>) -> bool {
        let stated = usage.counts.total_tokens.or(usage.counts.total_token_count);
        let sum = self.all_input().map(|input| input.saturating_add(self.output.unwrap_or(0)));
        stated.is_some_and(|stated| sum != Some(stated))
    }
}

/// Anthropic's three input counts do not overlap. Where only the split of the cache writes is stated, their sum
/// is the count; where the split is missing, all writes live for five minutes.
fn anthropic(counts: &Counts) -> CanonicalTokens {
    let split = counts.cache_creation.unwrap_or_default();
    let split_sum = match (split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens) {
        (None, None) => None,
        (five, hour) => Some(five.unwrap_or(0).saturating_add(hour.unwrap_or(0))),
    };
    let cache_creation = counts.cache_creation_input_tokens.or(split_sum);
    CanonicalTokens {
        input: counts.input_tokens,
        output: counts.output_tokens,
        cache_read: counts.cache_read_input_tokens,
        cache_creation,
        cache_creation_1h: split.ephemeral_1h_input_tokens.unwrap_or(0).min(cache_creation.unwrap_or(0)),
        reasoning: None,
    }
}

/// OpenAI's input contains what was read from and written to a cache, its output the reasoning.
fn openai(counts: &Counts) -> CanonicalTokens {
    let input = counts.input_tokens.or(counts.prompt_tokens);
    let input_details = counts.input_tokens_details.or(counts.prompt_tokens_details).unwrap_or_default();
    let output_details =
        counts.output_tokens_details.or(counts.completion_tokens_details).unwrap_or_default();
    let cached = input_details
        .cached_tokens
        .unwrap_or(0)
        .saturating_add(input_details.cache_write_tokens.unwrap_or(0));
    CanonicalTokens {
        input: input.map(|all| all.saturating_sub(cached)),
        output: counts.output_tokens.or(counts.completion_tokens),
        cache_read: input_details.cached_tokens,
        cache_creation: input_details.cache_write_tokens,
        cache_creation_1h: 0,
        reasoning: output_details.reasoning_tokens,
    }
}

/// Gemini's prompt contains what was read from a cache; its thoughts stand beside the candidates. A count of 0 is
/// left out on the wire: where the sum is stated and the prompt is all of it, there was no output.
fn gemini(counts: &Counts) -> CanonicalTokens {
    let cached = counts.cached_content_token_count.unwrap_or(0);
    let tool_use = counts.tool_use_prompt_token_count.unwrap_or(0);
    let thoughts = counts.thoughts_token_count;
    CanonicalTokens {
        input: counts.prompt_token_count.map(|all| all.saturating_sub(cached).saturating_add(tool_use)),
        output: match (counts.candidates_token_count, thoughts) {
            (None, None) => {
                let all_input = counts.prompt_token_count.map(|prompt| prompt.saturating_add(tool_use));
                (all_input.is_some() && all_input == counts.total_token_count).then_some(0)
            }
            (candidates, thoughts) => Some(candidates.unwrap_or(0).saturating_add(thoughts.unwrap_or(0))),
        },
        cache_read: counts.cached_content_token_count,
        cache_creation: None,
        cache_creation_1h: 0,
        reasoning: thoughts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &'static str) -> Usage<'static> {
        Usage { counts: serde_json::from_str(json).unwrap(), ..Usage::default() }
    }

    #[test]
    fn anthropic_input_counts_are_disjoint() {
        let usage = usage(
            r#"{"input_tokens":1026,"cache_creation_input_tokens":458,"cache_read_input_tokens":3034,
                "cache_creation":{"ephemeral_5m_input_tokens":406,"ephemeral_1h_input_tokens":52},"output_tokens":214}"#,
        );
        let tokens = CanonicalTokens::from_usage(Provider::Anthropic, &usage);
        assert_eq!((tokens.input, tokens.output), (Some(1026), Some(214)));
        assert_eq!((tokens.cache_read, tokens.cache_creation), (Some(3034), Some(458)));
        assert_eq!(tokens.cache_creation_1h, 52);
        assert_eq!(tokens.all_input(), Some(4518));
    }

    #[test]
    fn openai_input_contains_the_cached_part() {
        let usage = usage(
            r#"{"input_tokens":1000,"input_tokens_details":{"cached_tokens":600,"cache_write_tokens":100},
                "output_tokens":70,"output_tokens_details":{"reasoning_tokens":50},"total_tokens":1070}"#,
        );
        let tokens = CanonicalTokens::from_usage(Provider::OpenAi, &usage);
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.cache_creation),
            (Some(300), Some(600), Some(100))
        );
        assert_eq!((tokens.output, tokens.reasoning), (Some(70), Some(50)));
    }

    #[test]
    fn gemini_thoughts_are_output() {
        let usage = usage(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":5,
                "candidatesTokenCount":20,"thoughtsTokenCount":7,"totalTokenCount":132}"#,
        );
        let tokens = CanonicalTokens::from_usage(Provider::Gemini, &usage);
        assert_eq!((tokens.input, tokens.cache_read, tokens.output), (Some(65), Some(40), Some(27)));
    }

    #[test]
    fn a_refused_gemini_prompt_has_no_output_and_says_so() {
        for (json, output) in [
            (r#"{"promptTokenCount":12,"totalTokenCount":12}"#, Some(0)),
            (r#"{"promptTokenCount":12,"toolUsePromptTokenCount":3,"totalTokenCount":15}"#, Some(0)),
            (r#"{"promptTokenCount":12,"totalTokenCount":20}"#, None),
            (r#"{"promptTokenCount":12}"#, None),
            (r#"{"totalTokenCount":12}"#, None),
        ] {
            assert_eq!(CanonicalTokens::from_usage(Provider::Gemini, &usage(json)).output, output, "{json}");
        }
    }

    #[test]
    fn a_sum_that_is_not_that_of_the_parts_is_noticed() {
        use Provider::{Anthropic, Gemini, OpenAi};
        for (provider, json, expected) in [
            (
                OpenAi,
                r#"{"input_tokens":1000,"input_tokens_details":{"cached_tokens":600},"output_tokens":70,"total_tokens":1070}"#,
                false,
            ),
            (OpenAi, r#"{"input_tokens":1000,"output_tokens":70,"total_tokens":1071}"#, true),
            (OpenAi, r#"{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}"#, false),
            // More was read from the cache than there was: the parts overlap in a way that is not known here.
            (
                OpenAi,
                r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":600},"output_tokens":70,"total_tokens":170}"#,
                true,
            ),
            (OpenAi, r#"{"input_tokens":1000,"output_tokens":70}"#, false),
            (OpenAi, r#"{"total_tokens":70}"#, true),
            (
                Gemini,
                r#"{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":5,
                         "candidatesTokenCount":20,"thoughtsTokenCount":7,"totalTokenCount":132}"#,
                false,
            ),
            (Gemini, r#"{"promptTokenCount":12,"totalTokenCount":12}"#, false),
            (Gemini, r#"{"promptTokenCount":12,"totalTokenCount":20}"#, true),
            (Anthropic, r#"{"input_tokens":3,"output_tokens":5}"#, false),
        ] {
            let usage = usage(json);
            assert_eq!(CanonicalTokens::from_usage(provider, &usage).contradict(&usage), expected, "{json}");
        }
    }

    #[test]
    fn what_was_not_stated_is_unknown() {
        let nothing = usage("{}");
        for provider in [Provider::Anthropic, Provider::OpenAi, Provider::Gemini, Provider::Other] {
            let tokens = CanonicalTokens::from_usage(provider, &nothing);
            assert_eq!(tokens, CanonicalTokens::default());
            assert_eq!(tokens.all_input(), None);
        }
    }
}
