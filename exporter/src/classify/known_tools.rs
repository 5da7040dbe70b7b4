//! The tools that clients bring along: known names, which need no budget.

use std::collections::HashSet;

use ccxray_shared::entry::Provider;
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, expected};

/// The same of a name as a script spells it, which may have the tool's namespace in front: `clock.sleep`,
/// `clock__sleep`.
pub(super) fn is_known_in_script(provider: Provider, tool: &str) -> bool {
    let bare = [tool.rsplit_once('.'), tool.rsplit_once("__")].map(|split| split.map(|(_, bare)| bare));
    is_known(provider, tool) || bare.into_iter().flatten().any(|bare| is_known(provider, bare))
}

/// The known tools.
#[derive(Debug)]
pub(super) struct KnownTools(PerProvider<HashSet<String>>);

/// Whether `tool` is built into the clients that talk to `provider`, or runs at the provider.
pub fn is_known(provider: Provider, tool: &str) -> bool {
    Rules::current().tools.contains(provider, tool)
}

impl KnownTools {
    pub(super) fn contains(&self, provider: Provider, tool: &str) -> bool {
        self.0.get(provider).is_some_and(|tools| tools.contains(tool))
    }
}

impl DataFile for KnownTools {
    const NAME: &'static str = "tools.json";
    const EMBEDDED: &'static str = include_str!("../../data/tools.json");
    type Rules = PerProvider<HashSet<String>>;
    type Example = KnownExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        Ok(Self(rules))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownExample {
    provider: Provider,
    tool: String,
    known: bool,
}

impl Example<KnownTools> for KnownExample {
    fn check(&self, rules: &KnownTools) -> Result<(), String> {
        expected(&rules.contains(self.provider, &self.tool), &self.known)
    }
}
