//! What a request asks for, told from its method and the end of its path.

use ccxray_shared::entry::{Provider, Route};
use hyper::{HeaderMap, Method};

/// An operation of some provider's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose API, where the path tells.
    pub provider: Option<Provider>,
    /// Which operation.
    pub route: Route,
    /// The model, where the path names it.
    pub model: Option<String>,
}

/// How the paths of operations end. A base URL may put anything before it.
const ENDINGS: &[(Method, &str, Provider, Route)] = &[
    (Method::POST, "/v1/messages", Provider::Anthropic, Route::Messages),
    (Method::POST, "/v1/messages/count_tokens", Provider::Anthropic, Route::CountTokens),
    (Method::POST, "/responses", Provider::OpenAi, Route::Responses),
    (Method::GET, "/responses", Provider::OpenAi, Route::Responses),
    (Method::POST, "/responses/compact", Provider::OpenAi, Route::ResponsesCompact),
    (Method::POST, "/chat/completions", Provider::OpenAi, Route::ChatCompletions),
    (Method::POST, "/embeddings", Provider::OpenAi, Route::Embed),
];

/// Parts of paths that belong to a client's platform: log-in, plug-ins, telemetry.
const PLATFORMS: &[(&str, Provider)] = &[
    ("/v1/oauth/", Provider::Anthropic),
    ("/v1/ps/plugins/", Provider::OpenAi),
    ("/v1/plugins/", Provider::OpenAi),
    ("/v1/connectors/", Provider::OpenAi),
    ("/v1/api/codex/", Provider::OpenAi),
    ("/v1/codex/", Provider::OpenAi),
];

/// The operation that `method` and `path` (without the query) ask for.
pub fn operation(method: &Method, path: &str) -> Operation {
    let plain = |provider, route| Operation { provider, route, model: None };
    if path == "/" {
        return plain(None, Route::Root);
    }
    if let Some((_, _, provider, route)) =
        ENDINGS.iter().find(|(m, end, ..)| m == method && path.ends_with(end))
    {
        return plain(Some(*provider), *route);
    }
    if let Some(gemini) = gemini(path) {
        return gemini;
    }
    if let Some((_, provider)) = PLATFORMS.iter().find(|(part, _)| path.contains(part)) {
        return plain(Some(*provider), Route::Platform);
    }
    if path.starts_with("/api/") {
        return plain(Some(Provider::Anthropic), Route::Platform);
    }
    if path.ends_with("/models") || path.contains("/models/") {
        return plain(path.contains("/v1beta/").then_some(Provider::Gemini), Route::Models);
    }
    plain(None, Route::Other)
}

/// Google's way: `…/models/{model}:{verb}`, or `/v1internal:{verb}` after a Google log-in.
fn gemini(path: &str) -> Option<Operation> {
    let (resource, verb) = path.rsplit_once(':').filter(|(_, verb)| !verb.contains('/'))?;
    let (parent, name) = resource.rsplit_once('/')?;
    let model = parent.ends_with("/models").then(|| name.to_owned());
    if model.is_none() && name != "v1internal" {
        return None;
    }
    let route = match verb {
        "generateContent" => Route::GenerateContent,
        "streamGenerateContent" => Route::StreamGenerateContent,
        "countTokens" => Route::CountTokens,
        "embedContent" | "batchEmbedContents" => Route::Embed,
        "loadCodeAssist" | "onboardUser" => Route::Platform,
        _ => Route::Other,
    };
    Some(Operation { provider: Some(Provider::Gemini), route, model })
}

/// Whose client it is, where a path does not tell: by the headers that only one of them sends.
pub fn client(headers: &HeaderMap) -> Option<Provider> {
    let has = |name: &str| headers.contains_key(name);
    let starts = |name: &str, prefixes: &[&str]| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        prefixes
            .iter()
            .any(|prefix| value.get(..prefix.len()).is_some_and(|v| v.eq_ignore_ascii_case(prefix)))
    };
    if has("anthropic-version") || has("x-api-key") || starts("user-agent", &["claude-cli/"]) {
        Some(Provider::Anthropic)
    } else if has("x-goog-api-key") || starts("user-agent", &["GeminiCLI"]) {
        Some(Provider::Gemini)
    } else if has("chatgpt-account-id")
        || starts("originator", &["codex_"])
        || starts("user-agent", &["codex_", "OpenAI/"])
    {
        Some(Provider::OpenAi)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_path_is_recognised_wherever_its_base_url_puts_it() {
        let (get, post, head) = (Method::GET, Method::POST, Method::HEAD);
        let (anthropic, openai, gemini) =
            (Some(Provider::Anthropic), Some(Provider::OpenAi), Some(Provider::Gemini));
        let table = [
            (&post, "/v1/messages", anthropic, Route::Messages, None),
            (&post, "/team/gateway/v1/messages", anthropic, Route::Messages, None),
            (&post, "/v1/messages/count_tokens", anthropic, Route::CountTokens, None),
            (&head, "/", None, Route::Root, None),
            (&get, "/", None, Route::Root, None),
            (&get, "/v1/models", None, Route::Models, None),
            (&get, "/v1/models/claude-x", None, Route::Models, None),
            (&post, "/api/event_logging/batch", anthropic, Route::Platform, None),
            (&get, "/api/claude_cli/bootstrap", anthropic, Route::Platform, None),
            (&post, "/v1/oauth/token", anthropic, Route::Platform, None),
            (&post, "/v1/responses", openai, Route::Responses, None),
            (&get, "/v1/responses", openai, Route::Responses, None),
            (&post, "/backend-api/codex/responses", openai, Route::Responses, None),
            (&post, "/v1/responses/compact", openai, Route::ResponsesCompact, None),
            (&post, "/v1/chat/completions", openai, Route::ChatCompletions, None),
            (&post, "/v1/embeddings", openai, Route::Embed, None),
            (&get, "/v1/ps/plugins/list", openai, Route::Platform, None),
            (&post, "/v1/plugins/x", openai, Route::Platform, None),
            (&get, "/v1/connectors/x", openai, Route::Platform, None),
            (&post, "/v1/api/codex/analytics", openai, Route::Platform, None),
            (&post, "/v1/codex/mcp", openai, Route::Platform, None),
            (
                &post,
                "/v1beta/models/g-3:streamGenerateContent",
                gemini,
                Route::StreamGenerateContent,
                Some("g-3"),
            ),
            (&post, "/v1beta/models/g-3:generateContent", gemini, Route::GenerateContent, Some("g-3")),
            (&post, "/v1beta/models/g-3:countTokens", gemini, Route::CountTokens, Some("g-3")),
            (&post, "/v1beta/models/e:embedContent", gemini, Route::Embed, Some("e")),
            (&post, "/v1beta/models/e:batchEmbedContents", gemini, Route::Embed, Some("e")),
            (&post, "/v1internal:streamGenerateContent", gemini, Route::StreamGenerateContent, None),
            (&post, "/v1internal:generateContent", gemini, Route::GenerateContent, None),
            (&post, "/v1internal:countTokens", gemini, Route::CountTokens, None),
            (&post, "/v1internal:loadCodeAssist", gemini, Route::Platform, None),
            (&post, "/v1internal:onboardUser", gemini, Route::Platform, None),
            (&get, "/v1beta/models", gemini, Route::Models, None),
            (&get, "/v1/messages", None, Route::Other, None),
            (&post, "/v1/files", None, Route::Other, None),
            (&post, "/a:b", None, Route::Other, None),
        ];
        for (method, path, provider, route, model) in table {
            let expected = Operation { provider, route, model: model.map(str::to_owned) };
            assert_eq!(operation(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_client_is_known_by_headers_that_only_it_sends() {
        let of = |name: &'static str, value: &'static str| {
            client(&HeaderMap::from_iter([(
                hyper::header::HeaderName::from_static(name),
                hyper::header::HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(of("anthropic-version", "2023-06-01"), Some(Provider::Anthropic));
        assert_eq!(of("user-agent", "claude-cli/2.1.197 (external, cli)"), Some(Provider::Anthropic));
        assert_eq!(of("user-agent", "codex_exec/0.1"), Some(Provider::OpenAi));
        assert_eq!(of("originator", "codex_cli_rs"), Some(Provider::OpenAi));
        assert_eq!(of("x-goog-api-key", "k"), Some(Provider::Gemini));
        assert_eq!(of("user-agent", "GeminiCLI/0.61.0/g-3"), Some(Provider::Gemini));
        assert_eq!(of("user-agent", "curl/8"), None);
    }
}
