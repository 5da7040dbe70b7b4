//! A request as a server saw it.

use std::fmt;

use serde_json::Value;

/// One request, read whole.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// What stands behind the method: the path, and the query if there is one.
    pub target: String,
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer encoding.
    pub body: Vec<u8>,
}

/// For people: without the body, of which only the length is told.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}, {} bytes", self.method, self.target, self.headers, self.body.len())
    }
}

impl Request {
    /// Reads a request's head. Panics if it is none: the harness only ever faces programs under test.
    pub(super) fn parse_head(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, target) = (word(), word());
        assert_eq!(word(), "HTTP/1.1", "the first line of {head:?}");
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { method, target, headers, body: Vec::new() }
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The session that the client names: in its header (Claude Code's or Codex's), else in the body's metadata.
    pub fn session(&self) -> Option<String> {
        if let Some(session) = self.header("x-claude-code-session-id").or_else(|| self.header("session-id")) {
            return Some(session.to_owned());
        }
        let user: Value = serde_json::from_str(self.json()["metadata"]["user_id"].as_str()?).ok()?;
        Some(user["session_id"].as_str()?.to_owned())
    }

    /// The model that the body asks for.
    pub fn model(&self) -> Option<String> {
        Some(self.json()["model"].as_str()?.to_owned())
    }
}
