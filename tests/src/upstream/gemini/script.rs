//! A conversation for a real Gemini CLI.

use serde_json::{Value, json};

use super::{
    Asks,
    content::{streamed, whole},
    model_of,
};
use crate::{
    upstream::{Answer, Message, Usage, script::Script},
    wire::Request,
};

/// Its first step calls the given tools, the step with their results ends the turn. Each step has usage of its own,
/// and names the model that was asked for.
pub fn conversation(calls: Vec<(&'static str, Value)>) -> impl Script {
    let mut number = 0;
    move |request: &Request| {
        let mut step = || {
            number += 1;
            Message::of(&model_of(request).unwrap_or_default())
                .id(&format!("response-{number}"))
                .usage(usage(number))
        };
        let call = |message: Message, (name, input): &(&str, Value)| message.tool(name, input.clone());
        match Asks::of(request) {
            Asks::Platform => Answer::json_with(404, &json!({})),
            Asks::TokenCount => Answer::json(&json!({"totalTokens": 1_234})),
            Asks::Router => whole(&step().text(r#"{"complexity_reasoning":"easy","complexity_score":12}"#)),
            Asks::Helper => whole(&step().text("{}")),
            Asks::Turn => streamed(&calls.iter().fold(step().thinking("Let me see."), call)),
            Asks::TurnWithResults => streamed(&step().text("All done.")),
        }
    }
}

/// Gemini has no word for writes to a cache.
fn usage(number: u64) -> Usage {
    Usage { reasoning: 17 + number, write_5m: 0, write_1h: 0, ..Usage::sample(number) }
}
