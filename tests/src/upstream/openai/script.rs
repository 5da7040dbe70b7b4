//! A conversation for a real Codex.

use serde_json::{Value, json};

use super::{Asks, response::streamed};
use crate::{
    upstream::{Answer, Message, Milestone, Piece, Usage, script::Script},
    wire::Request,
};

/// Its first step calls the given tools, the step with their results ends the turn. Each step has usage of its own,
/// and names the model that was asked for. WebSocket is refused, upon which Codex uses events at once.
pub fn conversation(calls: Vec<(&'static str, Value)>) -> impl Script {
    let mut number = 0;
    move |request: &Request| {
        let mut step = || {
            number += 1;
            Message::of(&request.model().unwrap_or_default())
                .id(&format!("resp_{number:016x}"))
                .usage(Usage { reasoning: 17 + number, ..Usage::sample(number) })
        };
        let call = |message: Message, (name, input): &(&str, Value)| message.tool(name, input.clone());
        match Asks::of(request) {
            Asks::Upgrade => upgrade_refused(),
            Asks::Models => Answer::json(&json!({"models": []})),
            Asks::Platform => not_found(),
            Asks::Turn => streamed(&calls.iter().fold(step().thinking("Let me see."), call)),
            Asks::TurnWithResults => streamed(&step().text("All done.")),
        }
    }
}

/// Without a body: Codex leaves as soon as it has the head, so whether a body would still be passed on is left to chance.
pub(in crate::upstream) fn upgrade_refused() -> Answer {
    Answer::new(426, "application/json", vec![])
}

/// An error in OpenAI's shape.
pub(in crate::upstream) fn not_found() -> Answer {
    let kind = "invalid_request_error";
    let error =
        json!({"error": {"message": "no such thing", "type": kind, "param": null, "code": "not_found"}});
    let tells = vec![Milestone::Failed { kind: kind.into(), context_length: false }];
    Answer::new(404, "application/json", vec![Piece { bytes: error.to_string().into_bytes(), tells }])
}
