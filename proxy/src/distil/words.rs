//! Texts that are only looked at.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A text that is compared and mostly never decoded: patterns have no character that JSON would escape.
#[derive(Clone, Debug)]
pub(super) enum Words<'a> {
    Decoded(Cow<'a, str>),
    /// As JSON, in its quotes.
    Raw(&'a RawValue),
}

impl<'a> Words<'a> {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text() == text
    }

    pub(super) fn starts_with(&self, pattern: &str) -> bool {
        self.text().starts_with(pattern)
    }

    pub(super) fn contains(&self, pattern: &str) -> bool {
        memchr::memmem::find(self.text().as_bytes(), pattern.as_bytes()).is_some()
    }

    /// As it stands on the wire: the same text of the same client gives the same bytes.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Decoded(text) => text,
            Self::Raw(json) => json.get().trim_matches('"'),
        }
    }

    /// The text itself; empty if it is none.
    pub(super) fn decoded(&self) -> Cow<'a, str> {
        match self {
            Self::Decoded(text) => text.clone(),
            Self::Raw(json) => serde_json::from_str(json.get()).map_or(Cow::Borrowed(""), Cow::Owned),
        }
    }
}
