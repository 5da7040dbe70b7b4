//! What is known of an exchange, wherever it is known from.

use crate::upstream::Usage;

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// The whole answer was passed on.
    #[default]
    Complete,
    /// The client left.
    ClientLeft,
    /// The upstream broke off.
    UpstreamBroke,
    /// No head of an answer came.
    NoAnswer,
}

/// One exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The provider's name.
    pub provider: String,
    /// The operation (`messages`, `count_tokens`, `root` …).
    pub route: String,
    /// What it was for (`turn`, `title`, `token_count`, `probe` …).
    pub class: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// How it ended.
    pub end: End,
    /// The model that answered, or else the one that was asked for.
    pub model: Option<String>,
    /// The usage that was stated, as far as it was.
    pub usage: Option<Stated>,
    /// The stop reason as sent.
    pub stop_reason: Option<String>,
    /// The tools that were called.
    pub tools: Vec<String>,
    /// What the answer says went wrong.
    pub error: Option<Failure>,
    /// The session, or something that stands for it.
    pub session: Option<String>,
    /// Whether the answer was a stream.
    pub streamed: bool,
    /// Whether the first content of a stream came.
    pub content: bool,
    /// Whether the last event of a stream came.
    pub terminal: bool,
}

/// Usage, as far as it was stated: a stream that breaks off has only told the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// The numbers; those that were not stated are 0.
    pub usage: Usage,
    /// Whether the output was stated.
    pub output: bool,
}

/// An error as the provider told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its word for it.
    pub kind: Option<String>,
    /// Whether the prompt was too long for the model.
    pub context_length: bool,
}

impl Facts {
    /// Whether the provider charges for it.
    pub(super) fn billed(&self) -> bool {
        ["turn", "helper", "title", "web_search", "compaction"].contains(&self.class.as_str())
    }

    /// Whether it was answered with success.
    pub(super) fn answered(&self) -> bool {
        self.status.is_some_and(|status| status / 100 == 2)
    }
}
