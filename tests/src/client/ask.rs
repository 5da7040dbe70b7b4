//! One request of Claude Code's shape.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::wire::base64;

/// A session for tests in which only one matters.
pub const SESSION: &str = "11111111-2222-4333-8444-555555555555";

/// A request that can be varied before it is sent.
#[derive(Clone, Debug)]
pub struct Ask {
    /// `POST`, unless it is a probe.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// The headers, but for `host` and the body's length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Ask {
    /// A step of the conversation that these messages make, as a stream.
    pub fn turn(session: &str, model: &str, messages: &Value) -> Self {
        let mut body = body(session, model, messages);
        body["stream"] = json!(true);
        Self::messages(session, &body)
    }

    /// A step of the conversation, as one JSON object.
    pub fn whole_turn(session: &str, model: &str, messages: &Value) -> Self {
        Self::messages(session, &body(session, model, messages))
    }

    /// The first step of a conversation of [`SESSION`] with the model that most tests use.
    pub fn simple(text: &str) -> Self {
        Self::turn(SESSION, "claude-opus-4-8", &json!([{"role": "user", "content": text}]))
    }

    /// A count of the tokens of a text.
    pub fn token_count(session: &str, model: &str, text: &str) -> Self {
        let body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
        Self { target: "/v1/messages/count_tokens?beta=true".into(), ..Self::messages(session, &body) }
    }

    /// The probe at the client's start, without a word of who asks.
    pub fn probe() -> Self {
        let headers = vec![("user-agent".into(), "Bun/1.4.0".into()), ("accept".into(), "*/*".into())];
        Self { method: "HEAD", target: "/".into(), headers, body: Bytes::new() }
    }

    /// A plain GET.
    pub fn get(target: &str) -> Self {
        Self { method: "GET", target: target.into(), headers: vec![], body: Bytes::new() }
    }

    /// With this header, instead of one of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With the stamp of this project's directory.
    #[must_use]
    pub fn from_dir(self, dir: &Path) -> Self {
        let text = base64(dir.as_os_str().as_encoded_bytes()).replace('+', "-").replace('/', "_");
        self.header("x-ccxray-dir", text.trim_end_matches('='))
    }

    /// With this working directory, stated where Claude Code states it.
    #[must_use]
    pub fn stating_dir(self, dir: &str) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).expect("the body is JSON");
        let text = &mut body["system"][2]["text"];
        *text = json!(format!("{}\n - Primary working directory: {dir}", text.as_str().unwrap_or_default()));
        Self { body: body.to_string().into(), ..self }
    }

    /// With this path and query.
    #[must_use]
    pub fn target(self, target: &str) -> Self {
        Self { target: target.into(), ..self }
    }

    fn messages(session: &str, body: &Value) -> Self {
        let headers = [
            ("accept", "application/json"),
            ("accept-encoding", "gzip, deflate, br, zstd"),
            ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14"),
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
            ("user-agent", "claude-cli/2.1.197 (external, sdk-cli)"),
            ("x-api-key", "sk-ant-made-up"),
            ("x-app", "cli"),
            ("x-claude-code-session-id", session),
            ("x-stainless-retry-count", "0"),
        ];
        Self {
            method: "POST",
            target: "/v1/messages?beta=true".into(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            body: body.to_string().into(),
        }
    }
}

fn body(session: &str, model: &str, messages: &Value) -> Value {
    let user = json!({"device_id": "0123abcd", "account_uuid": "", "session_id": session}).to_string();
    let tool =
        |name: &str| json!({"name": name, "description": "A tool.", "input_schema": {"type": "object"}});
    json!({
        "model": model,
        "messages": messages,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.197.b0b; cc_entrypoint=sdk-cli;"},
            {"type": "text", "text": "You are a Claude agent, built on Anthropic's Claude Agent SDK."},
            {"type": "text", "text": "\nYou are an interactive agent that helps users with their work."},
        ],
        "tools": [tool("Bash"), tool("Read"), tool("Edit"), tool("mcp__demo__echo")],
        "metadata": {"user_id": user},
        "max_tokens": 32000,
    })
}
