//! A play: for each part that a client's request can have in a conversation, the answers to it, one after the other.
//!
//! A [`Part`] is told by the request, as the provider's wire has it; a [`Step`] says what is answered; what a call in it
//! means, the script says beforehand ([`Means`](super::Means)).

mod part;
mod step;
mod trouble;

use std::collections::{HashMap, VecDeque};

use serde_json::json;

pub use part::Part;
pub use step::Step;
pub use trouble::Trouble;

use super::{Answer, Api, Message, Usage, gemini, openai, script::Script};
use crate::wire::Request;

/// What is still to be answered.
#[derive(Debug, Default)]
pub struct Play {
    steps: HashMap<Part, VecDeque<Step>>,
    /// Answers so far; each has an id and a usage of its own.
    number: u64,
}

impl Play {
    /// One in which the main conversation goes so. What is not said goes well, and without calls.
    pub fn new(main: impl IntoIterator<Item = Step>) -> Self {
        Self::default().and(Part::Main, main)
    }

    /// This part goes so.
    #[must_use]
    pub fn and(mut self, part: Part, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.entry(part).or_default().extend(steps);
        self
    }

    fn step(&mut self, part: Part, api: Api, request: &Request) -> Step {
        let scripted = self.steps.get_mut(&part).and_then(VecDeque::pop_front);
        scripted.unwrap_or_else(|| Step::usual(part, api, request))
    }
}

impl Script for Play {
    fn answer(&mut self, request: &Request) -> Answer {
        let (api, part) = (Api::of(request), Part::of(request));
        match part {
            Part::Probe => return Answer::json(&json!({})),
            Part::TokenCount => return api.token_count(1_234),
            Part::Models => return Answer::json(&json!({"models": []})),
            Part::Upgrade => return openai::upgrade_refused(),
            Part::Platform => return openai::not_found(),
            _ => {}
        }
        self.number += 1;
        let usage = api.usage(self.number);
        let message = Message::of(&model(api, request)).id(&api.id(self.number)).usage(usage);
        self.step(part, api, request).answer(api, message, api.asks_for_a_stream(request))
    }
}

/// The model that is asked for, without the word of how much of it.
fn model(api: Api, request: &Request) -> String {
    let asked = match api {
        Api::Anthropic | Api::OpenAi => request.model(),
        Api::Gemini => gemini::model_of(request),
    };
    asked.unwrap_or_default().trim_end_matches("[1m]").to_owned()
}

impl Api {
    fn id(self, number: u64) -> String {
        match self {
            Self::Anthropic => format!("msg_{number:016x}"),
            Self::OpenAi => format!("resp_{number:016x}"),
            Self::Gemini => format!("response-{number}"),
        }
    }

    /// A usage like that of no other answer, of what this provider has words for.
    fn usage(self, number: u64) -> Usage {
        let usage = Usage::sample(number);
        match self {
            Self::Anthropic => usage,
            Self::OpenAi => Usage { reasoning: 17 + number, ..usage },
            Self::Gemini => Usage { reasoning: 17 + number, write_5m: 0, write_1h: 0, ..usage },
        }
    }

    fn token_count(self, tokens: u64) -> Answer {
        match self {
            Self::Gemini => Answer::json(&json!({"totalTokens": tokens})),
            Self::Anthropic | Self::OpenAi => Answer::token_count(tokens),
        }
    }

    fn asks_for_a_stream(self, request: &Request) -> bool {
        match self {
            Self::Anthropic | Self::OpenAi => request.json()["stream"] == true,
            Self::Gemini => request.path().ends_with(":streamGenerateContent"),
        }
    }

    /// A message as this provider sends it.
    pub(super) fn send(self, message: &Message, streamed: bool) -> Answer {
        match (self, streamed) {
            (Self::Anthropic, true) => message.streamed(),
            (Self::Anthropic, false) => message.whole(),
            (Self::OpenAi, _) => openai::streamed(message),
            (Self::Gemini, true) => gemini::streamed(message),
            (Self::Gemini, false) => gemini::whole(message),
        }
    }
}
