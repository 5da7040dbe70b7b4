//! What Codex is told that it cannot have here.

use serde_json::json;

use crate::upstream::{Answer, Milestone, Piece};

/// Without a body: Codex leaves as soon as it has the head, so whether a body would still be passed on is left to chance.
pub(in crate::upstream) fn upgrade_refused() -> Answer {
    Answer::new(426, "application/json", vec![])
}

/// An error in OpenAI's shape.
pub(in crate::upstream) fn not_found() -> Answer {
    let kind = "invalid_request_error";
    let error =
        json!({"error": {"message": "no such thing", "type": kind, "param": null, "code": "not_found"}});
    let tells = vec![Milestone::Failed { kind: kind.into(), context_length: false }];
    Answer::new(404, "application/json", vec![Piece { bytes: error.to_string().into_bytes(), tells }])
}
