//! Which of the client's agents asks.

use ccxray_shared::{Name, entry::Agent};

use super::wording::{MAIN, SUB_AGENTS};

/// Adds the agent's type to what the headers tell, where its role's prompt is a known one.
pub(super) fn agent(known: Option<Agent<'static>>, role_prompt: &str) -> Option<Agent<'static>> {
    let mut agent = known.unwrap_or_default();
    agent.kind = kind(agent.sub, role_prompt).map(Name::from_wire);
    (agent != Agent::default()).then_some(agent)
}

fn kind(is_sub: bool, role_prompt: &str) -> Option<&'static str> {
    let begins = |pattern: &str| role_prompt.trim_start().starts_with(pattern);
    if is_sub {
        SUB_AGENTS.iter().find(|(pattern, _)| begins(pattern)).map(|&(_, name)| name)
    } else {
        begins(MAIN).then_some("main")
    }
}

/// The type that a call asks for, spelled as [`agent`] spells it: the client's own agents may be called `Explore`
/// and `Plan`.
pub(super) fn canonical(asked: &Name<'static>) -> Name<'static> {
    let own = SUB_AGENTS.iter().find(|(_, kind)| kind.eq_ignore_ascii_case(asked));
    own.map_or_else(|| asked.clone(), |&(_, kind)| Name::from_wire(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_known_by_their_prompts() {
        let kind = |sub: bool, prompt: &str| {
            let known = sub.then(|| Agent { sub, ..Agent::default() });
            agent(known, prompt).and_then(|agent| agent.kind).map(|kind| kind.to_string())
        };
        assert_eq!(kind(false, "\nYou are an interactive agent that helps users").as_deref(), Some("main"));
        assert_eq!(
            kind(true, "You are a file search specialist for Claude Code, x").as_deref(),
            Some("explore")
        );
        assert_eq!(kind(true, "You are an agent for Claude Code").as_deref(), Some("general-purpose"));
        assert_eq!(kind(true, "You are a poet"), None);
        assert_eq!(kind(false, "You are a file search specialist for Claude Code"), None);
    }

    #[test]
    fn the_clients_own_agents_have_one_spelling() {
        let canonical = |asked| canonical(&Name::from_wire(asked)).to_string();
        assert_eq!(
            ["Explore", "Plan", "general-purpose"].map(canonical),
            ["explore", "plan", "general-purpose"]
        );
        assert_eq!(canonical("My-Reviewer"), "My-Reviewer");
    }
}
