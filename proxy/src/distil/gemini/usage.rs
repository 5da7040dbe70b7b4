//! Gemini's `usageMetadata`.

use ccxray_shared::usage::Counts;
use serde::Deserialize;

use crate::distil::lax::{Lax, object};

/// A usage object on the wire.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(rename = "promptTokenCount")]
    prompt: Lax<u64>,
    #[serde(rename = "candidatesTokenCount")]
    candidates: Lax<u64>,
    #[serde(rename = "cachedContentTokenCount")]
    cached_content: Lax<u64>,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: Lax<u64>,
    #[serde(rename = "toolUsePromptTokenCount")]
    tool_use_prompt: Lax<u64>,
    #[serde(rename = "totalTokenCount")]
    total: Lax<u64>,
}

object!(WireUsage);

impl WireUsage {
    /// The numbers as an entry states them.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            prompt_token_count: self.prompt.0,
            candidates_token_count: self.candidates.0,
            cached_content_token_count: self.cached_content.0,
            thoughts_token_count: self.thoughts.0,
            tool_use_prompt_token_count: self.tool_use_prompt.0,
            total_token_count: self.total.0,
            ..Counts::default()
        }
    }
}
