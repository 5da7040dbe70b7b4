//! The tools with which models activate skills.

use std::collections::HashSet;

use ccxray_shared::{
    Name,
    entry::{Provider, ToolCall},
    name::MALFORMED,
};
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, expected};

/// Whether `call` activates a skill, but does not say which one.
pub(super) fn is_nameless(provider: Provider, call: &ToolCall<'_>) -> bool {
    Rules::current().skills.is_nameless(provider, call)
}

/// The tools with which models activate skills.
#[derive(Debug)]
pub(super) struct SkillTools(PerProvider<HashSet<String>>);

impl SkillTools {
    fn is_nameless(&self, provider: Provider, call: &ToolCall<'_>) -> bool {
        let names_one = call.skill.as_deref().is_some_and(|skill| skill != MALFORMED);
        !names_one && self.0.get(provider).is_some_and(|tools| tools.contains(call.name.as_str()))
    }
}

impl DataFile for SkillTools {
    const NAME: &'static str = "skills.json";
    const EMBEDDED: &'static str = include_str!("../../data/skills.json");
    type Rules = PerProvider<HashSet<String>>;
    type Example = SkillExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        Ok(Self(rules))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkillExample {
    provider: Provider,
    tool: String,
    skill: Option<String>,
    is_nameless: bool,
}

impl Example<SkillTools> for SkillExample {
    fn check(&self, rules: &SkillTools) -> Result<(), String> {
        let skill = self.skill.as_deref().map(Name::from_wire);
        let call = ToolCall { skill, ..ToolCall::named(Name::from_wire(&self.tool)) };
        expected(&rules.is_nameless(self.provider, &call), &self.is_nameless)
    }
}
