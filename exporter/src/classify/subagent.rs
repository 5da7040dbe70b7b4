//! Which calls start a sub-agent.

use std::collections::HashSet;

use ccxray_shared::{
    Name,
    entry::{Provider, ToolCall},
};
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, expected};

/// How many sub-agents `call` starts: itself, and the script in it at each place that calls a tool that does.
pub fn started_by(provider: Provider, call: &ToolCall<'_>) -> usize {
    Rules::current().subagents.started_by(provider, call)
}

/// The tools that do nothing but start a sub-agent.
#[derive(Debug)]
pub(super) struct SubagentTools(PerProvider<HashSet<String>>);

impl SubagentTools {
    fn started_by(&self, provider: Provider, call: &ToolCall<'_>) -> usize {
        let Some(tools) = self.0.get(provider) else { return usize::from(call.agent.is_some()) };
        let itself = call.agent.is_some() || tools.contains(call.name.as_str());
        let scripted = call.scripted.iter().filter(|name| tools.iter().any(|tool| calls(name, tool)));
        usize::from(itself) + scripted.count()
    }
}

/// Whether a script means `tool` by this name: it may have the tool's namespace in front, and what joins the two differs.
fn calls(scripted: &str, tool: &str) -> bool {
    let is_whole = |before: &str| before.is_empty() || before.ends_with(['.', '_', '/']);
    scripted.strip_suffix(tool).is_some_and(is_whole)
}

impl DataFile for SubagentTools {
    const NAME: &'static str = "subagents.json";
    const EMBEDDED: &'static str = include_str!("../../data/subagents.json");
    type Rules = PerProvider<HashSet<String>>;
    type Example = SubagentExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        Ok(Self(rules))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubagentExample {
    provider: Provider,
    tool: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    scripted: Vec<String>,
    starts: usize,
}

impl Example<SubagentTools> for SubagentExample {
    fn check(&self, rules: &SubagentTools) -> Result<(), String> {
        let call = ToolCall {
            agent: self.kind.as_deref().map(Name::from_wire),
            scripted: self.scripted.iter().map(|name| Name::from_wire(name)).collect(),
            ..ToolCall::named(Name::from_wire(&self.tool))
        };
        expected(&rules.started_by(self.provider, &call), &self.starts)
    }
}
