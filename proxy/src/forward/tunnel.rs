//! The way out through a company's proxy.
//!
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` mean what they mean to curl. TLS goes through the tunnel to the
//! upstream itself, so that the company's proxy sees host names and nothing else. An upstream without TLS is
//! on this machine or next to it, and is always reached directly.

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{Uri, http::uri::Scheme};
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::{Intercept, Matcher},
};
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;
type Connection = <HttpConnector as Service<Uri>>::Response;

/// Which upstreams are reached through which proxy.
#[derive(Clone, Debug)]
pub struct Proxies(Arc<Matcher>);

/// A proxy that is not spoken to in plain HTTP.
#[derive(Debug, thiserror::Error)]
#[error("the proxy that the environment names for `{host}` must be an http:// one")]
pub struct UnsupportedProxyError {
    host: String,
}

/// The proxy did not let us through.
#[derive(Debug, thiserror::Error)]
#[error("no tunnel through the proxy {proxy}")]
struct TunnelFailed {
    proxy: String,
    #[source]
    source: BoxError,
}

impl Proxies {
    /// As the environment says.
    pub fn from_env() -> Self {
        Self::matching(Matcher::from_env())
    }

    /// As `matcher` says.
    pub fn matching(matcher: Matcher) -> Self {
        Self(Arc::new(matcher))
    }

    /// The proxy on the way to `target`, as `host:port`.
    pub fn on_the_way_to(&self, target: &Uri) -> Result<Option<String>, UnsupportedProxyError> {
        let Some(proxy) = self.intercept(target) else { return Ok(None) };
        if proxy.uri().scheme() == Some(&Scheme::HTTP) {
            return Ok(Some(name(&proxy)));
        }
        Err(UnsupportedProxyError { host: target.host().unwrap_or_default().to_owned() })
    }

    fn intercept(&self, target: &Uri) -> Option<Intercept> {
        (target.scheme() == Some(&Scheme::HTTPS)).then(|| self.0.intercept(target)).flatten()
    }
}

/// Never with the user and the password that may stand before it.
fn name(proxy: &Intercept) -> String {
    let (host, port) = (proxy.uri().host().unwrap_or_default(), proxy.uri().port_u16().unwrap_or(80));
    format!("{host}:{port}")
}

/// Connects directly or through a tunnel.
#[derive(Clone, Debug)]
pub struct MaybeTunnel {
    tcp: HttpConnector,
    proxies: Proxies,
}

impl MaybeTunnel {
    /// Connects by `tcp`, to the upstreams or to their `proxies`.
    pub fn new(tcp: HttpConnector, proxies: Proxies) -> Self {
        Self { tcp, proxies }
    }
}

impl Service<Uri> for MaybeTunnel {
    type Response = Connection;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&target) else {
            let connecting = self.tcp.call(target);
            return Box::pin(async { Ok(connecting.await?) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let tunneling = tunnel.call(target);
        Box::pin(async move {
            let failed = |source| TunnelFailed { proxy: name(&proxy), source };
            Ok(tunneling.await.map_err(|error| failed(error.into()))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(matcher: Matcher, target: &'static str) -> Option<String> {
        Proxies::matching(matcher).on_the_way_to(&Uri::from_static(target)).unwrap()
    }

    #[test]
    fn only_tls_takes_the_way_through_the_proxy() {
        let matcher =
            || Matcher::builder().all("http://user:secret@proxy.example:3128").no("10.0.0.0/8,.corp").build();
        assert_eq!(way(matcher(), "https://api.anthropic.com").as_deref(), Some("proxy.example:3128"));
        assert_eq!(way(matcher(), "http://127.0.0.1:8080"), None);
        assert_eq!(way(matcher(), "https://gateway.corp"), None);
        assert_eq!(way(matcher(), "https://10.1.2.3"), None);
        assert_eq!(way(Matcher::builder().build(), "https://api.anthropic.com"), None);
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused() {
        for kind in ["socks5://proxy.example", "https://proxy.example"] {
            let proxies = Proxies::matching(Matcher::builder().https(kind).build());
            assert!(proxies.on_the_way_to(&Uri::from_static("https://api.anthropic.com")).is_err(), "{kind}");
        }
    }
}
