//! The decision: where a request goes, and as what it is recorded.

use std::sync::Arc;

use ccxray_shared::entry::{Provider, Route};
use hyper::{HeaderMap, Method, Uri};

use super::{
    operation::{self, Operation},
    prefix::{self, MalformedStampError, Stamped},
    stamp::Attribution,
    upstream::{Upstream, Upstreams},
};

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Destination {
    /// To whom.
    pub upstream: Arc<Upstream>,
    /// The full target there.
    pub uri: Uri,
    /// Whose API it is.
    pub provider: Provider,
    /// Which operation.
    pub route: Route,
    /// The model, where the path names it.
    pub path_model: Option<String>,
    /// The launcher's stamps.
    pub attribution: Attribution,
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// A stamp that is not understood.
    #[error(transparent)]
    Stamp(#[from] MalformedStampError),
    /// The prefix names an upstream that is not in the table.
    #[error("no upstream has the name in this path; add it with --upstream NAME=URL")]
    UnknownUpstream,
    /// Neither path nor headers tell whose API it is.
    #[error(
        "neither the path nor the headers tell which provider this is for; put `/_ccxray/<upstream>/-` before the path"
    )]
    UnknownProvider,
    /// What follows the prefix cannot be a path.
    #[error("the path cannot be forwarded")]
    BadPath,
}

/// Decides where a request goes.
pub fn decide(
    upstreams: &Upstreams,
    method: &Method,
    path_and_query: &str,
    headers: &HeaderMap,
) -> Result<Destination, RouteError> {
    let by_headers = prefix::from_headers(headers)?;
    match prefix::parse(path_and_query)? {
        Some(stamped) => explicit(upstreams, method, headers, stamped, by_headers),
        None => implicit(upstreams, method, headers, path_and_query, by_headers),
    }
}

fn explicit(
    upstreams: &Upstreams,
    method: &Method,
    headers: &HeaderMap,
    stamped: Stamped<'_>,
    by_headers: Attribution,
) -> Result<Destination, RouteError> {
    let (name, rest) = match stamped.upstream {
        "openai" => openai(headers, stamped.rest),
        other => (other, stamped.rest),
    };
    let upstream = upstreams.get(name).ok_or(RouteError::UnknownUpstream)?;
    let operation = operation::operation(method, path(rest));
    let provider = operation
        .provider
        .or(upstream.provider())
        .or_else(|| operation::client(headers))
        .unwrap_or(Provider::Other);
    let attribution = prefix::merge(stamped.attribution, by_headers);
    destination(upstream, provider, operation, rest, attribution)
}

fn implicit(
    upstreams: &Upstreams,
    method: &Method,
    headers: &HeaderMap,
    path_and_query: &str,
    attribution: Attribution,
) -> Result<Destination, RouteError> {
    let operation = operation::operation(method, path(path_and_query));
    // Claude Code probes `/` at its start, with nothing in the headers that would tell it.
    let probe = (operation.route == Route::Root).then_some(Provider::Anthropic);
    let provider = operation
        .provider
        .or_else(|| operation::client(headers))
        .or(probe)
        .ok_or(RouteError::UnknownProvider)?;
    let (name, rest) = match provider {
        Provider::Anthropic => ("anthropic", path_and_query),
        Provider::Gemini => ("gemini", path_and_query),
        Provider::OpenAi => openai(headers, path_and_query),
        Provider::Other => return Err(RouteError::UnknownProvider),
    };
    let upstream = upstreams.get(name).ok_or(RouteError::UnknownUpstream)?;
    destination(upstream, provider, operation, rest, attribution)
}

/// Which of OpenAI's two backends: a base URL says `openai` for both, and only the log-in tells them apart.
fn openai<'p>(headers: &HeaderMap, path_and_query: &'p str) -> (&'static str, &'p str) {
    if headers.contains_key("chatgpt-account-id") {
        ("chatgpt", without_v1(path_and_query))
    } else {
        ("openai", path_and_query)
    }
}

/// Codex puts `/v1` before its paths when its base URL is an OpenAI one; ChatGPT's backend has none.
fn without_v1(path_and_query: &str) -> &str {
    path_and_query.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path_and_query)
}

fn destination(
    upstream: &Arc<Upstream>,
    provider: Provider,
    operation: Operation,
    path_and_query: &str,
    attribution: Attribution,
) -> Result<Destination, RouteError> {
    let uri = upstream.uri(path_and_query).ok_or(RouteError::BadPath)?;
    let upstream = upstream.clone();
    Ok(Destination {
        upstream,
        uri,
        provider,
        route: operation.route,
        path_model: operation.model,
        attribution,
    })
}

fn path(path_and_query: &str) -> &str {
    path_and_query.split_once('?').map_or(path_and_query, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn go(
        method: &Method,
        path: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Destination, RouteError> {
        let headers = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        decide(&Upstreams::with(["mine=http://10.0.0.1:8/x".parse().unwrap()]), method, path, &headers)
    }

    #[test]
    fn a_path_alone_leads_to_its_provider() {
        for (path, uri) in [
            ("/v1/messages?beta=true", "https://api.anthropic.com/v1/messages?beta=true"),
            ("/v1/responses", "https://api.openai.com/v1/responses"),
            (
                "/v1beta/models/g-3:streamGenerateContent?alt=sse",
                "https://generativelanguage.googleapis.com/v1beta/models/g-3:streamGenerateContent?alt=sse",
            ),
        ] {
            assert_eq!(go(&Method::POST, path, &[]).unwrap().uri, uri);
        }
    }

    #[test]
    fn a_chatgpt_login_leads_to_its_own_backend() {
        for path in ["/v1/responses", "/_ccxray/openai/-/v1/responses"] {
            let destination = go(&Method::POST, path, &[("chatgpt-account-id", "a")]).unwrap();
            assert_eq!(destination.uri, "https://chatgpt.com/backend-api/codex/responses");
            assert_eq!((destination.provider, destination.route), (Provider::OpenAi, Route::Responses));
        }
        let by_key = go(&Method::POST, "/_ccxray/openai/-/v1/responses", &[]).unwrap();
        assert_eq!(by_key.uri, "https://api.openai.com/v1/responses");
    }

    #[test]
    fn headers_decide_where_the_path_does_not() {
        let host =
            |path, headers: &[_]| go(&Method::GET, path, headers).map(|d| d.uri.host().unwrap().to_owned());
        assert_eq!(host("/v1/models", &[("x-api-key", "k")]).unwrap(), "api.anthropic.com");
        assert_eq!(
            host("/v1/models?client_version=1", &[("originator", "codex_exec")]).unwrap(),
            "api.openai.com"
        );
        assert_eq!(host("/v1/models", &[]), Err(RouteError::UnknownProvider));
    }

    #[test]
    fn the_start_up_probe_goes_to_anthropic_unless_a_client_is_known() {
        let host = |headers: &[_]| go(&Method::HEAD, "/", headers).unwrap().uri.host().unwrap().to_owned();
        assert_eq!(host(&[("user-agent", "Bun/1.4.0")]), "api.anthropic.com");
        assert_eq!(host(&[("user-agent", "codex_exec/0.1")]), "api.openai.com");
    }

    #[test]
    fn a_prefix_names_its_upstream_and_keeps_the_path_as_it_is() {
        let destination = go(&Method::POST, "/_ccxray/mine/tier/0/-/a%2Fb/v1/messages?x=%3F", &[]).unwrap();
        assert_eq!(destination.uri, "http://10.0.0.1:8/x/a%2Fb/v1/messages?x=%3F");
        assert_eq!((destination.provider, destination.route), (Provider::Anthropic, Route::Messages));
        assert_eq!(destination.attribution.tier_cap, Some(0));
        assert_eq!(go(&Method::GET, "/_ccxray/mine/-/x", &[]).unwrap().provider, Provider::Other);
        assert_eq!(go(&Method::GET, "/_ccxray/gemini/-/x", &[]).unwrap().provider, Provider::Gemini);
        assert_eq!(go(&Method::GET, "/_ccxray/nobody/-/x", &[]).unwrap_err(), RouteError::UnknownUpstream);
    }

    #[test]
    fn a_path_cannot_change_the_authority() {
        for path in [
            "/_ccxray/anthropic/-/@evil.example/",
            "/_ccxray/anthropic/-//evil.example/x",
            "//evil.example/v1/messages",
        ] {
            assert_eq!(
                go(&Method::POST, path, &[("x-api-key", "k")]).unwrap().uri.host(),
                Some("api.anthropic.com")
            );
        }
    }
}
