//! One step of a play.

use super::{Part, Trouble};
use crate::{
    upstream::{Answer, Api, Block, Call, Encoding, Message, Usage, gemini},
    wire::{Break, Request},
};

/// What is answered, and how that is sent.
#[derive(Clone, Debug)]
pub struct Step {
    says: Says,
    usage: Option<Usage>,
    limits: Vec<(String, u64)>,
    mishap: Option<Mishap>,
    encoding: Encoding,
}

#[derive(Clone, Debug)]
enum Says {
    Message { blocks: Vec<Block>, stop_reason: Option<String> },
    Trouble(Trouble),
}

/// What happens to an answer on its way, behind so many of its pieces.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Cut(usize, Break),
    Fails(usize, Trouble),
    NoTerminal,
}

impl Step {
    /// The model says this, and that is it.
    pub fn says(text: &str) -> Self {
        Self::blocks(vec![Block::Text(text.into())])
    }

    /// The model thinks, and makes these calls.
    pub fn calls(calls: impl IntoIterator<Item = Call>) -> Self {
        let thinks = Block::Thinking("Let me see.".into());
        Self::blocks([thinks].into_iter().chain(calls.into_iter().map(Block::Tool)).collect())
    }

    /// The provider has searched the web for the model, which says what was found.
    pub fn searches(call: Call, found: &str) -> Self {
        let blocks = vec![Block::Tool(call.hosted()), Block::Found(found.into()), Block::Text(found.into())];
        Self::blocks(blocks)
    }

    /// There is no answer but this.
    pub fn trouble(trouble: Trouble) -> Self {
        Self::of(Says::Trouble(trouble))
    }

    /// What is answered to this request where the play says nothing: it goes well.
    pub(super) fn usual(part: Part, api: Api, request: &Request) -> Self {
        match (part, api) {
            (Part::Title, _) => Self::says(r#"{"title":"A scripted conversation"}"#),
            (Part::Router, _) => Self::says(r#"{"complexity_reasoning":"easy","complexity_score":12}"#),
            (Part::Helper, _) => Self::says("{}"),
            (Part::Compaction | Part::SummaryCheck, Api::Gemini) => {
                Self::says("<state_snapshot><overall_goal>To go on.</overall_goal></state_snapshot>")
            }
            (Part::Compaction, _) => {
                Self::blocks(vec![Block::Summary("<summary>All went well so far.</summary>".into())])
            }
            (Part::SubAgent, Api::Gemini) => {
                Self::calls([Call::new("complete_task", gemini::report(&request.json()))])
            }
            (Part::SubAgent, _) => Self::says("The sub-agent is done."),
            _ => Self::says("All done."),
        }
    }

    /// It stops for this reason, in Anthropic's words.
    #[must_use]
    pub fn stops(mut self, reason: &str) -> Self {
        if let Says::Message { stop_reason, .. } = &mut self.says {
            *stop_reason = Some(reason.into());
        }
        self
    }

    /// It used this much.
    #[must_use]
    pub fn uses(self, usage: Usage) -> Self {
        Self { usage: Some(usage), ..self }
    }

    /// So much is left of this limit.
    #[must_use]
    pub fn remaining(mut self, limit: &str, left: u64) -> Self {
        self.limits.push((limit.into(), left));
        self
    }

    /// Compressed.
    #[must_use]
    pub fn encoded(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// It breaks off behind so many pieces.
    #[must_use]
    pub fn cut_after(self, pieces: usize, how: Break) -> Self {
        Self { mishap: Some(Mishap::Cut(pieces, how)), ..self }
    }

    /// Behind so many pieces, trouble takes the place of the rest.
    #[must_use]
    pub fn fails_after(self, pieces: usize, trouble: Trouble) -> Self {
        Self { mishap: Some(Mishap::Fails(pieces, trouble)), ..self }
    }

    /// It ends cleanly, but without its last event.
    #[must_use]
    pub fn without_terminal(self) -> Self {
        Self { mishap: Some(Mishap::NoTerminal), ..self }
    }

    /// The answer in this provider's shape; `message` knows what the play does not say.
    pub(super) fn answer(self, api: Api, message: Message, streamed: bool) -> Answer {
        let answer = match self.says {
            Says::Trouble(trouble) => trouble.answer(api),
            Says::Message { blocks, stop_reason } => {
                let usage = self.usage.unwrap_or(message.usage);
                let message = blocks.into_iter().fold(message, Message::block).usage(usage);
                let message = match stop_reason {
                    Some(reason) => message.stop_reason(&reason),
                    None => message,
                };
                api.send(&message, streamed)
            }
        };
        let answer = self
            .limits
            .iter()
            .fold(answer, |answer, (limit, left)| answer.remaining(&limit_header(api, limit), limit, *left));
        let answer = match self.mishap {
            None => answer,
            Some(Mishap::Cut(pieces, how)) => answer.cut_after_pieces(pieces, how),
            Some(Mishap::Fails(pieces, trouble)) => trouble.within(api, answer, pieces),
            Some(Mishap::NoTerminal) => answer.without_terminal(),
        };
        answer.encoded(self.encoding)
    }

    fn blocks(blocks: Vec<Block>) -> Self {
        Self::of(Says::Message { blocks, stop_reason: None })
    }

    fn of(says: Says) -> Self {
        Self { says, usage: None, limits: vec![], mishap: None, encoding: Encoding::Identity }
    }
}

/// Where a provider says what is left of a limit. Gemini does not.
fn limit_header(api: Api, limit: &str) -> String {
    match api {
        Api::Anthropic => format!("anthropic-ratelimit-{limit}-remaining"),
        Api::OpenAi | Api::Gemini => format!("x-ratelimit-remaining-{limit}"),
    }
}
