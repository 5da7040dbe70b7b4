//! What the client let its agent do.

use std::collections::HashMap;

use ccxray_shared::{Entry, entry::Provider};
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, UniqueMap, expected, words};

/// The permission mode that `entry` shows: `unknown` if it shows none, `other` if none of those that are known.
pub fn canonical(entry: &Entry<'_>) -> &'static str {
    Rules::current().permission_modes.of(entry.provider, entry.permission_mode.as_deref())
}

words! {
    /// A permission mode, in the word of the client that has it.
    Mode {
        Plan = "plan",
        Auto = "auto",
        Default = "default",
        DontAsk = "dontAsk",
        AcceptEdits = "acceptEdits",
        BypassPermissions = "bypassPermissions",
        ReadOnly = "read-only",
        WorkspaceWrite = "workspace-write",
        DangerFullAccess = "danger-full-access",
        AutoEdit = "auto_edit",
        Yolo = "yolo",
        Other = "other",
    }
}

/// The permission modes of the clients, by the words that stand in an entry.
#[derive(Debug)]
pub(super) struct PermissionModes(PerProvider<HashMap<String, Mode>>);

impl PermissionModes {
    fn of(&self, provider: Provider, sent: Option<&str>) -> &'static str {
        let Some(sent) = sent else { return "unknown" };
        let known = self.0.get(provider).and_then(|modes| modes.get(sent));
        known.map_or("other", |mode| mode.as_str())
    }
}

impl DataFile for PermissionModes {
    const NAME: &'static str = "permission_modes.json";
    const EMBEDDED: &'static str = include_str!("../../data/permission_modes.json");
    type Rules = PerProvider<UniqueMap<Mode>>;
    type Example = ModeExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        Ok(Self(rules.map(UniqueMap::into_map)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModeExample {
    provider: Provider,
    mode: Option<String>,
    is: String,
}

impl Example<PermissionModes> for ModeExample {
    fn check(&self, rules: &PermissionModes) -> Result<(), String> {
        expected(&rules.of(self.provider, self.mode.as_deref()), &self.is.as_str())
    }
}
