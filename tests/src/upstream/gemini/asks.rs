//! What Gemini CLI asks for, by the shape of its request.

use serde_json::{Value, json};

use crate::wire::Request;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// How many tokens?
    TokenCount,
    /// How hard the prompt is, to choose a model for it.
    Router,
    /// Another small thing beside the conversation: a request without functions.
    Helper,
    /// The next step, when the user has said something.
    Turn,
    /// The next step, when tools have returned results.
    TurnWithResults,
    /// Something else.
    Platform,
}

impl Asks {
    /// What this request asks for.
    pub fn of(request: &Request) -> Self {
        let body = request.json();
        let path = request.path();
        if path.ends_with(":countTokens") {
            return Self::TokenCount;
        }
        if path.ends_with(":streamGenerateContent") {
            return if ends_with_results(&body["contents"]) { Self::TurnWithResults } else { Self::Turn };
        }
        if !path.ends_with(":generateContent") {
            return Self::Platform;
        }
        let schema = &body["generationConfig"]["responseJsonSchema"]["properties"];
        if schema["complexity_score"].is_object() { Self::Router } else { Self::Helper }
    }
}

/// The model that the path names.
pub fn model_of(request: &Request) -> Option<String> {
    let (_, rest) = request.path().split_once("/models/")?;
    Some(rest.split(':').next().unwrap_or(rest).to_owned())
}

/// How the conversation begins: the client's description of the session, which stays the same when the conversation is
/// resumed or compressed. There is no other word for a session under an API key.
pub fn opening_of(request: &Request) -> Option<String> {
    let contents = request.json()["contents"].as_array()?.clone();
    let parts = contents.iter().flat_map(|content| content["parts"].as_array().cloned().unwrap_or_default());
    let first = parts.into_iter().find_map(|part| Some(part["text"].as_str()?.to_owned()))?;
    first.starts_with("<session_context>").then_some(first)
}

/// What a sub-agent that makes a request with this body has to report at its end: as its last function wants it.
pub(in crate::upstream) fn report(body: &Value) -> Value {
    let functions = body["tools"].as_array().into_iter().flatten();
    let mut functions =
        functions.flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten());
    let last = functions.find(|function| function["name"] == "complete_task").cloned().unwrap_or_default();
    filled(&last["parametersJsonSchema"])
}

/// Something that a JSON schema allows.
fn filled(schema: &Value) -> Value {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    match schema["type"].as_str() {
        Some("object") => {
            required.map(|name| (name.to_owned(), filled(&schema["properties"][name]))).collect()
        }
        Some("array") => json!([]),
        Some("boolean") => json!(true),
        Some("number" | "integer") => json!(1),
        _ => json!("The sub-agent is done."),
    }
}

/// Whether a request with this body offers a function of this name to the model.
pub fn offers(body: &Value, name: &str) -> bool {
    let tools = body["tools"].as_array().into_iter().flatten();
    tools
        .flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten())
        .any(|function| function["name"] == name)
}

/// Whether the last content holds what functions returned.
fn ends_with_results(contents: &Value) -> bool {
    let last = contents.as_array().and_then(|contents| contents.last());
    let parts = last.and_then(|content| content["parts"].as_array());
    parts.is_some_and(|parts| parts.iter().any(|part| part["functionResponse"].is_object()))
}
