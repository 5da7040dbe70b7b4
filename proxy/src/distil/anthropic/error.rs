//! Anthropic's error object: `{"type":"error","error":{"type":…,"message":…}}`, as a body or as an event.

use std::borrow::Cow;

use ccxray_shared::entry::ErrorFacts;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wording::TOO_LONG;
use crate::distil::lax::{Lax, object};

/// The inner object.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireError<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

object!(WireError<'a>);

impl WireError<'_> {
    /// The error without its message.
    pub(super) fn facts(&self, in_stream: bool) -> ErrorFacts<'static> {
        let message = self.message.map_or_else(String::new, |message| message.get().to_ascii_lowercase());
        ErrorFacts {
            kind: self.kind.name(),
            code: None,
            in_stream,
            context_length: TOO_LONG.iter().any(|pattern| message.contains(pattern)),
        }
    }
}
