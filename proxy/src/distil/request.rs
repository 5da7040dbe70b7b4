//! What a request tells.

use ccxray_shared::{
    Name,
    entry::{Agent, Class, ContextHints, Provider, Route, ToolResults, Trigger},
    key::Key,
};
use hyper::HeaderMap;

use super::{
    anthropic,
    dialect::{Dialect, class_of},
    gemini,
    notes::Notes,
    openai,
    repeats::Repeats,
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

/// What is remembered from one request to the next; bounded, whatever comes.
#[derive(Debug, Default)]
pub struct Memory {
    /// Request bodies.
    pub bodies: Repeats,
    /// Those of them whose last exchange failed.
    pub failed: Repeats,
    /// Ids of tool calls whose results have been reported.
    pub results: Repeats,
}

/// The facts of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFacts {
    /// What it is for.
    pub class: Class,
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
    /// Of a compaction: what set it off.
    pub compaction: Option<Trigger>,
    /// The permission or sandbox mode.
    pub permission_mode: Option<Name<'static>>,
    /// The working directory that the client states.
    pub stated_dir: Option<String>,
    /// What was not understood.
    pub notes: Notes,
}

impl RequestFacts {
    /// What can be told from the operation alone.
    pub fn of_route(route: Route) -> Self {
        Self {
            class: class_of(route),
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
            notes: Notes::default(),
        }
    }

    /// What can be told without the body.
    pub fn of_head(head: Head<'_>, key: &Key) -> Self {
        let mut facts = Self::of_route(head.route);
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
                anthropic::request::read(body, key, &mut memory.results, self);
            }
            Dialect::AnthropicCount => {
                // The results in it are reported by the turn that follows: nothing is remembered of them here.
                anthropic::request::read(body, key, &mut Repeats::default(), self);
                self.class = class_of(head.route);
                self.results = None;
            }
            Dialect::Responses => openai::read_request(body, key, &mut memory.results, self),
            Dialect::ChatCompletions => openai::read_chat(body, key, &mut memory.results, self),
            Dialect::GeminiContent | Dialect::GeminiStream => {
                gemini::request::read(head, body, key, &mut memory.results, self);
            }
            Dialect::GeminiCount | Dialect::Unread => {}
        }
    }

    /// Within what a repeated body or result is a repetition.
    pub fn scope(&self) -> Option<&Name<'static>> {
        self.session.as_ref().or(self.conversation.as_ref())
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
