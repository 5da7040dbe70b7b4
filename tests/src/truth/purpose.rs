//! What a request is for, told from the request alone.

use super::{mode, window};
use crate::{
    upstream::{Api, gemini, openai, play::Part},
    wire::Request,
};

/// What a request is for.
pub(super) struct Purpose {
    pub(super) api: Api,
    pub(super) part: Part,
    pub(super) route: &'static str,
    pub(super) class: &'static str,
    /// The model that is asked for.
    pub(super) model: Option<String>,
    pub(super) session: Option<String>,
    pub(super) mode: String,
    pub(super) window: u64,
}

impl Purpose {
    pub(super) fn of(request: &Request) -> Self {
        let (api, part) = (Api::of(request), Part::of(request));
        let (model, session) = match api {
            Api::Anthropic | Api::OpenAi => (request.model(), request.session()),
            Api::Gemini => (gemini::model_of(request), gemini::opening_of(request)),
        };
        let (mode, window) = (mode::of(api, request), window::of(api, request));
        Self { api, part, route: route(api, part), class: class(part), model, session, mode, window }
    }

    /// The type of the agent that asks, as far as the request tells it.
    pub(super) fn agent(&self) -> &'static str {
        match self.part {
            Part::Main => "main",
            Part::SubAgent => "custom",
            Part::Review => "review",
            Part::Title => "title",
            Part::WebSearch => "web-search",
            Part::Compaction => "compaction",
            _ => "helper",
        }
    }

    /// Whether the request itself says that a compaction was the client's own idea.
    pub(super) fn says_automatic(&self, request: &Request) -> bool {
        match self.api {
            Api::Anthropic => false,
            Api::OpenAi => openai::metadata_of(request)["compaction"]["trigger"] == "auto",
            // No user can ask for one without a terminal.
            Api::Gemini => true,
        }
    }
}

fn route(api: Api, part: Part) -> &'static str {
    match (part, api) {
        (Part::Probe, _) => "root",
        (Part::TokenCount, _) => "count_tokens",
        (Part::Models, _) => "models",
        (Part::Platform, _) => "platform",
        (_, Api::Anthropic) => "messages",
        (_, Api::OpenAi) => "responses",
        (Part::Main | Part::SubAgent, Api::Gemini) => "stream_generate_content",
        (_, Api::Gemini) => "generate_content",
    }
}

fn class(part: Part) -> &'static str {
    match part {
        Part::Main | Part::SubAgent | Part::Review => "turn",
        Part::Title => "title",
        Part::WebSearch => "web_search",
        Part::Compaction => "compaction",
        Part::Router | Part::SummaryCheck | Part::Helper => "helper",
        Part::Probe => "probe",
        Part::TokenCount => "token_count",
        Part::WarmUp => "warm_up",
        Part::Upgrade => "connection",
        Part::Models | Part::Platform => "platform",
    }
}
