//! One request to a destination: the narrow door to the network.

use std::{error::Error, fmt, path::Path, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, Uri,
    body::Incoming,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;

use super::{
    destination::Destination,
    endpoint::Endpoint,
    payload::Compression,
    tls::{self, TlsError},
};

/// How we introduce ourselves.
const PRODUCT: &str = concat!("ccxray-exporter/", env!("CARGO_PKG_VERSION"));

/// As much of a reply's body as is read. The longest that means something is a line of explanation.
const REPLY_CAP: usize = 64 << 10;

/// How long an idle connection is kept: longer than the interval between two pushes.
const IDLE: Duration = Duration::from_secs(90);

/// Longest explanation of a failed connection that is passed on.
const DETAIL_CAP: usize = 200;

/// Sends encoded requests to one destination.
pub trait Transport: Send + Sync + 'static {
    /// Makes one attempt, within the destination's timeout. Dropping the future gives it up at once.
    fn send(&self, body: Bytes) -> impl Future<Output = Result<Reply, SendError>> + Send;
}

/// What of a reply has a meaning for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// `content-type`.
    pub content_type: Option<String>,
    /// `retry-after`.
    pub retry_after: Option<String>,
    /// The body, up to 64 KiB, never decompressed.
    pub body: Bytes,
}

/// No reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Not in time. The request may or may not have been taken.
    #[error("no complete reply in time")]
    Timeout,
    /// No connection: name, address or certificate.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke off. The request may or may not have been taken.
    #[error("connection broke off")]
    Broken,
}

/// The real thing: HTTP/1.1, over TLS if the endpoint says so. Follows no redirect and asks no proxy.
pub struct HttpTransport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Uri,
    method: Method,
    headers: HeaderMap,
    timeout: Duration,
}

impl HttpTransport {
    /// A transport to `destination`; it connects when something is sent.
    pub fn new(destination: &Destination) -> Result<Self, TlsError> {
        let headers = request_headers(destination);
        let extra_ca = destination.extra_ca.as_deref();
        Self::with(&destination.endpoint, Method::POST, headers, extra_ca, destination.timeout)
    }

    /// A transport for requests of another kind than OTLP's.
    pub fn with(
        endpoint: &Endpoint,
        method: Method,
        mut headers: HeaderMap,
        extra_ca: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, TlsError> {
        let endpoint = endpoint.expose().clone();
        headers.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
        let tls = if endpoint.scheme_str() == Some("https") {
            tls::client_config(extra_ca)?
        } else {
            tls::distrustful_config()?
        };
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .build(connector);
        Ok(Self { client, endpoint, method, headers, timeout })
    }

    async fn exchange(&self, body: Bytes) -> Result<Reply, SendError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() { SendError::Connect(root_cause(&error)) } else { SendError::Broken }
        })?;
        read_reply(response).await
    }
}

impl Transport for HttpTransport {
    async fn send(&self, body: Bytes) -> Result<Reply, SendError> {
        timeout(self.timeout, self.exchange(body)).await.unwrap_or(Err(SendError::Timeout))
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

/// Ours last, so that a configured header cannot change what the body is.
fn request_headers(destination: &Destination) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &destination.headers {
        headers.append(name, value.expose().clone());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    if destination.compression == Compression::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers
}

async fn read_reply(response: Response<Incoming>) -> Result<Reply, SendError> {
    let (head, mut incoming) = response.into_parts();
    let mut body = BytesMut::new();
    while body.len() < REPLY_CAP {
        match incoming.frame().await {
            Some(Ok(frame)) => body.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            // Only of a success does the body decide anything.
            Some(Err(_)) if head.status.is_success() => return Err(SendError::Broken),
            Some(Err(_)) | None => break,
        }
    }
    body.truncate(REPLY_CAP);
    Ok(Reply {
        status: head.status.as_u16(),
        content_type: text(&head.headers, &CONTENT_TYPE),
        retry_after: text(&head.headers, &RETRY_AFTER),
        body: body.freeze(),
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The innermost error says what happened; those around it say only that something did.
fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().chars().filter(|c| !c.is_control()).take(DETAIL_CAP).collect()
}
