//! Which parser an exchange goes to.

use ccxray_shared::entry::{Class, Provider, Route};

use super::{
    answer::AnswerFacts,
    anthropic::{self, MessageStream},
    gemini::{self, ContentStream},
    openai::{self, ChatStream, ResponseStream},
    stream::EventStream,
};

/// The language of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Anthropic `POST /v1/messages`.
    AnthropicMessages,
    /// Anthropic `POST /v1/messages/count_tokens`: a request like the above, an answer with errors only.
    AnthropicCount,
    /// OpenAI `POST /v1/responses`, and its `/compact`.
    Responses,
    /// OpenAI `POST /v1/chat/completions`.
    ChatCompletions,
    /// Gemini `:generateContent`.
    GeminiContent,
    /// Gemini `:streamGenerateContent`: events, or with the same objects a JSON array.
    GeminiStream,
    /// Gemini `:countTokens`, of whose answer only errors are looked at.
    GeminiCount,
    /// No body of it is looked at.
    Unread,
}

impl Dialect {
    /// The language of this provider's operation.
    pub fn of(provider: Provider, route: Route) -> Self {
        match (provider, route) {
            (Provider::Anthropic, Route::Messages) => Self::AnthropicMessages,
            (Provider::Anthropic, Route::CountTokens) => Self::AnthropicCount,
            (Provider::OpenAi, Route::Responses | Route::ResponsesCompact) => Self::Responses,
            (Provider::OpenAi, Route::ChatCompletions) => Self::ChatCompletions,
            (Provider::Gemini, Route::GenerateContent) => Self::GeminiContent,
            (Provider::Gemini, Route::StreamGenerateContent) => Self::GeminiStream,
            (Provider::Gemini, Route::CountTokens) => Self::GeminiCount,
            _ => Self::Unread,
        }
    }

    /// The name of its parser in an entry's notes.
    pub(super) fn parser(self) -> &'static str {
        match self {
            Self::AnthropicMessages | Self::AnthropicCount => anthropic::PARSER,
            Self::Responses | Self::ChatCompletions => openai::PARSER,
            Self::GeminiContent | Self::GeminiStream | Self::GeminiCount => gemini::PARSER,
            Self::Unread => "unread",
        }
    }

    /// What follows an answer in events, where there is such a one.
    pub(super) fn stream(self) -> Option<Box<dyn EventStream>> {
        match self {
            Self::AnthropicMessages => Some(Box::<MessageStream>::default()),
            Self::Responses => Some(Box::<ResponseStream>::default()),
            Self::ChatCompletions => Some(Box::<ChatStream>::default()),
            Self::GeminiContent | Self::GeminiStream => Some(Box::<ContentStream>::default()),
            Self::AnthropicCount | Self::GeminiCount | Self::Unread => None,
        }
    }

    /// Reads an answer that is one JSON object.
    pub(super) fn read_json(self, body: &[u8]) -> AnswerFacts {
        match self {
            Self::AnthropicMessages | Self::AnthropicCount => anthropic::read_message(body),
            Self::Responses => openai::read_response(body),
            Self::ChatCompletions => openai::read_completion(body),
            Self::GeminiContent | Self::GeminiStream | Self::GeminiCount => gemini::read_content(body),
            Self::Unread => AnswerFacts::default(),
        }
    }

    /// Whether a success of it must be in one of the forms that are read.
    pub(super) fn is_expected(self) -> bool {
        match self {
            Self::AnthropicMessages
            | Self::Responses
            | Self::ChatCompletions
            | Self::GeminiContent
            | Self::GeminiStream => true,
            Self::AnthropicCount | Self::GeminiCount | Self::Unread => false,
        }
    }
}

/// What a request is for, as far as its route tells.
pub fn class_of(route: Route) -> Class {
    match route {
        Route::Messages
        | Route::Responses
        | Route::ChatCompletions
        | Route::GenerateContent
        | Route::StreamGenerateContent => Class::Turn,
        Route::CountTokens => Class::TokenCount,
        Route::ResponsesCompact => Class::Compaction,
        Route::Models | Route::Platform => Class::Platform,
        Route::Root => Class::Probe,
        Route::Embed | Route::Other => Class::Other,
    }
}
