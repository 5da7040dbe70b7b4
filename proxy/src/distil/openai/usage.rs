//! OpenAI's usage object, in the words of both APIs.

use ccxray_shared::usage::{Counts, InputDetails, OutputDetails};
use serde::Deserialize;

use crate::distil::lax::{Lax, object};

/// A usage object on the wire.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireUsage {
    input_tokens: Lax<u64>,
    output_tokens: Lax<u64>,
    prompt_tokens: Lax<u64>,
    completion_tokens: Lax<u64>,
    total_tokens: Lax<u64>,
    input_tokens_details: Lax<WireInput>,
    output_tokens_details: Lax<WireOutput>,
    prompt_tokens_details: Lax<WireInput>,
    completion_tokens_details: Lax<WireOutput>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireInput {
    cached_tokens: Lax<u64>,
    cache_write_tokens: Lax<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireOutput {
    reasoning_tokens: Lax<u64>,
}

object!(WireUsage, WireInput, WireOutput);

impl WireUsage {
    /// The numbers as an entry states them.
    pub(super) fn counts(self) -> Counts {
        Counts {
            input_tokens: self.input_tokens.0,
            output_tokens: self.output_tokens.0,
            prompt_tokens: self.prompt_tokens.0,
            completion_tokens: self.completion_tokens.0,
            total_tokens: self.total_tokens.0,
            input_tokens_details: self.input_tokens_details.0.and_then(WireInput::stated),
            output_tokens_details: self.output_tokens_details.0.and_then(WireOutput::stated),
            prompt_tokens_details: self.prompt_tokens_details.0.and_then(WireInput::stated),
            completion_tokens_details: self.completion_tokens_details.0.and_then(WireOutput::stated),
            ..Counts::default()
        }
    }
}

/// Details that state nothing are left out.
impl WireInput {
    fn stated(self) -> Option<InputDetails> {
        let details = InputDetails {
            cached_tokens: self.cached_tokens.0,
            cache_write_tokens: self.cache_write_tokens.0,
        };
        (details != InputDetails::default()).then_some(details)
    }
}

impl WireOutput {
    fn stated(self) -> Option<OutputDetails> {
        let details = OutputDetails { reasoning_tokens: self.reasoning_tokens.0 };
        (details != OutputDetails::default()).then_some(details)
    }
}
