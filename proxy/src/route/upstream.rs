//! The table of upstreams: which names there are, and where each of them is.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use ccxray_shared::entry::Provider;
use hyper::{
    Uri,
    http::uri::{Authority, PathAndQuery, Scheme},
};

/// One upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the table.
    pub name: Arc<str>,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port. Always from the configuration, never from a client.
    pub authority: Authority,
    /// What stands before the path of every request, without a slash at its end.
    pub base_path: String,
}

impl Upstream {
    /// Whether it is reached without TLS: then it may be a proxy of this machine, even ourselves.
    pub fn is_plain(&self) -> bool {
        self.scheme == Scheme::HTTP
    }

    /// The port, given or implied by the scheme.
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_plain() { 80 } else { 443 })
    }

    /// The provider that a built-in upstream belongs to; none for what the user added.
    pub fn provider(&self) -> Option<Provider> {
        match &*self.name {
            "anthropic" => Some(Provider::Anthropic),
            "openai" | "chatgpt" => Some(Provider::OpenAi),
            "gemini" => Some(Provider::Gemini),
            _ => None,
        }
    }

    /// The target of a request for `path_and_query`; none if that is no valid path.
    pub fn uri(&self, path_and_query: &str) -> Option<Uri> {
        // `*`, as in `OPTIONS *`, would otherwise be glued to the host.
        if !path_and_query.starts_with('/') {
            return None;
        }
        let joined = [self.base_path.as_str(), path_and_query].concat();
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(PathAndQuery::try_from(joined).ok()?)
            .build()
            .ok()
    }
}

/// Why text does not name an upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseUpstreamError {
    /// Not `NAME=URL`.
    #[error("an upstream is written NAME=URL, for example `anthropic=https://api.anthropic.com`")]
    NoName,
    /// A name that would not fit into a path.
    #[error("`{0}` is no upstream's name; use lowercase letters, digits, `-` and `_`")]
    BadName(String),
    /// Not a URL of the kind that is needed.
    #[error(
        "the url of upstream `{0}` must be `http://` or `https://`, a host, and at most a port and a path"
    )]
    BadUrl(String),
}

impl FromStr for Upstream {
    type Err = ParseUpstreamError;

    fn from_str(text: &str) -> Result<Self, ParseUpstreamError> {
        let (name, url) = text.split_once('=').ok_or(ParseUpstreamError::NoName)?;
        let fits = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if name.is_empty() || name == "-" || !name.bytes().all(fits) {
            return Err(ParseUpstreamError::BadName(name.to_owned()));
        }
        let bad_url = || ParseUpstreamError::BadUrl(name.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad_url())?;
        let parts = uri.into_parts();
        let scheme =
            parts.scheme.filter(|s| *s == Scheme::HTTP || *s == Scheme::HTTPS).ok_or_else(bad_url)?;
        // User and password in a URL would end up in logs.
        let authority = parts.authority.filter(|a| !a.as_str().contains('@')).ok_or_else(bad_url)?;
        let path = parts.path_and_query.filter(|p| p.query().is_none()).ok_or_else(bad_url)?;
        let base_path = path.path().trim_end_matches('/').to_owned();
        Ok(Self { name: name.into(), scheme, authority, base_path })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}://{}{}", self.name, self.scheme, self.authority, self.base_path)
    }
}

/// The providers' own addresses.
const BUILT_IN: [(&str, &str, &str); 4] = [
    ("anthropic", "api.anthropic.com", ""),
    ("openai", "api.openai.com", ""),
    ("chatgpt", "chatgpt.com", "/backend-api/codex"),
    ("gemini", "generativelanguage.googleapis.com", ""),
];

/// All upstreams by name.
#[derive(Clone, Debug)]
pub struct Upstreams(BTreeMap<Arc<str>, Arc<Upstream>>);

impl Upstreams {
    /// The built-in ones, with `given` in the place of those of the same name and beside the others.
    pub fn with(given: impl IntoIterator<Item = Upstream>) -> Self {
        let built_in = BUILT_IN.into_iter().map(|(name, host, path)| Upstream {
            name: name.into(),
            scheme: Scheme::HTTPS,
            authority: Authority::from_static(host),
            base_path: path.to_owned(),
        });
        Self(built_in.chain(given).map(|upstream| (upstream.name.clone(), Arc::new(upstream))).collect())
    }

    /// The upstream of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Upstream> {
        self.0.values().map(|upstream| &**upstream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_upstream_replaces_the_built_in_one_of_its_name() {
        let table = Upstreams::with(["anthropic=http://127.0.0.1:9/base/".parse().unwrap()]);
        let anthropic = table.get("anthropic").unwrap();
        assert_eq!(
            anthropic.uri("/v1/messages?beta=true").unwrap(),
            "http://127.0.0.1:9/base/v1/messages?beta=true"
        );
        assert_eq!(
            table.get("openai").unwrap().uri("/v1/models").unwrap(),
            "https://api.openai.com/v1/models"
        );
        assert_eq!(table.iter().count(), 4);
    }

    #[test]
    fn what_is_no_name_and_url_is_refused() {
        for text in [
            "",
            "anthropic",
            "=http://x",
            "A=http://x",
            "a/b=http://x",
            "-=http://x",
            "a=",
            "a=x",
            "a=ftp://x",
            "a=http://user:password@x",
            "a=http://x/?key=1",
            "a=/path",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_port_follows_from_the_scheme_unless_it_is_given() {
        let port = |text: &str| text.parse::<Upstream>().unwrap().port();
        assert_eq!((port("a=http://x"), port("a=https://x"), port("a=https://x:1")), (80, 443, 1));
    }
}
