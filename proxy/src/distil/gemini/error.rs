//! Google's error object: `{"error":{"code","message","status","details"}}`, as a body or in a stream.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::ErrorFacts};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wording::TOO_LONG;
use crate::distil::lax::{Lax, Word, object};

/// The inner object.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireError<'a> {
    #[serde(borrow)]
    status: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    code: Lax<Word<'a>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

object!(WireError<'a>);

impl WireError<'_> {
    /// The error without its message.
    pub(super) fn facts(&self) -> ErrorFacts<'static> {
        let code = self.code.0.as_ref();
        ErrorFacts {
            kind: self.status.name(),
            code: code.map(|code| Name::from_wire(&code.0).into_owned()),
            in_stream: false,
            context_length: self.message.is_some_and(|message| message.get().contains(TOO_LONG)),
        }
    }
}
