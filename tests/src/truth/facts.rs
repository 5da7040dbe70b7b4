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
#[expect(clippy::struct_excessive_bools, reason = "facts, each for itself, and no states")]
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
    /// The tools of MCP servers that were called: server and tool.
    pub mcp: Vec<(String, String)>,
    /// The skills that were activated, by the model in the answer or by the user with the request.
    pub skills: Vec<String>,
    /// How many sub-agents were started.
    pub starts: usize,
    /// The dangerous things that calls do.
    pub dangers: Vec<String>,
    /// How many calls write a file.
    pub writes: usize,
    /// The tools whose failure the request reports.
    pub failed: Vec<FailedTool>,
    /// The type of the agent that asks.
    pub agent: String,
    /// What the agent may do.
    pub mode: String,
    /// The session's context window, in tokens.
    pub window: u64,
    /// Whether the client itself has set off this compaction.
    pub automatic: bool,
    /// Whether it is another attempt at what has failed.
    pub retry: bool,
    /// What is left of which limit.
    pub limits: Vec<(String, u64)>,
}

/// A tool that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedTool {
    /// Its full name.
    pub tool: String,
    /// The MCP server that it is of.
    pub server: Option<String>,
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

    /// Whether it was answered with success, to the end and without an error.
    pub(super) fn finished(&self) -> bool {
        let ended = !self.streamed || self.terminal;
        self.answered() && self.end == End::Complete && ended && self.error.is_none()
    }

    /// The tokens of the context that it used, if that was stated.
    pub(super) fn used(&self) -> Option<u64> {
        let usage = self.usage?.usage;
        Some(usage.input + usage.cache_read + usage.write_5m + usage.write_1h)
    }

    /// Whether it was answered with success.
    pub(super) fn answered(&self) -> bool {
        self.status.is_some_and(|status| status / 100 == 2)
    }
}
