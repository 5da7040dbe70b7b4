//! A proxy inside the test's own process, and peers that speak HTTP by hand.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use ccxray_proxy::{
    forward::{client, forwarder::Forwarder, tls, tunnel::Proxies},
    listen::{
        acceptor::Acceptor,
        address::ListenAddress,
        drain::{Drain, InFlight},
    },
    record::{
        channel::{Limits, channel},
        exchange::{Closing, Message},
        gauges::ProxyGauges,
    },
    route::upstream::Upstreams,
};
use ccxray_shared::daemon::guard::Guard;
use crossbeam_channel::Receiver;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Long enough for anything that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fails the test if `future` takes too long.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("happens within the test's patience")
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) gauges: Arc<ProxyGauges>,
    messages: Receiver<Message>,
    drain: Drain,
}

impl Proxy {
    /// A proxy whose built-in upstreams are all at `upstream`.
    pub(crate) async fn before(upstream: SocketAddr) -> Self {
        Self::with(&[
            format!("anthropic=http://{upstream}"),
            format!("openai=http://{upstream}"),
            format!("gemini=http://{upstream}"),
        ])
        .await
    }

    pub(crate) async fn with(upstreams: &[String]) -> Self {
        Self::at(listener().await, upstreams)
    }

    /// A proxy that reaches its upstream through the proxies of `matcher`.
    pub(crate) async fn behind(matcher: Matcher, upstream: &str) -> Self {
        Self::new(listener().await, &[upstream.to_owned()], Proxies::matching(matcher), PATIENCE)
    }

    /// A proxy that gives up on a connection after `limit`.
    pub(crate) async fn hurried(upstream: &str, limit: Duration) -> Self {
        let proxies = Proxies::matching(Matcher::builder().build());
        Self::new(listener().await, &[upstream.to_owned()], proxies, limit)
    }

    /// A proxy at a listener that is bound already.
    pub(crate) fn at(acceptor: Acceptor, upstreams: &[String]) -> Self {
        Self::new(acceptor, upstreams, Proxies::matching(Matcher::builder().build()), PATIENCE)
    }

    fn new(acceptor: Acceptor, upstreams: &[String], proxies: Proxies, connect_timeout: Duration) -> Self {
        let ListenAddress::Tcp(address) = *acceptor.address() else { panic!("a tcp listener") };
        let gauges = Arc::new(ProxyGauges::default());
        let (sender, messages) = channel(Limits::default());
        let client = client::build(tls::client_config(&[]).unwrap(), proxies, connect_timeout);
        let upstreams = Upstreams::with(upstreams.iter().map(|upstream| upstream.parse().unwrap()));
        let forwarder = Forwarder::new(Guard::default(), upstreams, client, sender, gauges.clone()).unwrap();
        let (drain, in_flight): (Drain, InFlight) = Drain::new();
        tokio::spawn(acceptor.run(Arc::new(forwarder), in_flight));
        Self { address, gauges, messages, drain }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `request`, in which `HOST` stands for the proxy's own address, on a new connection.
    pub(crate) async fn send(&self, request: &str) -> TcpStream {
        let mut client = self.connect().await;
        client.write_all(request.replace("HOST", &self.address.to_string()).as_bytes()).await.unwrap();
        client
    }

    /// What the recorder is told at the end of the next exchange.
    pub(crate) async fn closing(&self) -> Closing {
        let messages = self.messages.clone();
        let next = move || loop {
            if let Message::Finish(closing, _) = messages.recv_timeout(PATIENCE).expect("an exchange ends") {
                return *closing;
            }
        };
        tokio::task::spawn_blocking(next).await.unwrap()
    }

    /// All that the recorder has been told so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages.try_iter().collect()
    }

    pub(crate) async fn drained(&self) {
        soon(self.drain.drain()).await;
    }
}

/// A listener for a proxy.
pub(crate) async fn listener() -> Acceptor {
    Acceptor::bind(ListenAddress::Tcp("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

/// A listener of the test's own, as an upstream.
pub(crate) async fn upstream() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    soon(listener.accept()).await.unwrap().0
}

/// Reads until `end` has come, and not a byte more.
pub(crate) async fn read_past(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        match soon(stream.read_u8()).await {
            Ok(byte) => read.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&read)),
        }
    }
    String::from_utf8(read).unwrap()
}

/// Reads a head, with its empty line.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    read_past(stream, "\r\n\r\n").await
}

/// Reads what comes until the stream ends or breaks.
pub(crate) async fn read_rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is an end too; what came before it stays read.
    let _ = soon(stream.read_to_end(&mut rest)).await;
    rest
}

/// The content of a complete chunked body and what follows its last chunk.
pub(crate) fn dechunk(mut body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut content = Vec::new();
    loop {
        let line = body.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(str::from_utf8(&body[..line]).ok()?, 16).ok()?;
        body = &body[line + 2..];
        if size == 0 {
            return body.ends_with(b"\r\n").then(|| (content, body.to_vec()));
        }
        content.extend_from_slice(body.get(..size)?);
        body = body.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// The names and values of a head's headers, as they stand.
pub(crate) fn has_header(head: &str, line: &str) -> bool {
    head.split("\r\n").skip(1).any(|header| header == line)
}

/// Whether a head has a header of this name, in any case.
pub(crate) fn names(head: &str, name: &str) -> bool {
    head.split("\r\n")
        .skip(1)
        .any(|header| header.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)))
}
