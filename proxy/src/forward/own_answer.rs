//! What the proxy answers on its own, in the shape in which the client expects its provider's errors.

use bytes::Bytes;
use ccxray_shared::entry::Provider;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::response_body::ResponseBody;

/// Marks an answer as the proxy's own, and says which kind of error it is.
pub const ERROR_HEADER: HeaderName = HeaderName::from_static("x-ccxray-error");

/// An error of the proxy's own. Its message never contains anything out of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAnswer {
    /// The status.
    pub status: StatusCode,
    /// A word for programs.
    pub kind: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl OwnAnswer {
    /// The answer for a client of `provider`. The connection ends with it: what else is on it cannot be told.
    pub fn response(&self, provider: Provider) -> Response<ResponseBody> {
        let mut response =
            Response::new(ResponseBody::Own(Full::new(Bytes::from(self.body(provider).to_string()))));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ERROR_HEADER, HeaderValue::from_static(self.kind));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    fn body(&self, provider: Provider) -> Value {
        let message = format!("ccxray-proxy: {}", self.message);
        match provider {
            Provider::Anthropic => {
                json!({"type": "error", "error": {"type": self.anthropic_type(), "message": message}})
            }
            Provider::Gemini => {
                json!({"error": {"code": self.status.as_u16(), "message": message, "status": self.google_status()}})
            }
            Provider::OpenAi | Provider::Other => {
                json!({"error": {"message": message, "type": self.openai_type(), "param": null, "code": self.kind}})
            }
        }
    }

    fn anthropic_type(&self) -> &'static str {
        match self.status {
            StatusCode::FORBIDDEN => "permission_error",
            StatusCode::NOT_FOUND => "not_found_error",
            StatusCode::GATEWAY_TIMEOUT => "timeout_error",
            status if status.is_client_error() => "invalid_request_error",
            _ => "api_error",
        }
    }

    fn openai_type(&self) -> &'static str {
        if self.status.is_client_error() { "invalid_request_error" } else { "server_error" }
    }

    fn google_status(&self) -> &'static str {
        match self.status {
            StatusCode::FORBIDDEN => "PERMISSION_DENIED",
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::GATEWAY_TIMEOUT => "DEADLINE_EXCEEDED",
            status if status.is_client_error() => "INVALID_ARGUMENT",
            _ => "UNAVAILABLE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_gets_the_shape_of_its_provider() {
        let answer = OwnAnswer { status: StatusCode::BAD_GATEWAY, kind: "unreachable", message: "x".into() };
        assert_eq!(
            answer.body(Provider::Anthropic),
            json!({"type": "error", "error": {"type": "api_error", "message": "ccxray-proxy: x"}})
        );
        assert_eq!(
            answer.body(Provider::OpenAi),
            json!({"error": {"message": "ccxray-proxy: x", "type": "server_error", "param": null, "code": "unreachable"}})
        );
        assert_eq!(
            answer.body(Provider::Gemini),
            json!({"error": {"code": 502, "message": "ccxray-proxy: x", "status": "UNAVAILABLE"}})
        );
    }

    #[test]
    fn an_own_answer_is_marked_as_such() {
        let answer =
            OwnAnswer { status: StatusCode::GATEWAY_TIMEOUT, kind: "connect_timeout", message: "x".into() };
        let response = answer.response(Provider::Anthropic);
        assert_eq!(
            (response.status(), &response.headers()[ERROR_HEADER]),
            (StatusCode::GATEWAY_TIMEOUT, &HeaderValue::from_static("connect_timeout"))
        );
    }
}
