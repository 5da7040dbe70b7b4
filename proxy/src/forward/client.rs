//! The connections to the upstreams.
//!
//! HTTP/1.1, kept alive and reused. A request goes out again only if it met a reused connection that was
//! already closed and not one byte of it had been written: `hyper-util` gives a request back for a second try
//! only then, and never after its encoder has seen it.

use std::{
    error::Error,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use tower_service::Service;

use super::{
    request_body::RequestBody,
    tunnel::{MaybeTunnel, Proxies},
};

/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_mins(1);

/// How often the system asks a silent upstream whether it is still there. A laptop that was asleep or has changed
/// its network would otherwise wait for ever for an answer that cannot come any more.
const PROBE: Duration = Duration::from_secs(30);

type Tls = HttpsConnector<MaybeTunnel>;

/// The client that all exchanges share.
pub type UpstreamClient = Client<WithDeadline<Tls>, RequestBody>;

/// Makes the client. A connection must stand, TLS included, within `connect_timeout`; for everything after that
/// there is no timeout, because models think for minutes.
pub fn build(tls: ClientConfig, proxies: Proxies, connect_timeout: Duration) -> UpstreamClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(PROBE));
    tcp.set_keepalive_interval(Some(PROBE));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(MaybeTunnel::new(tcp, proxies));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http1_preserve_header_case(true)
        .set_host(false)
        .build(WithDeadline { inner: connector, limit: connect_timeout })
}

/// A connector that gives up after a while.
#[derive(Clone, Debug)]
pub struct WithDeadline<C> {
    inner: C,
    limit: Duration,
}

type BoxError = Box<dyn Error + Send + Sync>;

impl<C> Service<Uri> for WithDeadline<C>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.inner.call(uri));
        Box::pin(async move {
            match connecting.await {
                Ok(connected) => connected.map_err(Into::into),
                Err(late) => Err(io::Error::new(io::ErrorKind::TimedOut, late).into()),
            }
        })
    }
}
