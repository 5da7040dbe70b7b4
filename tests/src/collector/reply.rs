//! What a collector says to a push.

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;

/// An answer to a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// Takes all of it.
    #[default]
    Accept,
    /// Says that so many points were refused, in a success.
    Partial(i64),
    /// Answers with this status, and `retry-after` if given.
    Status(u16, Option<u32>),
    /// Says that pushes are to go to this address.
    Redirect(String),
    /// Takes all of it, and then never answers.
    Hang,
    /// Reads the request and closes the connection.
    Close,
}

impl Reply {
    /// Whether a backend that answers so has stored the points.
    pub(super) fn stores(&self) -> bool {
        match self {
            Self::Accept | Self::Partial(_) => true,
            Self::Status(..) | Self::Redirect(_) | Self::Hang | Self::Close => false,
        }
    }

    /// The bytes to send; none if nothing is to be sent.
    pub(super) fn wire(&self) -> Option<Vec<u8>> {
        match self {
            Self::Accept => Some(success(&ExportMetricsServiceResponse::default())),
            Self::Partial(rejected_data_points) => {
                let error_message = "some points were refused".to_owned();
                let partial = ExportMetricsPartialSuccess {
                    rejected_data_points: *rejected_data_points,
                    error_message,
                };
                Some(success(&ExportMetricsServiceResponse { partial_success: Some(partial) }))
            }
            Self::Status(status, retry_after) => {
                let retry_after = retry_after.map(|s| format!("retry-after: {s}\r\n")).unwrap_or_default();
                Some(format!("HTTP/1.1 {status} No\r\n{retry_after}content-length: 0\r\n\r\n").into_bytes())
            }
            Self::Redirect(to) => Some(
                format!("HTTP/1.1 307 There\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes(),
            ),
            Self::Hang | Self::Close => None,
        }
    }
}

fn success(response: &ExportMetricsServiceResponse) -> Vec<u8> {
    let body = response.encode_to_vec();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
