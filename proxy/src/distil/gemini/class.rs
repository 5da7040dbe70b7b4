//! The rules that tell what a request is for and which agent asks. They go by the wording of Gemini CLI 0.61.0 and
//! belong to [`RULES_VERSION`](crate::distil::RULES_VERSION).

use std::borrow::Cow;

use ccxray_shared::entry::{Class, Route};
use serde::{
    Deserialize,
    de::{IgnoredAny, SeqAccess},
};

use crate::distil::{
    lax::{Lax, Shape, object},
    words::Words,
};

/// What the system prompt of a compression says, and how its second call begins, which checks the first one's work.
const SUMMARY_ASKS: &str = "distilling chat history into a structured XML <state_snapshot>";
const SUMMARY_CHECK: &str = "Critically evaluate the <state_snapshot>";

/// How the system prompts of the main agent begin.
const MAIN: [&str; 3] =
    ["You are Gemini CLI", "You are a non-interactive CLI agent", "You are an interactive CLI agent"];
/// Sub-agents by their system prompts. The generalist has the main agent's.
const INVESTIGATOR: &str = "You are **Codebase Investigator**";

/// The tool with which a sub-agent ends its work; only sub-agents have it.
const SUB_AGENT_TOOL: &str = "complete_task";

/// What the rules look at.
pub(super) struct Signals<'s, 'a> {
    pub(super) route: Route,
    pub(super) system: Option<&'s Words<'a>>,
    pub(super) tools: &'s Tools,
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
    if signals.tools.google_search && signals.tools.functions == 0 {
        return Class::WebSearch;
    }
    let is_helper = signals.from_cli && (signals.asks_for_json || signals.tools.functions == 0);
    if is_helper { Class::Helper } else { Class::Turn }
}

/// The agent's type, where its prompt is a known one, and whether it is a sub-agent.
pub(super) fn agent(system: Option<&Words<'_>>, tools: &Tools) -> (Option<&'static str>, bool) {
    let begins = |pattern: &str| system.is_some_and(|system| system.text().trim_start().starts_with(pattern));
    let is_main = MAIN.into_iter().any(begins);
    let kind = match (tools.has_sub_agent_tool, is_main) {
        (true, true) => Some("generalist"),
        (true, false) => begins(INVESTIGATOR).then_some("codebase_investigator"),
        (false, true) => Some("main"),
        (false, false) => None,
    };
    (kind, tools.has_sub_agent_tool)
}

/// The tools that a request offers.
#[derive(Debug, Default)]
pub(super) struct Tools {
    functions: usize,
    has_sub_agent_tool: bool,
    google_search: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Tool<'a> {
    #[serde(borrow)]
    function_declarations: Lax<Vec<Lax<Function<'a>>>>,
    google_search: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
}

object!(Tool<'a>, Function<'a>);

impl<'de> Shape<'de> for Tools {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut tools = Self::default();
        while let Some(tool) = seq.next_element::<Lax<Tool<'de>>>()? {
            tools.add(&tool.0.unwrap_or_default());
        }
        Ok(Some(tools))
    }
}

impl Tools {
    fn add(&mut self, tool: &Tool<'_>) {
        let functions = tool.function_declarations.0.as_deref().unwrap_or_default();
        let names = functions.iter().flat_map(|function| &function.0).flat_map(|function| &function.name.0);
        self.functions += functions.len();
        self.has_sub_agent_tool |= names.into_iter().any(|name| name == SUB_AGENT_TOOL);
        self.google_search |= tool.google_search.is_some();
    }
}
