//! The tools that clients bring along: known names, which need no budget.

use std::{collections::HashSet, sync::LazyLock};

use ccxray_shared::entry::Provider;
use serde::Deserialize;

#[derive(Deserialize)]
struct ToolsFile {
    tools: Tools,
}

#[derive(Deserialize)]
struct Tools {
    anthropic: HashSet<String>,
    openai: HashSet<String>,
    gemini: HashSet<String>,
}

static TOOLS: LazyLock<Tools> = LazyLock::new(|| {
    let file: ToolsFile = serde_json::from_str(include_str!("../../data/tools.json"))
        .expect("the embedded list of tools is well-formed; a test reads it");
    file.tools
});

/// Whether `tool` is built into the clients that talk to `provider`.
pub fn is_known(provider: Provider, tool: &str) -> bool {
    match provider {
        Provider::Anthropic => TOOLS.anthropic.contains(tool),
        Provider::OpenAi => TOOLS.openai.contains(tool),
        Provider::Gemini => TOOLS.gemini.contains(tool),
        Provider::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_tool_is_known_to_its_own_client_only() {
        assert!(is_known(Provider::Anthropic, "Bash"));
        assert!(!is_known(Provider::Gemini, "Bash"));
        assert!(is_known(Provider::OpenAi, "apply_patch"));
        assert!(!is_known(Provider::Anthropic, "mcp__demo__echo"));
        assert!(!is_known(Provider::Other, "Bash"));
    }
}
