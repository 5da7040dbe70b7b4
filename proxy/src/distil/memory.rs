//! What is remembered from one exchange to the next.
//!
//! In memory only, and bounded: the oldest things are forgotten first. What is forgotten makes an entry say less,
//! never something else.

use ccxray_shared::{Name, key::Key};

use super::{
    answer::AnswerFacts, learnt::Learnt, recent::Recent, repeats::Repeats, request::RequestFacts,
    turns::LastTurn,
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
    pub calls: Recent<Name<'static>>,
    /// Types of sub-agents that answers started, by the keyed hash of the prompt; of all sessions together, since a
    /// sub-agent of Gemini CLI names none.
    pub prompts: Recent<Name<'static>>,
    /// Types of sub-agents that have asked, by the keyed hash of their id.
    pub agents: Recent<Name<'static>>,
    /// Permission modes that sessions have shown.
    pub modes: Recent<Name<'static>>,
    /// How the last turn of each agent ended.
    pub turns: Recent<LastTurn>,
}

impl Memory {
    /// The type of the sub-agent that an answer started with this prompt, given by its keyed hash.
    pub fn agent_started(&self, prompt: &Name<'_>) -> Option<&Name<'static>> {
        self.prompts.get(&anywhere(), prompt.as_bytes())
    }

    /// The tool that was called under this id, as far as is remembered.
    pub fn tool_called(&self, scope: &Name<'_>, call: &str) -> Option<&Name<'static>> {
        self.calls.get(scope, call.as_bytes())
    }

    /// Takes in what an exchange teaches that is over. The request's facts get what could only be known now.
    pub fn learn(&mut self, key: &Key, request: &mut RequestFacts, answer: &AnswerFacts) {
        let Some(scope) = request.scope().cloned() else { return };
        self.learn_calls(&scope, key, &answer.learnt);
        // An agent may have begun before the answer that started it was over.
        request.name_agent(self);
        if let Some(turn) = LastTurn::of(request, answer) {
            self.turns.put(&scope, request.agent_id(), turn);
        }
    }

    fn learn_calls(&mut self, scope: &Name<'_>, key: &Key, learnt: &Learnt) {
        for (id, tool) in &learnt.calls {
            self.calls.put(scope, id.as_bytes(), tool.clone());
        }
        for (prompt, kind) in &learnt.agents {
            self.prompts.put(&anywhere(), prompt.keyed(key).as_bytes(), kind.clone());
        }
    }
}

/// The scope of what belongs to no session.
fn anywhere() -> Name<'static> {
    Name::from_wire("anywhere")
}
