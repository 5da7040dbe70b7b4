//! What a request tells.

use ccxray_shared::{
    Name,
    entry::{Agent, Class, ContextHints, Provider, Route, ToolResults},
    key::Key,
};
use hyper::HeaderMap;

use super::{
    anthropic,
    dialect::{Dialect, class_of},
    notes::Notes,
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
    /// Which agent asks.
    pub agent: Option<Agent<'static>>,
    /// Hints at the context window.
    pub context: Option<ContextHints>,
    /// The tool results that it reports for the first time.
    pub results: Option<ToolResults<'static>>,
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
            agent: None,
            context: None,
            results: None,
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
            Dialect::Unread => {}
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
            Dialect::Unread => {}
        }
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
