//! Anthropic's usage object.

use std::borrow::Cow;

use ccxray_shared::usage::{CacheCreation, Counts, ServerToolUse, Usage};
use serde::{Deserialize, de::SeqAccess};

use crate::distil::lax::{Lax, Shape, drain, object};

/// A usage object on the wire.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireUsage<'a> {
    input_tokens: Lax<u64>,
    output_tokens: Lax<u64>,
    cache_creation_input_tokens: Lax<u64>,
    cache_read_input_tokens: Lax<u64>,
    cache_creation: Lax<WireCacheCreation>,
    server_tool_use: Lax<WireServerToolUse>,
    iterations: Lax<Iterations>,
    #[serde(borrow)]
    service_tier: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    speed: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    inference_geo: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireCacheCreation {
    ephemeral_5m_input_tokens: Lax<u64>,
    ephemeral_1h_input_tokens: Lax<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireServerToolUse {
    web_search_requests: Lax<u64>,
    web_fetch_requests: Lax<u64>,
}

/// Per-iteration usage, which is counted and not added: whether the totals hold it is not documented.
struct Iterations(u32);

object!(WireUsage<'a>, WireCacheCreation, WireServerToolUse);

impl<'de> Shape<'de> for Iterations {
    fn from_seq<A: SeqAccess<'de>>(seq: A) -> Result<Option<Self>, A::Error> {
        drain(seq).map(|count| Some(Self(u32::try_from(count).unwrap_or(u32::MAX))))
    }
}

impl WireUsage<'_> {
    /// The object as an entry states it.
    pub(super) fn stated(self) -> Usage<'static> {
        Usage {
            counts: Counts {
                input_tokens: self.input_tokens.0,
                output_tokens: self.output_tokens.0,
                cache_creation_input_tokens: self.cache_creation_input_tokens.0,
                cache_read_input_tokens: self.cache_read_input_tokens.0,
                cache_creation: self.cache_creation.0.map(|split| CacheCreation {
                    ephemeral_5m_input_tokens: split.ephemeral_5m_input_tokens.0,
                    ephemeral_1h_input_tokens: split.ephemeral_1h_input_tokens.0,
                }),
                server_tool_use: self.server_tool_use.0.map(|used| ServerToolUse {
                    web_search_requests: used.web_search_requests.0,
                    web_fetch_requests: used.web_fetch_requests.0,
                }),
                ..Counts::default()
            },
            iterations: self.iterations.0.map_or(0, |iterations| iterations.0),
            service_tier: self.service_tier.name(),
            speed: self.speed.name(),
            inference_geo: self.inference_geo.name(),
        }
    }
}
