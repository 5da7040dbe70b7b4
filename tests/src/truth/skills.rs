//! The skills that the user activates. The wire has no call for it: the client puts the skill into what the user says.

use serde_json::Value;

use crate::upstream::Api;

/// All skills that the user has activated in the conversation that a request's body holds.
pub(super) fn of(api: Api, body: &Value) -> Vec<String> {
    let (conversation, begin, end) = match api {
        Api::Anthropic => (&body["messages"], "<command-name>/", "</command-name>"),
        Api::OpenAi => (&body["input"], "<skill>\n<name>", "</name>"),
        Api::Gemini => return Vec::new(),
    };
    let mut texts = Vec::new();
    let said_by_user = |item: &&Value| item["role"] == "user";
    for item in conversation.as_array().into_iter().flatten().filter(said_by_user) {
        match &item["content"] {
            Value::String(text) => texts.push(text.as_str()),
            content => texts
                .extend(content.as_array().into_iter().flatten().filter_map(|block| block["text"].as_str())),
        }
    }
    texts.iter().filter_map(|text| between(text, begin, end)).collect()
}

fn between(text: &str, begin: &str, end: &str) -> Option<String> {
    let (_, behind) = text.split_once(begin)?;
    Some(behind.split_once(end)?.0.to_owned())
}
