//! OpenAI's error object: `{"message","type","param","code"}`, in an `error` field of a body, a chunk or a response.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::ErrorFacts};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wording::TOO_LONG;
use crate::distil::lax::{Lax, Word, object};

const TOO_LONG_CODE: &str = "context_length_exceeded";

/// An error.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireError<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    code: Lax<Word<'a>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

object!(WireError<'a>);

impl<'a> WireError<'a> {
    /// An error without a type: an event's fields.
    pub(super) fn of_event(code: Lax<Word<'a>>, message: Option<&'a RawValue>) -> Self {
        Self { kind: Lax(None), code, message }
    }

    /// The error without its message.
    pub(super) fn facts(&self, in_stream: bool) -> ErrorFacts<'static> {
        let code = self.code.0.as_ref().map(|code| &*code.0);
        let message = self.message.map_or("", RawValue::get);
        ErrorFacts {
            kind: self.kind.name(),
            code: code.map(|code| Name::from_wire(code).into_owned()),
            in_stream,
            context_length: code == Some(TOO_LONG_CODE)
                || TOO_LONG.iter().any(|pattern| message.contains(pattern)),
        }
    }
}
