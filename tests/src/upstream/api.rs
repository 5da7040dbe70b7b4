//! Whose API a request is for.

use crate::wire::Request;

/// A provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Anthropic.
    Anthropic,
    /// OpenAI.
    OpenAi,
    /// Gemini.
    Gemini,
}

impl Api {
    /// The API of this request: by what only one provider's client sends.
    pub fn of(request: &Request) -> Self {
        let is = |name: &str, begin: &str| request.header(name).is_some_and(|value| value.starts_with(begin));
        if request.path().starts_with("/v1beta/") || is("user-agent", "GeminiCLI") {
            Self::Gemini
        } else if request.path().ends_with("/responses") || is("originator", "codex_") {
            Self::OpenAi
        } else {
            Self::Anthropic
        }
    }

    /// The provider's name in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
        }
    }
}
