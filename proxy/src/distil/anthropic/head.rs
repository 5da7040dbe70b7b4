//! What the headers of Claude Code's requests tell.

use ccxray_shared::{
    entry::{Agent, ContextHints},
    key::{HashOf, Key},
};
use hyper::HeaderMap;

use crate::distil::request::RequestFacts;

const SESSION: &str = "x-claude-code-session-id";
const AGENT: &str = "x-claude-code-agent-id";
const BETA: &str = "anthropic-beta";

/// The beta that asks for a window of a million tokens, without its date.
const LONG_CONTEXT: &str = "context-1m-";
const LONG_CONTEXT_TOKENS: u64 = 1_000_000;

/// Takes over session, agent and context window.
pub(crate) fn read(headers: &HeaderMap, key: &Key, facts: &mut RequestFacts) {
    let stated = |header| headers.get(header).filter(|value| !value.is_empty());
    let hash = |header, of| stated(header).map(|value| key.hash(of, value.as_bytes()));
    facts.session = hash(SESSION, HashOf::Session);
    facts.agent = hash(AGENT, HashOf::Agent).map(|id| Agent { kind: None, sub: true, id: Some(id) });
    if asks_for_long_context(headers) {
        facts.context = Some(ContextHints { window: Some(LONG_CONTEXT_TOKENS), messages: 0 });
    }
}

fn asks_for_long_context(headers: &HeaderMap) -> bool {
    let values = headers.get_all(BETA).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|beta| beta.trim().starts_with(LONG_CONTEXT))
}
