//! What one attempt came to: the only place that reads meaning into a reply.
//!
//! | reply | outcome | why |
//! | --- | --- | --- |
//! | 2xx, empty or an `ExportMetricsServiceResponse` | delivered, partial | rejected points are never sent again |
//! | 2xx, HTML or anything else | misconfigured | a login page or a captive portal, which took nothing |
//! | 429, 502, 503, 504 | retryable | the four that OTLP names |
//! | 408, no reply at all | retryable | the server never had the whole request |
//! | 401, 403, 407 | refused | the next request with the same credentials will fare no better |
//! | 413 | too large | parts of it may pass |
//! | 400, 422 on the samples' age | too old | newer samples may pass |
//! | 400 on the path | misconfigured | VictoriaMetrics' way of saying 404 |
//! | other 400, 422 | poison | one metric spoils the rest |
//! | 3xx, other 4xx, other 5xx | misconfigured | no OTLP endpoint at work there; OTLP forbids a quick retry |

use std::time::Duration;

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use serde::{Deserialize, Serialize};

use super::{
    retry_after,
    transport::{Reply, SendError},
};

/// What one attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was taken.
    Delivered,
    /// Everything was taken but this many points, which stay out.
    Partial {
        /// Points that the destination rejected.
        rejected: u64,
    },
    /// The same request may pass later.
    Retryable {
        /// How long the server asked to wait.
        after: Option<Duration>,
    },
    /// Smaller requests may pass.
    TooLarge,
    /// Requests with newer points may pass.
    TooOld,
    /// The credentials are missing, wrong or insufficient.
    Refused,
    /// The address does not lead to an OTLP endpoint that accepts what we send.
    Misconfigured,
    /// The content was not accepted.
    Poison,
}

/// An outcome without its details, for records and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// See [`Outcome::Delivered`].
    Delivered,
    /// See [`Outcome::Partial`].
    Partial,
    /// See [`Outcome::Retryable`].
    Retryable,
    /// See [`Outcome::TooLarge`].
    TooLarge,
    /// See [`Outcome::TooOld`].
    TooOld,
    /// See [`Outcome::Refused`].
    Refused,
    /// See [`Outcome::Misconfigured`].
    Misconfigured,
    /// See [`Outcome::Poison`].
    Poison,
}

impl Outcome {
    /// Its kind.
    pub fn kind(self) -> OutcomeKind {
        match self {
            Self::Delivered => OutcomeKind::Delivered,
            Self::Partial { .. } => OutcomeKind::Partial,
            Self::Retryable { .. } => OutcomeKind::Retryable,
            Self::TooLarge => OutcomeKind::TooLarge,
            Self::TooOld => OutcomeKind::TooOld,
            Self::Refused => OutcomeKind::Refused,
            Self::Misconfigured => OutcomeKind::Misconfigured,
            Self::Poison => OutcomeKind::Poison,
        }
    }
}

impl OutcomeKind {
    /// As it stands in logs and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Partial => "partial",
            Self::Retryable => "retryable",
            Self::TooLarge => "too_large",
            Self::TooOld => "too_old",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
            Self::Poison => "poison",
        }
    }
}

/// Classifies an attempt; `now` is what an HTTP date in `Retry-After` is measured against.
pub fn classify(attempt: &Result<Reply, SendError>, now: UnixMillis) -> Outcome {
    let Ok(reply) = attempt else { return Outcome::Retryable { after: None } };
    match reply.status {
        200..=299 => accepted(reply),
        408 | 429 | 502 | 503 | 504 => Outcome::Retryable {
            after: reply.retry_after.as_deref().and_then(|value| retry_after::parse(value, now)),
        },
        401 | 403 | 407 => Outcome::Refused,
        413 => Outcome::TooLarge,
        400 | 422 if says(&reply.body, &ABOUT_AGE) => Outcome::TooOld,
        400 if says(&reply.body, &["unsupported path"]) => Outcome::Misconfigured,
        400 | 422 => Outcome::Poison,
        _ => Outcome::Misconfigured,
    }
}

fn accepted(reply: &Reply) -> Outcome {
    let content_type = reply.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    if reply.body.is_empty() {
        return Outcome::Delivered;
    }
    let rejected = if content_type.contains("json") {
        json_rejected(&reply.body)
    } else {
        protobuf_rejected(&reply.body)
    };
    match rejected {
        // Nothing rejected: at most a warning in words.
        Some(..=0) => Outcome::Delivered,
        Some(rejected) => Outcome::Partial { rejected: rejected.unsigned_abs() },
        None => Outcome::Misconfigured,
    }
}

fn protobuf_rejected(body: &[u8]) -> Option<i64> {
    let response = ExportMetricsServiceResponse::decode(body).ok()?;
    Some(response.partial_success.map_or(0, |partial| partial.rejected_data_points))
}

/// Some servers answer in JSON whatever they were asked in. 64-bit numbers are strings there.
fn json_rejected(body: &[u8]) -> Option<i64> {
    let response: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let Some(rejected) = response.get("partialSuccess").and_then(|partial| partial.get("rejectedDataPoints"))
    else {
        return Some(0);
    };
    rejected.as_i64().or_else(|| rejected.as_str()?.parse().ok())
}

/// What Prometheus, Mimir, Thanos and VictoriaMetrics say about samples that come too late.
const ABOUT_AGE: [&str; 5] =
    ["out of order", "too old", "out of bounds", "too far in the past", "duplicate sample for timestamp"];

/// Whether one of the phrases stands in `body`, which may be plain text or a protobuf status with a text inside.
fn says(body: &[u8], phrases: &[&str]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase().replace(['-', '_'], " ");
    phrases.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    use super::*;

    const NOW: UnixMillis = UnixMillis(784_111_777_000);

    fn reply(status: u16, content_type: Option<&str>, body: &[u8]) -> Outcome {
        let reply = Reply {
            status,
            content_type: content_type.map(str::to_owned),
            retry_after: None,
            body: body.to_vec().into(),
        };
        classify(&Ok(reply), NOW)
    }

    fn partial(rejected: i64, message: &str) -> Vec<u8> {
        ExportMetricsServiceResponse {
            partial_success: Some(ExportMetricsPartialSuccess {
                rejected_data_points: rejected,
                error_message: message.to_owned(),
            }),
        }
        .encode_to_vec()
    }

    #[test]
    fn every_status_has_its_outcome() {
        let retryable = Outcome::Retryable { after: None };
        for status in 100..=599 {
            let expected = match status {
                200..=299 => Outcome::Delivered,
                408 | 429 | 502 | 503 | 504 => retryable,
                401 | 403 | 407 => Outcome::Refused,
                413 => Outcome::TooLarge,
                400 | 422 => Outcome::Poison,
                100..=199 | 300..=599 => Outcome::Misconfigured,
                0..=99 | 600.. => unreachable!("not in the range"),
            };
            assert_eq!(reply(status, None, b""), expected, "{status}");
        }
    }

    #[test]
    fn no_reply_is_retryable() {
        for error in [SendError::Timeout, SendError::Broken, SendError::Connect("refused".into())] {
            assert_eq!(classify(&Err(error), NOW), Outcome::Retryable { after: None });
        }
    }

    #[test]
    fn a_success_counts_only_if_its_body_is_an_answer() {
        let html = b"<!doctype html><title>Sign in</title>".as_slice();
        for (content_type, body, expected) in [
            (Some("application/x-protobuf"), b"".as_slice(), Outcome::Delivered),
            (Some("text/html"), html, Outcome::Misconfigured),
            (None, html, Outcome::Misconfigured),
            (Some("application/x-protobuf"), b"\x0a\x05\x01".as_slice(), Outcome::Misconfigured),
            (Some("application/json"), b"{}".as_slice(), Outcome::Delivered),
            (Some("application/json"), b"{\"partialSuccess\":{}}".as_slice(), Outcome::Delivered),
            (
                Some("application/json; charset=utf-8"),
                b"{\"partialSuccess\":{\"rejectedDataPoints\":\"3\"}}".as_slice(),
                Outcome::Partial { rejected: 3 },
            ),
            (Some("application/json"), b"[]".as_slice(), Outcome::Misconfigured),
            (Some("application/json"), b"nonsense".as_slice(), Outcome::Misconfigured),
        ] {
            assert_eq!(reply(200, content_type, body), expected, "{content_type:?} {body:?}");
        }
        // Field 1 (length-delimited, 2 bytes) holding field 1 (varint) = 7: written by hand.
        assert_eq!(reply(200, None, b"\x0a\x02\x08\x07"), Outcome::Partial { rejected: 7 });
        assert_eq!(reply(200, None, &partial(0, "a warning")), Outcome::Delivered);
        assert_eq!(reply(200, None, &partial(-1, "")), Outcome::Delivered);
    }

    #[test]
    fn a_bad_request_about_age_is_too_old_and_any_other_is_poison() {
        for (body, expected) in [
            (b"out of order sample".as_slice(), Outcome::TooOld),
            (
                b"the sample has been rejected (err-mimir-sample-timestamp-too-old)".as_slice(),
                Outcome::TooOld,
            ),
            (b"Out-Of-Order".as_slice(), Outcome::TooOld),
            (b"\x08\x03\x12\x0dout of bounds".as_slice(), Outcome::TooOld),
            (b"duplicate sample for timestamp".as_slice(), Outcome::TooOld),
            (b"invalid temporality and type combination".as_slice(), Outcome::Poison),
            (b"\xff\xfe".as_slice(), Outcome::Poison),
        ] {
            assert_eq!(reply(400, None, body), expected, "{body:?}");
            assert_eq!(reply(422, None, body), expected, "{body:?}");
        }
        assert_eq!(reply(500, None, b"out of order"), Outcome::Misconfigured);
        let wrong_path = b"unsupported path requested: \"/v1/metrics\"";
        assert_eq!(reply(400, None, wrong_path), Outcome::Misconfigured);
    }

    #[test]
    fn retry_after_is_passed_on() {
        for (value, after) in [("17", Some(17)), ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)), ("-2", None)] {
            let reply =
                Reply { status: 503, content_type: None, retry_after: Some(value.into()), body: "".into() };
            let after = after.map(Duration::from_secs);
            assert_eq!(classify(&Ok(reply), NOW), Outcome::Retryable { after });
        }
    }
}
