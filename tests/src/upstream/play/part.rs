//! Which part a request has in a conversation, told from the request alone.

use serde_json::Value;

use crate::{
    upstream::{Api, gemini, openai, script},
    wire::Request,
};

/// How Claude Code's wish for a summary begins.
const SUMMARY: &str = "CRITICAL: Respond with TEXT ONLY";

/// What a request is in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// A step of the conversation with the user.
    Main,
    /// A step of an agent that another one has started.
    SubAgent,
    /// A step of an agent that reviews changes, and does nothing else.
    Review,
    /// A name for the conversation.
    Title,
    /// How hard the prompt is.
    Router,
    /// A search in the web.
    WebSearch,
    /// A summary, so that the conversation can go on.
    Compaction,
    /// Whether that summary is a good one.
    SummaryCheck,
    /// Another small thing.
    Helper,
    /// Is there somebody, is there quota?
    Probe,
    /// How many tokens?
    TokenCount,
    /// What the next step will begin with, so that the provider can prepare.
    WarmUp,
    /// To speak WebSocket from here on.
    Upgrade,
    /// Which models are there?
    Models,
    /// Something else of the client's platform.
    Platform,
}

impl Part {
    /// The part of this request.
    pub fn of(request: &Request) -> Self {
        match Api::of(request) {
            Api::Anthropic => anthropic(request),
            Api::OpenAi => openai(request),
            Api::Gemini => gemini(request),
        }
    }
}

fn anthropic(request: &Request) -> Part {
    use script::Asks;
    let body = request.json();
    match Asks::of(request) {
        Asks::Probe => Part::Probe,
        Asks::TokenCount => Part::TokenCount,
        Asks::Platform => Part::Platform,
        _ if request.header("x-claude-code-agent-id").is_some() => Part::SubAgent,
        _ if last_text(&body["messages"]).is_some_and(|text| text.starts_with(SUMMARY)) => Part::Compaction,
        _ if searches(&body["tools"]) => Part::WebSearch,
        Asks::Helper if asks_for_a_title(&body) => Part::Title,
        Asks::Helper => Part::Helper,
        Asks::Turn | Asks::TurnWithResults => Part::Main,
    }
}

fn openai(request: &Request) -> Part {
    use openai::Asks;
    match Asks::of(request) {
        Asks::Upgrade => Part::Upgrade,
        Asks::Models => Part::Models,
        Asks::Platform => Part::Platform,
        Asks::Turn | Asks::TurnWithResults => match request.header("x-openai-subagent") {
            _ if request.json()["generate"] == false => Part::WarmUp,
            _ if openai::metadata_of(request)["request_kind"] == "compaction" => Part::Compaction,
            Some("review") => Part::Review,
            Some(_) => Part::SubAgent,
            None => Part::Main,
        },
    }
}

fn gemini(request: &Request) -> Part {
    use gemini::Asks;
    let body = request.json();
    match Asks::of(request) {
        Asks::TokenCount => Part::TokenCount,
        Asks::Platform => Part::Platform,
        Asks::Router => Part::Router,
        Asks::Helper if body["tools"][0]["googleSearch"].is_object() => Part::WebSearch,
        Asks::Helper if body["systemInstruction"].to_string().contains("<state_snapshot>") => {
            let last = body["contents"].as_array().and_then(|contents| contents.last());
            let checks = last.is_some_and(|last| last.to_string().contains("Critically evaluate"));
            if checks { Part::SummaryCheck } else { Part::Compaction }
        }
        Asks::Helper => Part::Helper,
        Asks::Turn | Asks::TurnWithResults if gemini::offers(&body, "complete_task") => Part::SubAgent,
        Asks::Turn | Asks::TurnWithResults => Part::Main,
    }
}

fn asks_for_a_title(body: &Value) -> bool {
    body["output_config"]["format"]["schema"]["properties"]["title"].is_object()
}

/// Whether the one tool is the provider's own search.
fn searches(tools: &Value) -> bool {
    let kind = |tool: &Value| tool["type"].as_str().is_some_and(|kind| kind.starts_with("web_search_"));
    tools.as_array().is_some_and(|tools| tools.len() == 1 && kind(&tools[0]))
}

/// The last text that the user's side has said.
fn last_text(messages: &Value) -> Option<String> {
    let last = messages.as_array()?.iter().rev().find(|message| message["role"] == "user")?;
    match &last["content"] {
        Value::String(text) => Some(text.clone()),
        content => content.as_array()?.last()?["text"].as_str().map(str::to_owned),
    }
}
