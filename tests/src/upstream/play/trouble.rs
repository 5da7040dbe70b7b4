//! What goes wrong at a provider, in its own words.

use serde_json::{Value, json};

use crate::upstream::{Answer, Api, Milestone, Piece};

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Too many requests; the client shall wait for so many seconds.
    RateLimited(u32),
    /// The provider has too much to do.
    Overloaded,
    /// The provider is broken.
    Broken,
    /// The prompt is too long for the model.
    PromptTooLong,
}

/// A provider's words for it: the status, the type or code, the message.
struct Words(u16, &'static str, &'static str);

impl Trouble {
    /// An answer that is nothing else.
    pub(super) fn answer(self, api: Api) -> Answer {
        let words = self.words(api);
        let bytes = words.json(api).to_string().into_bytes();
        let piece = Piece { bytes, tells: vec![self.failed(&words)] };
        let answer = Answer::new(words.0, "application/json", vec![piece]);
        match self {
            Self::RateLimited(seconds) => answer.header("retry-after", &seconds.to_string()),
            Self::Overloaded | Self::Broken | Self::PromptTooLong => answer,
        }
    }

    /// The first `pieces` of a stream, and then this instead of the rest.
    pub(super) fn within(self, api: Api, answer: Answer, pieces: usize) -> Answer {
        let words = self.words(api);
        let (tells, json) = (vec![self.failed(&words)], words.json(api));
        let piece = match api {
            Api::Anthropic => Piece::event("error", &json, tells),
            Api::OpenAi => {
                let response = json!({"id": "resp_failed", "object": "response", "status": "failed",
                    "error": {"code": words.1, "message": words.2}, "usage": null});
                let data =
                    json!({"type": "response.failed", "sequence_number": pieces, "response": response});
                let tells = tells.into_iter().chain([Milestone::Terminal]).collect();
                Piece::event("response.failed", &data, tells)
            }
            Api::Gemini => Piece::data(&json, tells),
        };
        answer.only(pieces).with(piece)
    }

    fn failed(self, words: &Words) -> Milestone {
        Milestone::Failed { kind: words.1.into(), context_length: self == Self::PromptTooLong }
    }

    fn words(self, api: Api) -> Words {
        match (api, self) {
            (Api::Anthropic, Self::RateLimited(_)) => Words(429, "rate_limit_error", "slow down"),
            (Api::Anthropic, Self::Overloaded) => Words(529, "overloaded_error", "Overloaded"),
            (Api::Anthropic, Self::Broken) => Words(500, "api_error", "Internal server error"),
            (Api::Anthropic, Self::PromptTooLong) => {
                Words(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum")
            }
            (Api::OpenAi, Self::RateLimited(_)) => Words(429, "rate_limit_exceeded", "slow down"),
            (Api::OpenAi, Self::Overloaded) => Words(503, "server_is_overloaded", "try again later"),
            (Api::OpenAi, Self::Broken) => Words(500, "server_error", "internal error"),
            (Api::OpenAi, Self::PromptTooLong) => {
                Words(400, "context_length_exceeded", "the input exceeds the context window of this model")
            }
            (Api::Gemini, Self::RateLimited(_)) => Words(429, "RESOURCE_EXHAUSTED", "slow down"),
            (Api::Gemini, Self::Overloaded) => Words(503, "UNAVAILABLE", "the model is overloaded"),
            (Api::Gemini, Self::Broken) => Words(500, "INTERNAL", "internal error"),
            (Api::Gemini, Self::PromptTooLong) => {
                Words(400, "INVALID_ARGUMENT", "the input token count exceeds the maximum")
            }
        }
    }
}

impl Words {
    fn json(&self, api: Api) -> Value {
        let Self(status, kind, message) = self;
        match api {
            Api::Anthropic => {
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_0123"})
            }
            Api::OpenAi => {
                json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
            }
            Api::Gemini => json!({"error": {"code": status, "message": message, "status": kind}}),
        }
    }
}
