//! The listener on loopback, and who may talk to it.
//!
//! It answers one request per connection, for a bounded number of connections of bounded duration: a stuck client
//! can take neither memory nor the page from the others.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use ccxray_shared::daemon::guard::{Guard, RefusedError};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Incoming,
    header::{HOST, HeaderValue, ORIGIN},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    past::Past,
    routes::{self, Answer, LocalData},
};

/// Connections at a time. Further ones wait in the kernel's backlog.
const MOST_CONNECTIONS: usize = 32;

/// For the request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);

/// For a connection in all.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// After a failed accept, which means that there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Whoever reaches that address would see the figures without anybody's consent.
    #[error("local page on {address}: only a loopback address is served, for example 127.0.0.1:9464")]
    NotLoopback {
        /// Which.
        address: SocketAddr,
    },
    /// In use, or not ours.
    #[error("failed to listen on {address} for the local page; name another with --local, or `--local off`")]
    Io {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A bound listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
}

/// Binds `address`; port 0 takes a free one.
pub async fn bind(address: SocketAddr, guard: Guard) -> Result<Server, BindError> {
    if !address.ip().is_loopback() {
        return Err(BindError::NotLoopback { address });
    }
    let error = |source| BindError::Io { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let address = listener.local_addr().map_err(error)?;
    Ok(Server { listener, address, guard })
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for ever. Dropping the future closes the listener and all connections.
    pub async fn serve(self, data: impl LocalData) -> Infallible {
        let door = Arc::new(Door { address: self.address, guard: self.guard, data, past: Past::default() });
        let free = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut sampling = JoinSet::new();
        sampling.spawn(Arc::clone(&door).sample());
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let permit = Arc::clone(&free).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    connections.spawn(Arc::clone(&door).connection(stream, permit));
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection to the local page");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// What every connection shares.
struct Door<D> {
    address: SocketAddr,
    guard: Guard,
    data: D,
    past: Past,
}

impl<D: LocalData> Door<D> {
    async fn sample(self: Arc<Self>) -> Infallible {
        self.past.sample(&self.data).await
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, _permit: Option<OwnedSemaphorePermit>) {
        let service = service_fn(|request| {
            let door = Arc::clone(&self);
            async move { Ok::<_, Infallible>(door.answer(&request).await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        match timeout(CONNECTION_TIMEOUT, served).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "connection to the local page broke off"),
            Err(_) => tracing::debug!("connection to the local page took too long"),
        }
    }

    async fn answer(&self, request: &Request<Incoming>) -> Answer {
        match self.check(request.headers()) {
            Ok(()) => routes::answer(request.method(), request.uri().path(), &self.data, &self.past).await,
            Err(refusal) => routes::text(StatusCode::FORBIDDEN, format!("{refusal}\n")),
        }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), RefusedError> {
        let all = |name| headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        let fetch_site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        self.guard.check(Some(self.address), all(HOST), all(ORIGIN), fetch_site)
    }
}
