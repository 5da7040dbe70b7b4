//! Answers that are not a message.

use serde_json::{Value, json};

use super::{Answer, Milestone, Piece};

impl Answer {
    /// An error in Anthropic's shape.
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        let tells = vec![failed(kind, message)];
        let bytes = error_json(kind, message).to_string().into_bytes();
        Self::new(status, "application/json", vec![Piece { bytes, tells }])
    }

    /// The conversation no longer fits into the model.
    pub fn prompt_too_long() -> Self {
        Self::error(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum")
    }

    /// Too many requests; try again after so many seconds.
    pub fn rate_limited(retry_after: u32) -> Self {
        Self::error(429, "rate_limit_error", "slow down").header("retry-after", &retry_after.to_string())
    }

    /// The provider has too much to do.
    pub fn overloaded() -> Self {
        Self::error(529, "overloaded_error", "Overloaded")
    }

    /// What an intermediary's gateway says when it finds nothing behind it.
    pub fn html_bad_gateway() -> Self {
        let bytes = b"<html><head><title>502</title></head><body>Bad Gateway</body></html>".to_vec();
        Self::new(502, "text/html", vec![Piece { bytes, tells: vec![] }])
    }

    /// A count of tokens.
    pub fn token_count(tokens: u64) -> Self {
        Self::json(&json!({"input_tokens": tokens}))
    }

    /// Any JSON that means nothing to the metrics.
    pub fn json(body: &Value) -> Self {
        Self::json_with(200, body)
    }

    /// The same with another status.
    pub fn json_with(status: u16, body: &Value) -> Self {
        let bytes = body.to_string().into_bytes();
        Self::new(status, "application/json", vec![Piece { bytes, tells: vec![] }])
    }

    /// The first `pieces` of a stream, and then an error inside it instead of the rest.
    #[must_use]
    pub fn fails_in_stream_after(mut self, pieces: usize, kind: &str, message: &str) -> Self {
        self.pieces.truncate(pieces);
        let tells = vec![failed(kind, message)];
        self.pieces.push(Piece::event("error", &error_json(kind, message), tells));
        self
    }
}

fn failed(kind: &str, message: &str) -> Milestone {
    Milestone::Failed { kind: kind.into(), context_length: message.starts_with("prompt is too long") }
}

fn error_json(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_0123456789"})
}
