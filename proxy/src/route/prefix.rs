//! Stamps: how a launcher says which upstream an agent's requests are for, which project they belong to and
//! what its user allows.
//!
//! ```text
//! /_ccxray/<upstream>[/dir/<base64url>][/tier/<n>][/agent-otel/<0|1>]/-/<rest>
//! ```
//!
//! or, for programs whose base URL cannot be changed, the headers `x-ccxray-dir`, `x-ccxray-tier` and
//! `x-ccxray-agent-otel`. A stamp that is not understood is refused rather than ignored: it may have lowered
//! what may be sent.

use std::fmt::Write;

use hyper::{HeaderMap, header::HeaderValue};

use super::{base64url, stamp::Attribution};

/// What every stamped path begins with.
const PREFIX: &str = "/_ccxray/";
/// The headers that stamp a request. They never reach an upstream.
pub const STAMP_HEADERS: [&str; 3] = ["x-ccxray-dir", "x-ccxray-tier", "x-ccxray-agent-otel"];
/// The longest directory that is taken, in bytes: Linux's own limit.
const MAX_DIR: usize = 4096;
/// The highest tier that there is.
const MAX_TIER: u8 = 2;

/// A stamp that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ccxray stamp is malformed; use `ccxray-proxy env` to make one")]
pub struct MalformedStampError;

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped<'p> {
    /// The upstream's name.
    pub upstream: &'p str,
    /// The stamps.
    pub attribution: Attribution,
    /// What the client asked for, from its slash on, with the query.
    pub rest: &'p str,
}

/// The prefix that stamps requests for `upstream`, as it stands before a path. Refused is a directory that
/// [`parse`] would refuse.
pub fn write(upstream: &str, stamps: &Attribution) -> Result<String, MalformedStampError> {
    let mut prefix = format!("{PREFIX}{upstream}");
    if let Some(stamped) = &stamps.dir {
        let encoded = base64url::encode(stamped.as_bytes());
        dir(&encoded)?;
        let _ = write!(prefix, "/dir/{encoded}");
    }
    if let Some(tier) = stamps.tier_cap {
        let _ = write!(prefix, "/tier/{tier}");
    }
    if stamps.agent_otel {
        prefix.push_str("/agent-otel/1");
    }
    prefix.push_str("/-");
    Ok(prefix)
}

/// Takes the prefix off `path_and_query`. None if it has no prefix. A prefix with nothing after it asks for `/`, as
/// a base URL without a path does.
pub fn parse(path_and_query: &str) -> Result<Option<Stamped<'_>>, MalformedStampError> {
    let Some(stamped) = path_and_query.strip_prefix(PREFIX) else { return Ok(None) };
    let (upstream, mut left) = segment(stamped)?;
    let mut stamps = Stamps::default();
    let rest = loop {
        if left == "-" {
            break "/";
        }
        let (key, more) = segment(left)?;
        if key == "-" {
            break &left[key.len()..];
        }
        let (value, more) = segment(more)?;
        stamps.set(key, value)?;
        left = more;
    };
    Ok(Some(Stamped { upstream, attribution: stamps.attribution()?, rest }))
}

/// The stamps in `headers`.
pub fn from_headers(headers: &HeaderMap) -> Result<Attribution, MalformedStampError> {
    let mut stamps = Stamps::default();
    for name in STAMP_HEADERS {
        for value in headers.get_all(name) {
            stamps.set(&name["x-ccxray-".len()..], text(value)?)?;
        }
    }
    stamps.attribution()
}

/// The stamps of path and headers together: the path's directory goes first, the lower tier wins.
pub fn merge(path: Attribution, headers: Attribution) -> Attribution {
    Attribution {
        dir: path.dir.or(headers.dir),
        tier_cap: path.tier_cap.into_iter().chain(headers.tier_cap).min(),
        agent_otel: path.agent_otel || headers.agent_otel,
    }
}

fn segment(text: &str) -> Result<(&str, &str), MalformedStampError> {
    let (segment, rest) = text.split_once('/').ok_or(MalformedStampError)?;
    let whole = !segment.is_empty() && !segment.contains('?');
    whole.then_some((segment, rest)).ok_or(MalformedStampError)
}

fn text(value: &HeaderValue) -> Result<&str, MalformedStampError> {
    value.to_str().map_err(|_| MalformedStampError)
}

/// The stamps as they stand, each at most once.
#[derive(Default)]
struct Stamps<'s> {
    dir: Option<&'s str>,
    tier: Option<&'s str>,
    agent_otel: Option<&'s str>,
}

impl<'s> Stamps<'s> {
    fn set(&mut self, key: &str, value: &'s str) -> Result<(), MalformedStampError> {
        let place = match key {
            "dir" => &mut self.dir,
            "tier" => &mut self.tier,
            "agent-otel" => &mut self.agent_otel,
            _ => return Err(MalformedStampError),
        };
        if place.replace(value).is_some() { Err(MalformedStampError) } else { Ok(()) }
    }

    fn attribution(&self) -> Result<Attribution, MalformedStampError> {
        Ok(Attribution {
            dir: self.dir.map(dir).transpose()?,
            tier_cap: self.tier.map(tier).transpose()?,
            agent_otel: self.agent_otel.map(flag).transpose()?.unwrap_or_default(),
        })
    }
}

fn dir(encoded: &str) -> Result<String, MalformedStampError> {
    base64url::decode(encoded)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|dir| dir.starts_with('/') && dir.len() <= MAX_DIR && !dir.contains(char::is_control))
        .ok_or(MalformedStampError)
}

fn tier(text: &str) -> Result<u8, MalformedStampError> {
    let tier = (text.len() == 1).then(|| text.parse().ok()).flatten();
    tier.filter(|tier| *tier <= MAX_TIER).ok_or(MalformedStampError)
}

fn flag(text: &str) -> Result<bool, MalformedStampError> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(MalformedStampError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/home/u/p`, encoded with coreutils' `basenc --base64url`.
    const DIR: &str = "L2hvbWUvdS9w";

    #[test]
    fn a_prefix_is_taken_off_and_its_stamps_are_read() {
        let path = format!("/_ccxray/anthropic/dir/{DIR}/tier/0/agent-otel/1/-/v1/messages?beta=true");
        let stamped = parse(&path).unwrap().unwrap();
        assert_eq!(stamped.upstream, "anthropic");
        assert_eq!(stamped.rest, "/v1/messages?beta=true");
        assert_eq!(
            stamped.attribution,
            Attribution { dir: Some("/home/u/p".into()), tier_cap: Some(0), agent_otel: true }
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let stamps = Attribution { dir: Some("/home/u/p".into()), tier_cap: Some(0), agent_otel: true };
        let prefix = write("anthropic", &stamps).unwrap();
        assert_eq!(prefix, format!("/_ccxray/anthropic/dir/{DIR}/tier/0/agent-otel/1/-"));
        assert_eq!(parse(&prefix).unwrap().unwrap().attribution, stamps);
        assert_eq!(write("openai", &Attribution::default()).unwrap(), "/_ccxray/openai/-");
        for dir in ["relative", "/two\nlines", &format!("/{}", "x".repeat(MAX_DIR))] {
            let stamps = Attribution { dir: Some(dir.to_owned()), ..Attribution::default() };
            assert_eq!(write("openai", &stamps), Err(MalformedStampError), "{dir}");
        }
    }

    #[test]
    fn the_stamps_are_optional_and_the_first_dash_ends_them() {
        let rest = |path| parse(path).unwrap().map(|stamped| stamped.rest);
        assert_eq!(rest("/_ccxray/openai/-/v1/-/x"), Some("/v1/-/x"));
        assert_eq!(rest("/_ccxray/openai/-/"), Some("/"));
        assert_eq!(rest("/_ccxray/openai/-/?q=1"), Some("/?q=1"));
        assert_eq!(rest("/_ccxray/openai/tier/0/-"), Some("/"));
        assert_eq!(rest("/v1/messages"), None);
        assert_eq!(rest("/_ccxrays/x"), None);
    }

    #[test]
    fn a_prefix_that_is_not_understood_is_refused() {
        for path in [
            "/_ccxray/",
            "/_ccxray/anthropic",
            "/_ccxray/-",
            "/_ccxray/anthropic/-?q=1",
            "/_ccxray//-/v1",
            "/_ccxray/anthropic/v1/messages",
            "/_ccxray/anthropic/colour/red/-/v1",
            "/_ccxray/anthropic/tier/-/v1",
            "/_ccxray/anthropic/tier/3/-/v1",
            "/_ccxray/anthropic/tier/00/-/v1",
            "/_ccxray/anthropic/tier/0/tier/0/-/v1",
            "/_ccxray/anthropic/agent-otel/yes/-/v1",
            "/_ccxray/anthropic/dir/cmVsYXRpdmU/-/v1",
            "/_ccxray/anthropic/dir/L2hvbWUvdS9w==/-/v1",
            "/_ccxray/anthropic/dir/?/-/v1",
        ] {
            assert_eq!(parse(path), Err(MalformedStampError), "{path}");
        }
    }

    #[test]
    fn headers_stamp_too_and_the_lower_tier_wins() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ccxray-dir", HeaderValue::from_static(DIR));
        headers.insert("x-ccxray-tier", HeaderValue::from_static("2"));
        let by_headers = from_headers(&headers).unwrap();
        assert_eq!(by_headers.dir.as_deref(), Some("/home/u/p"));
        let by_path = Attribution { tier_cap: Some(1), ..Attribution::default() };
        assert_eq!(merge(by_path, by_headers.clone()).tier_cap, Some(1));
        assert_eq!(merge(Attribution::default(), by_headers).tier_cap, Some(2));
        headers.insert("x-ccxray-agent-otel", HeaderValue::from_static("perhaps"));
        assert_eq!(from_headers(&headers), Err(MalformedStampError));
    }
}
