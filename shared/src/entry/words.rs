//! The closed sets of words in an entry.

use serde::{Deserialize, Serialize};

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
        /// A connection (WebSocket) whose requests have entries of their own.
        Connection = "connection",
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
            Self::WarmUp
            | Self::TokenCount
            | Self::Probe
            | Self::Platform
            | Self::Connection
            | Self::Other => false,
        }
    }
}

words! {
    /// What set a compaction off.
    Trigger {
        /// The client itself, for want of room.
        Auto = "auto",
        /// The user.
        Manual = "manual",
        ;
        /// It does not show.
        Unknown = "unknown"
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
