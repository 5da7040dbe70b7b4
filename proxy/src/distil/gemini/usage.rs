//! Gemini's `usageMetadata`.

use ccxray_shared::usage::Counts;
use serde::Deserialize;

use crate::distil::lax::{Lax, object};

/// A usage object on the wire.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireUsage {
    prompt_token_count: Lax<u64>,
    candidates_token_count: Lax<u64>,
    cached_content_token_count: Lax<u64>,
    thoughts_token_count: Lax<u64>,
    tool_use_prompt_token_count: Lax<u64>,
    total_token_count: Lax<u64>,
}

object!(WireUsage);

impl WireUsage {
    /// The numbers as an entry states them.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            prompt_token_count: self.prompt_token_count.0,
            candidates_token_count: self.candidates_token_count.0,
            cached_content_token_count: self.cached_content_token_count.0,
            thoughts_token_count: self.thoughts_token_count.0,
            tool_use_prompt_token_count: self.tool_use_prompt_token_count.0,
            total_token_count: self.total_token_count.0,
            ..Counts::default()
        }
    }
}
