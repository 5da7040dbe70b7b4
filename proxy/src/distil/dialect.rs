//! Which parser an exchange goes to.

use ccxray_shared::entry::{Class, Provider, Route};

/// The language of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Anthropic `POST /v1/messages`.
    AnthropicMessages,
    /// Anthropic `POST /v1/messages/count_tokens`: a request like the above, an answer with errors only.
    AnthropicCount,
    /// No body of it is looked at.
    Unread,
}

impl Dialect {
    /// The language of this provider's operation.
    pub fn of(provider: Provider, route: Route) -> Self {
        match (provider, route) {
            (Provider::Anthropic, Route::Messages) => Self::AnthropicMessages,
            (Provider::Anthropic, Route::CountTokens) => Self::AnthropicCount,
            _ => Self::Unread,
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
