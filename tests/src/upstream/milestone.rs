//! What the parts of an answer tell the client.

use super::{Call, Usage};

/// Something that a client knows once it has a piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// Which model answers, and the input's part of the usage.
    Started {
        /// The model's name.
        model: String,
        /// Of this, only the input counts yet.
        usage: Usage,
    },
    /// Which model answers.
    Model(String),
    /// All of the usage so far.
    Used(Usage),
    /// An event with content: a part of a text, or a call.
    Content,
    /// A tool call.
    Tool(Call),
    /// How the generation ended, and the output's part of the usage.
    Finished {
        /// The stop reason, in Anthropic's words.
        stop_reason: String,
        /// All output tokens.
        output: u64,
    },
    /// Nothing more will come.
    Terminal,
    /// It went wrong.
    Failed {
        /// The provider's word for it.
        kind: String,
        /// Whether it says that the prompt is too long for the model.
        context_length: bool,
    },
}

/// A part of an answer's body that is sent at once, and what the client knows when it has all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they tell.
    pub tells: Vec<Milestone>,
}

impl Piece {
    /// An event of a stream that has no names.
    pub(super) fn data(data: &serde_json::Value, tells: Vec<Milestone>) -> Self {
        Self { bytes: format!("data: {data}\n\n").into_bytes(), tells }
    }

    /// An event of a stream.
    pub(super) fn event(name: &str, data: &serde_json::Value, tells: Vec<Milestone>) -> Self {
        Self { bytes: format!("event: {name}\ndata: {data}\n\n").into_bytes(), tells }
    }
}
