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
    Rules::current().windows.of(entry.provider, entry.client.as_deref(), models, hint, context_used)
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
    /// What versions of a client take for the windows instead, the oldest version first.
    #[serde(default)]
    since: Vec<Since>,
    /// What ends the name of a model with another window.
    suffixes: UniqueMap<NonZeroU64>,
    /// Every size that there is, the smallest first: a context that is larger than its window proves the next one.
    sizes: Vec<NonZeroU64>,
}

/// The windows from a version of a client on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    /// As it calls itself.
    client: String,
    /// The first version that was seen to count so.
    version: Version,
    default: NonZeroU64,
    models: UniqueMap<NonZeroU64>,
}

/// The numbers of a version; what is appended to them (`-beta.1`) does not count.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
struct Version(Vec<u64>);

impl From<String> for Version {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&str> for Version {
    fn from(text: &str) -> Self {
        let release = text.split(['-', '+']).next().unwrap_or_default();
        Self(release.split('.').map_while(|number| number.parse().ok()).collect())
    }
}

impl Windows {
    fn of<'m>(
        &self,
        provider: Provider,
        client: Option<&str>,
        models: impl IntoIterator<Item = &'m str>,
        hint: Option<u64>,
        used: u64,
    ) -> u64 {
        let Some(rules) = self.0.get(provider) else { return hint.unwrap_or(1).max(used) };
        let window = hint.unwrap_or_else(|| rules.taken_for(client, models));
        if used <= window { window } else { rules.that_holds(used) }
    }
}

impl OfClient {
    fn taken_for<'m>(&self, client: Option<&str>, models: impl IntoIterator<Item = &'m str>) -> u64 {
        let since = client.and_then(|client| self.since(client));
        let (rows, default) =
            since.map_or((&self.models, self.default), |since| (&since.models, since.default));
        let known = models.into_iter().find_map(|model| self.of_model(rows, model));
        known.unwrap_or(default).get()
    }

    fn since(&self, client: &str) -> Option<&Since> {
        let (name, version) = client.split_once('/')?;
        let version = Version::from(version);
        self.since.iter().rev().find(|since| since.client == name && since.version <= version)
    }

    fn of_model(&self, rows: &UniqueMap<NonZeroU64>, model: &str) -> Option<NonZeroU64> {
        let by_suffix = self.suffixes.iter().find(|(suffix, _)| model.ends_with(suffix.as_str()));
        by_suffix.map(|(_, window)| *window).or_else(|| model::by_name(rows, model).copied())
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
    client: Option<String>,
    model: Option<String>,
    asked_for: Option<u64>,
    used: u64,
    is: u64,
}

impl Example<Windows> for WindowExample {
    fn check(&self, rules: &Windows) -> Result<(), String> {
        let window =
            rules.of(self.provider, self.client.as_deref(), self.model.as_deref(), self.asked_for, self.used);
        expected(&window, &self.is)
    }
}
