//! What a request is for, told from the request alone.

use serde_json::Value;

use crate::{
    upstream::{Api, gemini, openai, script},
    wire::Request,
};

/// What a request is for.
pub(super) struct Purpose {
    pub(super) api: Api,
    pub(super) route: &'static str,
    pub(super) class: &'static str,
    /// The model that is asked for.
    pub(super) model: Option<String>,
    pub(super) session: Option<String>,
}

impl Purpose {
    pub(super) fn of(request: &Request) -> Self {
        let api = Api::of(request);
        let (route, class) = match api {
            Api::Anthropic => anthropic(request),
            Api::OpenAi => openai(request),
            Api::Gemini => gemini(request),
        };
        let (model, session) = match api {
            Api::Anthropic | Api::OpenAi => (request.model(), request.session()),
            Api::Gemini => (gemini::model_of(request), gemini::opening_of(request)),
        };
        Self { api, route, class, model, session }
    }
}

/// The route and the class.
fn anthropic(request: &Request) -> (&'static str, &'static str) {
    use script::Asks;
    match Asks::of(request) {
        Asks::Probe => ("root", "probe"),
        Asks::TokenCount => ("count_tokens", "token_count"),
        Asks::Helper if asks_for_a_title(&request.json()) => ("messages", "title"),
        Asks::Helper => ("messages", "helper"),
        Asks::Turn | Asks::TurnWithResults => ("messages", "turn"),
        Asks::Platform => ("platform", "platform"),
    }
}

fn openai(request: &Request) -> (&'static str, &'static str) {
    use openai::Asks;
    match Asks::of(request) {
        Asks::Upgrade => ("responses", "other"),
        Asks::Turn | Asks::TurnWithResults => ("responses", "turn"),
        Asks::Models => ("models", "platform"),
        Asks::Platform => ("platform", "platform"),
    }
}

fn gemini(request: &Request) -> (&'static str, &'static str) {
    use gemini::Asks;
    match Asks::of(request) {
        Asks::TokenCount => ("count_tokens", "token_count"),
        Asks::Router | Asks::Helper => ("generate_content", "helper"),
        Asks::Turn | Asks::TurnWithResults => ("stream_generate_content", "turn"),
        Asks::Platform => ("platform", "platform"),
    }
}

fn asks_for_a_title(body: &Value) -> bool {
    body["output_config"]["format"]["schema"]["properties"]["title"].is_object()
}
