//! An entry: what the proxy writes down about one finished exchange.
//!
//! Facts only, as they were on the wire. No text of a request or an answer, no header value, no path (but for
//! the project directory), no command. One struct serves both sides: the proxy fills it, the exporter reads it
//! back with every name borrowed from the line.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Name, UnixMillis, usage::Usage};

/// A running number of a stream's entries, from 0, without holes: a hole that a reader sees is a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// Defines a closed set of words, with one for whatever a newer writer may say, and its spelling in the spool
/// and on metrics.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)*
        ; $(#[$ometa:meta])* $other:ident = $oword:literal }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $word)] $variant,)*
            $(#[$ometa])*
            #[serde(rename = $oword, other)]
            $other,
        }
        impl $name {
            /// The word, as the spool and the metrics spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* Self::$other => $oword }
            }
        }
    };
}

words! {
    /// Whose API it was.
    Provider {
        /// Anthropic Messages.
        Anthropic = "anthropic",
        /// OpenAI, by key or by a ChatGPT log-in.
        OpenAi = "openai",
        /// Google Gemini, by key or by a Google log-in.
        Gemini = "gemini",
        ;
        /// Not recognised from the path.
        Other = "other"
    }
}

words! {
    /// Which operation of the provider's API, from the method and the end of the path.
    Route {
        /// Anthropic `POST /v1/messages`.
        Messages = "messages",
        /// Anthropic `…/count_tokens`, Gemini `:countTokens`.
        CountTokens = "count_tokens",
        /// OpenAI `POST /v1/responses`, and its WebSocket.
        Responses = "responses",
        /// OpenAI `POST /v1/responses/compact`.
        ResponsesCompact = "responses_compact",
        /// OpenAI `POST /v1/chat/completions`.
        ChatCompletions = "chat_completions",
        /// Gemini `:generateContent`.
        GenerateContent = "generate_content",
        /// Gemini `:streamGenerateContent`.
        StreamGenerateContent = "stream_generate_content",
        /// Gemini `:embedContent`, `:batchEmbedContents`; OpenAI `/v1/embeddings`.
        Embed = "embed",
        /// `/v1/models` and the like.
        Models = "models",
        /// A client's own platform: log-in, plug-ins, telemetry.
        Platform = "platform",
        /// `/`, as clients probe it.
        Root = "root",
        ;
        /// Anything else.
        Other = "other"
    }
}

words! {
    /// What the client wanted with the request.
    Class {
        /// A step of the conversation.
        Turn = "turn",
        /// A small request of the client's own beside the conversation.
        Helper = "helper",
        /// The client lets the model name the session.
        Title = "title",
        /// A search that the client runs through the model.
        WebSearch = "web_search",
        /// The conversation is being summarised.
        Compaction = "compaction",
        /// A request that generates nothing yet.
        WarmUp = "warm_up",
        /// A count of tokens.
        TokenCount = "token_count",
        /// Is it there, is there quota?
        Probe = "probe",
        /// The client talks to its platform, not to a model.
        Platform = "platform",
        ;
        /// Not recognised.
        Other = "other"
    }
}

impl Class {
    /// Whether the provider charges for it.
    pub const fn is_billed(self) -> bool {
        match self {
            Self::Turn | Self::Helper | Self::Title | Self::WebSearch | Self::Compaction => true,
            Self::WarmUp | Self::TokenCount | Self::Probe | Self::Platform | Self::Other => false,
        }
    }
}

words! {
    /// How the exchange ended on the wire.
    Outcome {
        /// The whole answer was passed on.
        Complete = "complete",
        /// The client left before the end.
        ClientAbort = "client_abort",
        /// The upstream broke off.
        UpstreamAbort = "upstream_abort",
        /// No answer ever began.
        UpstreamUnreachable = "upstream_unreachable",
        ;
        /// A newer writer's word.
        Unknown = "unknown"
    }
}

words! {
    /// How far the parser understood the copy of the exchange. The forwarding never depends on it.
    Parse {
        /// All of it, or there was nothing to parse.
        Ok = "ok",
        /// Some parts were not as expected; see the notes.
        Partial = "partial",
        /// The copy was given up to keep the proxy's memory small.
        Shed = "shed",
        /// The parser failed.
        Error = "error",
        ;
        /// A newer writer's word.
        Unknown = "unknown"
    }
}

words! {
    /// Where the project directory is known from.
    DirSource {
        /// The launcher stamped it.
        Stamp = "stamp",
        /// The client stated it in the request.
        Stated = "stated",
        ;
        /// A newer writer's word.
        Unknown = "unknown"
    }
}

/// One finished exchange. Fields without a value are left out of the line; a reader ignores fields that it
/// does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// The proxy's id of the exchange, 16 hex digits; also in the proxy's own log.
    #[serde(borrow)]
    pub id: Name<'a>,
    /// The running number in the stream; given by the writer.
    #[serde(default)]
    pub seq: Seq,
    /// When the request's head had been read.
    pub started_at: UnixMillis,
    /// When the last byte had been passed on, or the exchange had failed.
    pub ended_at: UnixMillis,
    /// Whose API.
    pub provider: Provider,
    /// The upstream's name in the proxy's routing table.
    #[serde(borrow)]
    pub upstream: Name<'a>,
    /// Which operation.
    pub route: Route,
    /// What for.
    pub class: Class,
    /// The version of the text-dependent rules that made this entry.
    #[serde(default)]
    pub rules_version: u32,
    /// The answer's status; absent if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Milliseconds from `started_at` to `ended_at` by the monotonic clock.
    pub latency_ms: u64,
    /// Milliseconds from `started_at` to the first event with content of a streamed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_content_ms: Option<u64>,
    /// Whether the answer was a stream of events.
    #[serde(default, skip_serializing_if = "is_false")]
    pub streamed: bool,
    /// Whether a streamed answer came to its terminal event; absent where that has no meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<bool>,
    /// Bytes of the request's body as passed on.
    #[serde(default)]
    pub request_bytes: u64,
    /// Bytes of the answer's body as passed on.
    #[serde(default)]
    pub response_bytes: u64,
    /// The model that was asked for.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Name<'a>>,
    /// The model that the answer names.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub model_served: Option<Name<'a>>,
    /// Usage as sent; absent if the wire did not state it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage<'a>>,
    /// The stop reason as sent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<Name<'a>>,
    /// The error as sent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFacts<'a>>,
    /// Tool calls of the answer.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolCalls<'a>>,
    /// Tool results that this request reported for the first time.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub results: Option<ToolResults<'a>>,
    /// Keyed hash of the client's session id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Name<'a>>,
    /// Which of the client's agents asked.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent<'a>>,
    /// Hints at the size of the session's context window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextHints>,
    /// The permission or sandbox mode, where the wire shows it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<Name<'a>>,
    /// Rate limits as the answer's headers state them.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimit<'a>>,
    /// Keyed digest of the request's body: equal bodies have equal digests.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<Name<'a>>,
    /// How many earlier exchanges of this session this proxy saw with the same request body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeats: u32,
    /// The project directory, absolute. The only path in an entry; it never leaves the machine.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<Cow<'a, str>>,
    /// Where `dir` is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir_source: Option<DirSource>,
    /// The directory that the client stated, where the stamp in `dir` says another.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub stated_dir: Option<Cow<'a, str>>,
    /// The highest consent tier that the stamp allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_cap: Option<u8>,
    /// Whether the stamp says that the agent's own telemetry is on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub agent_otel: bool,
    /// How far the parser came.
    pub parse: Parse,
    /// What it did not understand, in closed words.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ParseNote<'a>>,
}

/// An error as the provider stated it; its message is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFacts<'a> {
    /// The provider's word for it (`overloaded_error`, `RESOURCE_EXHAUSTED` …).
    #[serde(borrow, rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name<'a>>,
    /// The provider's code beside the type, where it has one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Name<'a>>,
    /// Whether it came inside a stream that had begun with success.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_stream: bool,
    /// Whether the message says that the prompt is too long for the model.
    #[serde(default, skip_serializing_if = "is_false")]
    pub context_length: bool,
}

/// The tool calls of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCalls<'a> {
    /// How many tool-call blocks the answer had, whether or not each could be read.
    pub blocks: u32,
    /// The calls, at most [`MAX_LISTED`]; `blocks` is the true count.
    #[serde(borrow, default)]
    pub calls: Vec<ToolCall<'a>>,
}

/// The most calls or names that an entry lists.
pub const MAX_LISTED: usize = 128;

/// One tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall<'a> {
    /// The tool's name as sent.
    #[serde(borrow)]
    pub name: Name<'a>,
    /// Its namespace as sent (Codex).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name<'a>>,
    /// The names of the dangerous patterns that its arguments match.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<Name<'a>>,
    /// Whether it writes a file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub writes_file: bool,
    /// The skill that it activates.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<Name<'a>>,
    /// The type of the sub-agent that it starts.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Name<'a>>,
}

/// Tool results of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResults<'a> {
    /// How many.
    pub count: u32,
    /// How many are marked as failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u32,
    /// The names of the failed tools, at most [`MAX_LISTED`].
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub failed_tools: Vec<Name<'a>>,
}

/// Which of the client's agents asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent<'a> {
    /// The type, where the request shows it.
    #[serde(borrow, rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name<'a>>,
    /// Whether another agent started it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sub: bool,
    /// Keyed hash of its id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Name<'a>>,
}

/// Hints at the size of the session's context window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextHints {
    /// The window in tokens that the request asks for (Anthropic's one-million beta).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// How many messages the request holds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub messages: u32,
}

/// One rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit<'a> {
    /// Of what (`requests`, `tokens`, `input-tokens` …), from a closed list.
    #[serde(borrow)]
    pub limit: Name<'a>,
    /// How much is left.
    pub remaining: u64,
}

/// Something that a parser did not understand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseNote<'a> {
    /// Which parser, from a closed list.
    #[serde(borrow)]
    pub parser: Name<'a>,
    /// What happened, from a closed list.
    #[serde(borrow)]
    pub reason: Name<'a>,
    /// How often.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(crate) fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(b: &bool) -> bool {
    !*b
}
