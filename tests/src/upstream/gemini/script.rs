//! A conversation for a real Gemini CLI.

use serde_json::{Value, json};

use super::{Asks, content, model_of};
use crate::{
    upstream::{Answer, Message, Usage, script::Script},
    wire::Request,
};

/// Its first step calls the given tools, the step with their results ends the turn. Every answer has usage of its
/// own, and names the model that was asked for.
pub fn conversation(calls: Vec<(&'static str, Value)>) -> impl Script {
    let mut number = 0;
    move |request: &Request| {
        number += 1;
        let message = Message::of(&model_of(request).unwrap_or_default())
            .id(&format!("response-{number}"))
            .usage(usage(number));
        let message = match Asks::of(request) {
            Asks::Platform => return Answer::json_with(404, &json!({})),
            Asks::TokenCount => return Answer::json(&json!({"totalTokens": 1_234})),
            Asks::Router => message.text(r#"{"complexity_reasoning":"easy","complexity_score":12}"#),
            Asks::Helper => message.text("{}"),
            Asks::Turn => calls.iter().fold(message.thinking("Let me see."), |message, (name, input)| {
                message.tool(name, input.clone())
            }),
            Asks::TurnWithResults => message.text("All done."),
        };
        let streams = request.path().ends_with(":streamGenerateContent");
        if streams { content::streamed(&message) } else { content::whole(&message) }
    }
}

/// Gemini has no word for writes to a cache.
fn usage(number: u64) -> Usage {
    Usage { reasoning: 17 + number, write_5m: 0, write_1h: 0, ..Usage::sample(number) }
}
