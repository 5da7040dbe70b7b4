//! Which answer a request gets.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Answer, Message, Usage};
use crate::wire::Request;

/// Chooses answers. Every function from request to answer is one, and so is a list of answers.
pub trait Script: Send {
    /// The answer to this request.
    fn answer(&mut self, request: &Request) -> Answer;
}

impl<F: FnMut(&Request) -> Answer + Send> Script for F {
    fn answer(&mut self, request: &Request) -> Answer {
        self(request)
    }
}

/// Each request takes the next; one too many is told so.
impl Script for VecDeque<Answer> {
    fn answer(&mut self, request: &Request) -> Answer {
        let over = || Answer::error(500, "api_error", &format!("the script is over: {}", request.target));
        self.pop_front().unwrap_or_else(over)
    }
}

/// A script of these answers, in this order.
pub fn in_order(answers: impl IntoIterator<Item = Answer>) -> VecDeque<Answer> {
    answers.into_iter().collect()
}

/// A script that gives every request the same answer.
pub fn always(answer: Answer) -> impl Script {
    move |_: &Request| answer.clone()
}

/// What a real client asks for, by the shape of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Is there somebody?
    Probe,
    /// How many tokens?
    TokenCount,
    /// A small thing beside the conversation, such as a title: a request without tools.
    Helper,
    /// The next step, when the user has said something.
    Turn,
    /// The next step, when tools have returned results.
    TurnWithResults,
    /// Something else of its platform.
    Platform,
}

impl Asks {
    /// What this request asks for.
    pub fn of(request: &Request) -> Self {
        let path = request.path();
        if path == "/" {
            return Self::Probe;
        }
        if path.ends_with("/count_tokens") {
            return Self::TokenCount;
        }
        if !path.ends_with("/v1/messages") {
            return Self::Platform;
        }
        let body = request.json();
        let last = body["messages"]
            .as_array()
            .and_then(|messages| messages.iter().rev().find(|message| message["role"] == "user").cloned());
        let has_results = last.is_some_and(|message| holds_results(&message["content"]));
        match (body["tools"].as_array().is_none_or(Vec::is_empty), has_results) {
            (true, _) => Self::Helper,
            (false, true) => Self::TurnWithResults,
            (false, false) => Self::Turn,
        }
    }
}

fn holds_results(content: &Value) -> bool {
    content.as_array().is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "tool_result"))
}

/// A conversation for a real Claude Code: its first step calls the given tools, the step with their results
/// ends the turn. Every answer has usage of its own, and names the model that was asked for.
pub fn conversation(calls: Vec<(&'static str, Value)>) -> impl Script {
    let mut number = 0;
    move |request: &Request| {
        number += 1;
        let model = request.model().unwrap_or_default();
        let message = Message::of(model.trim_end_matches("[1m]"))
            .id(&format!("msg_{number:016x}"))
            .usage(Usage::sample(number));
        let message = match Asks::of(request) {
            Asks::Probe | Asks::Platform => return Answer::json(&json!({})),
            Asks::TokenCount => return Answer::token_count(1_234),
            Asks::Helper => message.text(r#"{"title":"A scripted conversation"}"#),
            Asks::Turn => calls.iter().fold(message.thinking("Let me see."), |message, (name, input)| {
                message.tool(name, input.clone())
            }),
            Asks::TurnWithResults => message.text("All done."),
        };
        if request.json()["stream"] == true { message.streamed() } else { message.whole() }
    }
}
