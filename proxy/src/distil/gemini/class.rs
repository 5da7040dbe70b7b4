//! The rules that tell what a request is for and which agent asks.

use ccxray_shared::{
    Name,
    entry::{Agent, Class, Route},
};

use super::{
    tools::Tools,
    wording::{INVESTIGATOR, MAIN, SUMMARY_ASKS, SUMMARY_CHECK},
};
use crate::distil::words::Words;

/// The tool with which a sub-agent ends its work; only sub-agents have it.
const SUB_AGENT_TOOL: &str = "complete_task";

/// What the rules look at.
pub(super) struct Signals<'s, 'a> {
    pub(super) route: Route,
    pub(super) system: Option<&'s Words<'a>>,
    pub(super) tools: &'s Tools<'a>,
    /// Whether the answer must be JSON.
    pub(super) asks_for_json: bool,
    pub(super) last_text: Option<&'s Words<'a>>,
    /// Whether the client is Gemini CLI.
    pub(super) from_cli: bool,
}

/// What a request is for. What is streamed is for the eyes of the user.
pub(super) fn classify(signals: &Signals<'_, '_>) -> Class {
    if signals.route != Route::GenerateContent {
        return Class::Turn;
    }
    let summarises = signals.system.is_some_and(|system| system.contains(SUMMARY_ASKS));
    let checks = signals.last_text.is_some_and(|text| text.starts_with(SUMMARY_CHECK));
    if summarises {
        // The two calls of a compression are one compaction.
        return if checks { Class::Helper } else { Class::Compaction };
    }
    if signals.tools.google_search && signals.tools.is_empty() {
        return Class::WebSearch;
    }
    let is_helper = signals.from_cli && (signals.asks_for_json || signals.tools.is_empty());
    if is_helper { Class::Helper } else { Class::Turn }
}

/// The agent that asks, where it shows: the main one, or a sub-agent, of a type if its prompt is a known one. What the
/// client asks for itself no agent has asked, even with the main agent's prompt.
pub(super) fn agent(class: Class, system: Option<&Words<'_>>, tools: &Tools<'_>) -> Option<Agent<'static>> {
    let begins = |pattern: &str| system.is_some_and(|system| begins_with(system, pattern));
    let (is_main, is_sub) = (MAIN.into_iter().any(begins), tools.has(SUB_AGENT_TOOL));
    let kind = match (is_sub, is_main) {
        (true, true) => Some("generalist"),
        (true, false) => begins(INVESTIGATOR).then_some("codebase_investigator"),
        (false, true) => Some("main").filter(|_| class == Class::Turn),
        (false, false) => None,
    };
    (is_sub || kind.is_some()).then(|| Agent { kind: kind.map(Name::from_wire), sub: is_sub, id: None })
}

/// Whether a system prompt begins so, behind the white space at its start.
pub(super) fn begins_with(system: &Words<'_>, pattern: &str) -> bool {
    let text = system.text().trim_start_matches("\\n").trim_start();
    text.starts_with(pattern)
}
