//! One of something for each provider.

use ccxray_shared::entry::Provider;
use serde::Deserialize;

/// One `T` for each provider that has rules.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::classify) struct PerProvider<T> {
    pub(in crate::classify) anthropic: T,
    pub(in crate::classify) openai: T,
    pub(in crate::classify) gemini: T,
}

impl<T> PerProvider<T> {
    /// That of `provider`; none for one that was not recognised.
    pub(in crate::classify) fn get(&self, provider: Provider) -> Option<&T> {
        match provider {
            Provider::Anthropic => Some(&self.anthropic),
            Provider::OpenAi => Some(&self.openai),
            Provider::Gemini => Some(&self.gemini),
            Provider::Other => None,
        }
    }

    /// The same, to be changed.
    pub(in crate::classify) fn get_mut(&mut self, provider: Provider) -> Option<&mut T> {
        match provider {
            Provider::Anthropic => Some(&mut self.anthropic),
            Provider::OpenAi => Some(&mut self.openai),
            Provider::Gemini => Some(&mut self.gemini),
            Provider::Other => None,
        }
    }

    /// All three.
    pub(in crate::classify) fn all(&self) -> [&T; 3] {
        [&self.anthropic, &self.openai, &self.gemini]
    }

    /// Each of the three made into something else.
    pub(in crate::classify) fn map<U>(self, make: impl Fn(T) -> U) -> PerProvider<U> {
        PerProvider { anthropic: make(self.anthropic), openai: make(self.openai), gemini: make(self.gemini) }
    }
}
