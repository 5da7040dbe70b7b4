//! The results of calls that a request reports, as each provider's wire has them.

use serde_json::Value;

use crate::upstream::Api;

/// A result.
pub(super) struct Reported {
    /// The id of the call.
    pub(super) call: String,
    /// Whether it is marked as failed; none where the wire has no mark.
    pub(super) marked: Option<bool>,
}

/// All results in a request's body, those of earlier requests too.
pub(super) fn of(api: Api, body: &Value) -> Vec<Reported> {
    match api {
        Api::Anthropic => each(&body["messages"], "content").into_iter().filter_map(anthropic).collect(),
        Api::OpenAi => list(&body["input"]).iter().filter_map(openai).collect(),
        Api::Gemini => each(&body["contents"], "parts").into_iter().filter_map(gemini).collect(),
    }
}

fn anthropic(block: &Value) -> Option<Reported> {
    (block["type"] == "tool_result").then_some(())?;
    Some(Reported { call: text(&block["tool_use_id"])?, marked: Some(block["is_error"] == true) })
}

fn openai(item: &Value) -> Option<Reported> {
    item["type"].as_str()?.ends_with("_call_output").then_some(())?;
    Some(Reported { call: text(&item["call_id"])?, marked: None })
}

fn gemini(part: &Value) -> Option<Reported> {
    let response = part["functionResponse"].as_object()?;
    let marked = response.get("response").is_some_and(|response| response.get("error").is_some());
    Some(Reported { call: text(response.get("id")?)?, marked: Some(marked) })
}

/// All elements of the list `inner` of all elements of `outer`.
fn each<'v>(outer: &'v Value, inner: &str) -> Vec<&'v Value> {
    list(outer).iter().flat_map(|element| list(&element[inner])).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
