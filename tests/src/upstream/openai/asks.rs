//! What Codex asks for, by the shape of its request.

use serde_json::Value;

use crate::wire::Request;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// To speak WebSocket from here on.
    Upgrade,
    /// The next step, when the user has said something.
    Turn,
    /// The next step, when tools have returned results.
    TurnWithResults,
    /// Which models there are.
    Models,
    /// Something else of its platform.
    Platform,
}

impl Asks {
    /// What this request asks for.
    pub fn of(request: &Request) -> Self {
        let path = request.path();
        if path.ends_with("/models") {
            return Self::Models;
        }
        if !path.ends_with("/responses") {
            return Self::Platform;
        }
        match (request.method.as_str(), ends_with_results(&request.json()["input"])) {
            ("GET", _) => Self::Upgrade,
            (_, true) => Self::TurnWithResults,
            (_, false) => Self::Turn,
        }
    }
}

/// What Codex says of the turn that a request belongs to; null if nothing.
pub fn metadata_of(request: &Request) -> Value {
    let stated = request.header("x-codex-turn-metadata").unwrap_or_default();
    serde_json::from_str(stated).unwrap_or_default()
}

/// Whether the last item is the output of a call.
fn ends_with_results(input: &Value) -> bool {
    let last = input.as_array().and_then(|items| items.last());
    last.and_then(|item| item["type"].as_str()).is_some_and(|kind| kind.ends_with("_call_output"))
}
