//! Which of a client's agents asked.

use std::collections::{HashMap, HashSet};

use ccxray_shared::{
    Entry, Name,
    entry::{Agent, Class, Provider},
    name::MALFORMED,
};
use serde::Deserialize;

use super::rules::{DataFile, Example, PerProvider, Rules, UniqueMap, expected};

/// The agent that the user talks to.
pub const MAIN: &str = "main";
/// A sub-agent whose type does not show.
pub const CUSTOM: &str = "custom";

/// What requests are for that no agent's loop makes.
const ERRANDS: [&str; 4] = ["title", "web-search", "compaction", "helper"];

/// The canonical type of the agent that asked: what the request was for, where it was no step of an agent's loop; else
/// the agent's type. A name that no client ships is the user's own and stays as it is.
pub fn canonical<'e>(entry: &'e Entry<'e>) -> &'e str {
    match entry.class {
        Class::Title => "title",
        Class::WebSearch => "web-search",
        Class::Compaction => "compaction",
        Class::Helper => "helper",
        Class::Turn
        | Class::WarmUp
        | Class::TokenCount
        | Class::Probe
        | Class::Platform
        | Class::Connection
        | Class::Other => Rules::current().agent_types.of(entry.provider, entry.agent.as_ref()),
    }
}

/// Whether `canonical` is ours or a client's: it needs no budget.
pub fn is_known(canonical: &str) -> bool {
    ERRANDS.contains(&canonical) || Rules::current().agent_types.is_known(canonical)
}

/// The types of agents that clients ship.
#[derive(Debug)]
pub(super) struct AgentTypes {
    /// The name as sent → canonical.
    types: PerProvider<HashMap<String, String>>,
    known: HashSet<String>,
}

impl AgentTypes {
    fn of<'a>(&'a self, provider: Provider, agent: Option<&'a Agent<'_>>) -> &'a str {
        let Some(agent) = agent else { return MAIN };
        let sent = agent.kind.as_deref().filter(|&sent| sent != MALFORMED);
        let known = sent.and_then(|sent| self.types.get(provider)?.get(sent)).map(String::as_str);
        match (agent.sub, known, sent) {
            (false, ..) => known.unwrap_or(MAIN),
            (true, Some(known), _) => known,
            (true, None, Some(own)) => own,
            (true, None, None) => CUSTOM,
        }
    }

    fn is_known(&self, canonical: &str) -> bool {
        self.known.contains(canonical)
    }
}

impl DataFile for AgentTypes {
    const NAME: &'static str = "agent_types.json";
    const EMBEDDED: &'static str = include_str!("../../data/agent_types.json");
    type Rules = PerProvider<UniqueMap<String>>;
    type Example = AgentExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        let types = rules.map(UniqueMap::into_map);
        let shipped = types.all().into_iter().flat_map(HashMap::values).map(String::as_str);
        let known = shipped.chain([MAIN, CUSTOM]).map(str::to_owned).collect();
        Ok(Self { types, known })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentExample {
    provider: Provider,
    #[serde(rename = "type")]
    kind: Option<String>,
    sub: bool,
    is: String,
}

impl Example<AgentTypes> for AgentExample {
    fn check(&self, rules: &AgentTypes) -> Result<(), String> {
        let agent = Agent { kind: self.kind.as_deref().map(Name::from_wire), sub: self.sub, id: None };
        expected(&rules.of(self.provider, Some(&agent)), &self.is.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        measure::{Catalogue, Key, Metric},
        source::tests::entry,
    };

    fn of(class: Class, agent: impl Into<Option<Agent<'static>>>) -> String {
        canonical(&Entry { class, agent: agent.into(), ..entry(70_000) }).to_owned()
    }

    fn agent(kind: Option<&'static str>, sub: bool) -> Agent<'static> {
        Agent { kind: kind.map(Name::from_wire), sub, id: None }
    }

    #[test]
    fn what_no_agents_loop_asks_counts_as_what_it_is_for() {
        for (class, expected) in [
            (Class::Title, "title"),
            (Class::WebSearch, "web-search"),
            (Class::Compaction, "compaction"),
            (Class::Helper, "helper"),
            (Class::Turn, "explore"),
        ] {
            assert_eq!(of(class, agent(Some("Explore"), true)), expected);
            assert!(is_known(expected));
        }
    }

    #[test]
    fn the_catalogue_lists_each_type_that_there_is() {
        let known = &Rules::embedded().agent_types.known;
        let known: BTreeSet<&str> = known.iter().map(String::as_str).chain(ERRANDS).collect();
        let listed = Catalogue::embedded().get(Metric::AgentTypeInvocations).values[&Key::Type].iter();
        assert_eq!(known, listed.map(|(word, _)| word.as_str()).collect());
    }

    #[test]
    fn a_users_own_agent_keeps_its_name_and_needs_a_budget() {
        assert_eq!(of(Class::Turn, agent(Some("db-migrator"), true)), "db-migrator");
        assert!(!is_known("db-migrator"));
        assert_eq!(of(Class::Turn, agent(None, true)), "custom");
        assert_eq!(of(Class::Turn, agent(Some("two words"), true)), "custom");
        assert!(is_known("custom"));
    }

    #[test]
    fn whoever_was_not_started_by_an_agent_is_the_main_one() {
        assert_eq!(of(Class::Turn, None), "main");
        assert_eq!(of(Class::Turn, agent(None, false)), "main");
        assert_eq!(of(Class::Turn, agent(Some("reviewer-of-mine"), false)), "main");
    }
}
