//! How much a session's context can hold.
//!
//! What counts is the window that the client works with: it begins to summarise when that is nearly full. What the
//! model could take through the API is often several times as much, and no measure of a session.

use std::num::NonZeroU64;

use ccxray_shared::{Entry, Name, entry::Provider};
use serde::Deserialize;

use super::{
    model,
    rules::{DataFile, Example, PerProvider, Rules, UniqueMap, expected},
};

/// The size of the context window in tokens, of a request whose context was `context_used`: what the request asks for,
/// else what its client takes for the model, and in any case one that can hold what was used. Never 0.
pub fn of(entry: &Entry<'_>, context_used: u64) -> u64 {
    let hint = entry.context.and_then(|context| context.window).filter(|&window| window > 0);
    let models = [&entry.model, &entry.model_served];
    let models = models.into_iter().flatten().map(Name::as_str);
    Rules::current().windows.of(entry.provider, models, hint, context_used)
}

/// The windows that clients work with.
#[derive(Debug)]
pub(super) struct Windows(PerProvider<OfClient>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfClient {
    /// Of a model that has no row.
    default: NonZeroU64,
    /// Of the others.
    models: UniqueMap<NonZeroU64>,
    /// What ends the name of a model with another window.
    suffixes: UniqueMap<NonZeroU64>,
    /// Every size that there is, the smallest first: a context that is larger than its window proves the next one.
    sizes: Vec<NonZeroU64>,
}

impl Windows {
    fn of<'m>(
        &self,
        provider: Provider,
        models: impl IntoIterator<Item = &'m str>,
        hint: Option<u64>,
        used: u64,
    ) -> u64 {
        let Some(client) = self.0.get(provider) else { return hint.unwrap_or(1).max(used) };
        let window = hint.unwrap_or_else(|| client.taken_for(models));
        if used <= window { window } else { client.that_holds(used) }
    }
}

impl OfClient {
    fn taken_for<'m>(&self, models: impl IntoIterator<Item = &'m str>) -> u64 {
        models.into_iter().find_map(|model| self.of_model(model)).unwrap_or(self.default).get()
    }

    fn of_model(&self, model: &str) -> Option<NonZeroU64> {
        let by_suffix = self.suffixes.iter().find(|(suffix, _)| model.ends_with(suffix.as_str()));
        by_suffix.map(|(_, window)| *window).or_else(|| model::by_name(&self.models, model).copied())
    }

    /// The smallest size that holds `used`; where there is none, just that.
    fn that_holds(&self, used: u64) -> u64 {
        self.sizes.iter().map(|size| size.get()).find(|&size| size >= used).unwrap_or(used)
    }
}

impl DataFile for Windows {
    const NAME: &'static str = "windows.json";
    const EMBEDDED: &'static str = include_str!("../../data/windows.json");
    type Rules = PerProvider<OfClient>;
    type Example = WindowExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        if rules.all().into_iter().any(|client| !client.sizes.is_sorted()) {
            return Err("\"sizes\" are not in order; begin with the smallest".to_owned());
        }
        Ok(Self(rules))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowExample {
    provider: Provider,
    model: Option<String>,
    asked_for: Option<u64>,
    used: u64,
    is: u64,
}

impl Example<Windows> for WindowExample {
    fn check(&self, rules: &Windows) -> Result<(), String> {
        expected(&rules.of(self.provider, self.model.as_deref(), self.asked_for, self.used), &self.is)
    }
}
