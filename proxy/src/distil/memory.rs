//! What is remembered from one exchange to the next.
//!
//! In memory only, and bounded: the oldest things are forgotten first. What is forgotten makes an entry say less,
//! never something else.

use ccxray_shared::{Name, key::Key};

use super::{
    answer::AnswerFacts, calls::Called, learnt::Learnt, recent::Recent, repeats::Repeats,
    request::RequestFacts, turns::LastTurn,
};

/// All that is remembered. The scope of each thing is its session, or where the wire names none, its conversation.
#[derive(Debug, Default)]
pub struct Memory {
    /// Request bodies.
    pub bodies: Repeats,
    /// Those of them whose last exchange failed.
    pub failed: Repeats,
    /// Ids of tool calls whose results have been reported.
    pub results: Repeats,
    /// Skills that the user activated and that have been reported.
    pub skills: Repeats,
    /// The tools that answers called, by the call's id: as [`failed_tools`](ccxray_shared::entry::ToolResults)
    /// lists them.
    pub calls: Recent<Called>,
    /// Types of sub-agents that answers started, by the keyed hash of the prompt; those of sessions without a name are
    /// together, since a sub-agent's conversation begins in another way than that of the agent that started it.
    pub prompts: Recent<Name<'static>>,
    /// Types of sub-agents that have asked, by the keyed hash of their id.
    pub agents: Recent<Name<'static>>,
    /// Permission modes that sessions have shown.
    pub modes: Recent<Name<'static>>,
    /// How the last turn of each agent ended.
    pub turns: Recent<LastTurn>,
}

impl Memory {
    /// The type of the sub-agent that an answer in `session` started with this prompt, given by its keyed hash.
    pub fn agent_started(&self, session: Option<&Name<'_>>, prompt: &Name<'_>) -> Option<&Name<'static>> {
        self.prompts.get(session.unwrap_or(&nameless()), prompt.as_bytes())
    }

    /// The tool that was called under this id, as far as is remembered.
    pub fn tool_called(&self, scope: &Name<'_>, call: &str) -> Option<&Called> {
        self.calls.get(scope, call.as_bytes())
    }

    /// Takes in what an exchange teaches that is over. The request's facts get what could only be known now.
    pub fn learn(&mut self, key: &Key, request: &mut RequestFacts, answer: &AnswerFacts) {
        let Some(scope) = request.scope().cloned() else { return };
        self.learn_calls(&scope, &answer.learnt);
        self.learn_agents(request.stated_session(), key, &answer.learnt);
        // An agent may have begun before the answer that started it was over.
        request.name_agent(self);
        if let Some(turn) = LastTurn::of(request, answer) {
            self.turns.put(&scope, request.agent_id(), turn);
        }
    }

    fn learn_calls(&mut self, scope: &Name<'_>, learnt: &Learnt) {
        for (id, tool) in &learnt.calls {
            self.calls.put(scope, id.as_bytes(), tool.clone());
        }
    }

    fn learn_agents(&mut self, session: Option<&Name<'static>>, key: &Key, learnt: &Learnt) {
        for (prompt, kind) in &learnt.agents {
            let session = session.cloned().unwrap_or_else(nameless);
            self.prompts.put(&session, prompt.keyed(key).as_bytes(), kind.clone());
        }
    }
}

/// Stands for all sessions that the wire does not name.
fn nameless() -> Name<'static> {
    Name::from_wire("nameless")
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{Agent, Route};

    use super::*;
    use crate::distil::learnt::PromptDigest;

    const KEY: [u8; 32] = [7; 32];

    fn session(name: &'static str) -> RequestFacts {
        RequestFacts { session: Some(Name::from_wire(name)), ..RequestFacts::of_route(Route::Messages) }
    }

    fn agent(of_session: &'static str, id: &'static str, prompts: &[&str]) -> RequestFacts {
        let agent = Agent { kind: None, sub: true, id: Some(Name::from_wire(id)) };
        let keyed = |prompt: &&str| PromptDigest::of(prompt).keyed(&Key::from_bytes(KEY));
        let prompts = prompts.iter().map(keyed).collect();
        RequestFacts { agent: Some(agent), prompts, ..session(of_session) }
    }

    fn call(prompt: &str) -> AnswerFacts {
        let mut answer = AnswerFacts::default();
        answer.learnt.agent(PromptDigest::of(prompt), Name::from_wire("reviewer"));
        answer
    }

    fn kind(facts: &RequestFacts) -> Option<&str> {
        facts.agent.as_ref()?.kind.as_deref()
    }

    #[test]
    fn an_agent_that_begins_before_its_call_is_over_is_named_at_its_end() {
        let (key, mut memory) = (Key::from_bytes(KEY), Memory::default());
        let mut early = agent("s", "a", &["look at it"]);
        early.name_agent(&mut memory);
        assert_eq!(kind(&early), None);
        memory.learn(&key, &mut session("s"), &call(" look at it\n"));
        memory.learn(&key, &mut early, &AnswerFacts::default());
        assert_eq!(kind(&early), Some("reviewer"));
    }

    #[test]
    fn an_agent_keeps_its_type_when_its_prompt_is_gone() {
        let (key, mut memory) = (Key::from_bytes(KEY), Memory::default());
        memory.learn(&key, &mut session("s"), &call("look"));
        let mut named = |mut facts: RequestFacts| {
            facts.name_agent(&mut memory);
            kind(&facts).map(str::to_owned)
        };
        assert_eq!(named(agent("s", "a", &["a reminder", "look"])).as_deref(), Some("reviewer"));
        assert_eq!(named(agent("s", "a", &["a summary"])).as_deref(), Some("reviewer"));
        assert_eq!(named(agent("s", "b", &["a summary"])), None, "another agent");
        assert_eq!(named(agent("t", "a", &["look"])), None, "another session");
    }

    #[test]
    fn where_the_wire_names_no_session_the_prompt_alone_joins() {
        let (key, mut memory) = (Key::from_bytes(KEY), Memory::default());
        let nameless =
            |facts, conversation| RequestFacts { conversation: Some(Name::from_wire(conversation)), ..facts };
        memory.learn(&key, &mut nameless(session("s"), "s"), &call("look"));
        let mut sub_agent = nameless(agent("t", "a", &["look"]), "t");
        sub_agent.name_agent(&mut memory);
        assert_eq!(kind(&sub_agent), Some("reviewer"));
    }

    #[test]
    fn calls_are_remembered_in_their_session() {
        let (key, mut memory) = (Key::from_bytes(KEY), Memory::default());
        let mut answer = AnswerFacts::default();
        answer.learnt.call("toolu_1", Name::from_wire("Bash"));
        memory.learn(&key, &mut session("s"), &answer);
        let called = |session, call| {
            memory.tool_called(&Name::from_wire(session), call).map(|called| called.tool.to_string())
        };
        assert_eq!(called("s", "toolu_1").as_deref(), Some("Bash"));
        assert_eq!((called("t", "toolu_1"), called("s", "toolu_2")), (None, None));
    }
}
