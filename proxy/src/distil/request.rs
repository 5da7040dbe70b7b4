//! What a request tells.

use std::ops::Range;

use ccxray_shared::{
    Name,
    entry::{Agent, Class, ContextHints, Provider, Route, ToolResults, Trigger},
    key::Key,
};
use hyper::HeaderMap;

use super::{
    anthropic, client,
    dialect::{Dialect, class_of},
    gemini,
    memory::Memory,
    notes::Notes,
    openai,
};

/// A request, but for its body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Whose API.
    pub provider: Provider,
    /// Which operation.
    pub route: Route,
    /// The model, where the path names it.
    pub path_model: Option<&'a str>,
    /// The headers that the recorder gets to see.
    pub headers: &'a HeaderMap,
}

impl Head<'_> {
    /// The language of the exchange.
    pub fn dialect(&self) -> Dialect {
        Dialect::of(self.provider, self.route)
    }
}

/// The facts of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFacts {
    /// What it is for.
    pub class: Class,
    /// The client and its version.
    pub client: Option<Name<'static>>,
    /// The model that it asks for.
    pub model: Option<Name<'static>>,
    /// Keyed hash of its session's id.
    pub session: Option<Name<'static>>,
    /// Keyed hash of how the conversation begins, where the wire names no session: what is repeated in it is told
    /// by this.
    pub conversation: Option<Name<'static>>,
    /// Which agent asks.
    pub agent: Option<Agent<'static>>,
    /// Hints at the context window.
    pub context: Option<ContextHints>,
    /// The tool results that it reports for the first time.
    pub results: Option<ToolResults<'static>>,
    /// The skills that the user activated, reported for the first time.
    pub skills: Vec<Name<'static>>,
    /// Of a compaction: what set it off; none if it is another attempt at the one before.
    pub compaction: Option<Trigger>,
    /// The permission or sandbox mode.
    pub permission_mode: Option<Name<'static>>,
    /// The working directory that the client states.
    pub stated_dir: Option<String>,
    /// Keyed hashes of the texts with which the agent may have been started; never written down.
    pub(super) prompts: Vec<Name<'static>>,
    /// The part of the body that is about the sending: another attempt has another one.
    pub passing: Range<usize>,
    /// The MCP servers of the tools that it declares, where their names alone do not tell; never written down.
    pub servers: gemini::Servers,
    /// What was not understood.
    pub notes: Notes,
}

impl RequestFacts {
    /// What can be told from the operation alone.
    pub fn of_route(route: Route) -> Self {
        Self {
            class: class_of(route),
            client: None,
            model: None,
            session: None,
            conversation: None,
            agent: None,
            context: None,
            results: None,
            skills: Vec::new(),
            compaction: None,
            permission_mode: None,
            stated_dir: None,
            prompts: Vec::new(),
            passing: 0..0,
            servers: gemini::Servers::default(),
            notes: Notes::default(),
        }
    }

    /// What can be told without the body.
    pub fn of_head(head: Head<'_>, key: &Key) -> Self {
        let mut facts = Self::of_route(head.route);
        facts.client = client::client(head.headers);
        facts.model = head.path_model.map(|model| Name::from_wire(model).into_owned());
        match head.dialect() {
            Dialect::AnthropicMessages | Dialect::AnthropicCount => {
                anthropic::head::read(head.headers, key, &mut facts);
            }
            Dialect::Responses | Dialect::ChatCompletions => {
                openai::head::read(head.headers, key, &mut facts);
            }
            Dialect::GeminiContent | Dialect::GeminiStream | Dialect::GeminiCount | Dialect::Unread => {}
        }
        facts
    }

    /// Adds what the decoded body tells.
    pub fn add_body(&mut self, head: Head<'_>, key: &Key, body: &[u8], memory: &mut Memory) {
        match head.dialect() {
            Dialect::AnthropicMessages => {
                anthropic::request::read(body, key, memory, self);
            }
            Dialect::AnthropicCount => {
                // What it holds is reported by the turn that follows: nothing is remembered of it here.
                anthropic::request::read(body, key, &mut Memory::default(), self);
                let of_count = Self::of_route(head.route);
                (self.class, self.results, self.skills) = (of_count.class, of_count.results, of_count.skills);
                (self.compaction, self.permission_mode) = (of_count.compaction, of_count.permission_mode);
            }
            Dialect::Responses => openai::read_request(body, key, memory, self),
            Dialect::ChatCompletions => openai::read_chat(body, key, memory, self),
            Dialect::GeminiContent | Dialect::GeminiStream => {
                gemini::request::read(head, body, key, memory, self);
            }
            Dialect::GeminiCount | Dialect::Unread => {}
        }
        self.name_agent(memory);
    }

    /// Within what a repeated body or result is a repetition.
    pub fn scope(&self) -> Option<&Name<'static>> {
        self.session.as_ref().or(self.conversation.as_ref())
    }

    /// The session, where the wire names it: one that is told by how the conversation begins is not its sub-agents'.
    pub(super) fn stated_session(&self) -> Option<&Name<'static>> {
        self.session.as_ref().filter(|_| self.conversation.is_none())
    }

    /// What tells the agents of a session apart: the keyed hash of the agent's id, empty for the main one.
    pub(super) fn agent_id(&self) -> &[u8] {
        self.agent.as_ref().and_then(|agent| agent.id.as_ref()).map_or(b"", |id| id.as_bytes())
    }

    /// Says of which type a sub-agent is, where the answer that started it has been seen.
    pub(super) fn name_agent(&mut self, memory: &mut Memory) {
        let Some(scope) = self.scope().cloned() else { return };
        let session = self.stated_session().cloned();
        let Some(agent) = self.agent.as_mut().filter(|agent| agent.sub) else { return };
        let id = agent.id.as_ref().map(|id| id.as_bytes());
        let known = id.and_then(|id| memory.agents.get(&scope, id));
        let by_prompt =
            || self.prompts.iter().find_map(|prompt| memory.agent_started(session.as_ref(), prompt));
        let Some(kind) = known.or_else(by_prompt).cloned() else { return };
        if let Some(id) = id {
            memory.agents.put(&scope, id, kind.clone());
        }
        agent.kind = Some(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_tokens_leaves_the_results_to_the_turn() {
        let (headers, key, mut memory) = (HeaderMap::new(), Key::from_bytes([7; 32]), Memory::default());
        let mut results = |route| {
            let head = Head { provider: Provider::Anthropic, route, path_model: None, headers: &headers };
            let mut facts = RequestFacts::of_head(head, &key);
            facts.add_body(head, &key, include_bytes!("../../fixtures/turn.request.json"), &mut memory);
            (facts.class, facts.results.map(|results| results.count))
        };
        assert_eq!(results(Route::CountTokens), (Class::TokenCount, None));
        assert_eq!(results(Route::Messages), (Class::Turn, Some(3)));
        assert_eq!(results(Route::Messages), (Class::Turn, None));
    }
}
