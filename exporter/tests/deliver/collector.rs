//! A collector that can misbehave.

use std::{
    io::Read,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What to do with a request.
pub(crate) enum Act {
    /// Send these bytes, then close if they say so.
    Answer(Vec<u8>),
    /// Never answer.
    Hang,
    /// Close the connection without a word.
    Close,
    /// Wait until the gate opens, then answer.
    Gate(Arc<Notify>, Vec<u8>),
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Request line and headers, lower case.
    pub(crate) head: String,
    /// The names of its metrics, in order.
    pub(crate) metrics: Vec<String>,
}

/// A listening collector.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    hung_up: Arc<Notify>,
}

impl Collector {
    /// Starts one that does with its `n`th request, counted from 0, what `script` says.
    pub(crate) async fn start(script: impl Fn(usize, &[String]) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::default();
        let (connections, hung_up) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let collector = Self {
            address,
            received: Arc::clone(&received),
            connections: Arc::clone(&connections),
            hung_up: Arc::clone(&hung_up),
        };
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (received, script) = (Arc::clone(&received), Arc::clone(&script));
                let hung_up = Arc::clone(&hung_up);
                tokio::spawn(async move {
                    serve(stream, &received, &*script).await;
                    hung_up.notify_one();
                });
            }
        });
        collector
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until `count` requests have come in.
    pub(crate) async fn received_at_least(&self, count: usize) -> Vec<Received> {
        for _ in 0..20_000 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("only {} requests came in", self.received().len());
    }

    /// Waits until some connection is over.
    pub(crate) async fn hung_up(&self) {
        self.hung_up.notified().await;
    }
}

async fn serve(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    script: &(impl Fn(usize, &[String]) -> Act + Send + Sync),
) {
    while let Some(request) = read_request(&mut stream).await {
        let metrics = request.metrics.clone();
        let number = {
            let mut received = received.lock().unwrap();
            received.push(request);
            received.len() - 1
        };
        match script(number, &metrics) {
            Act::Answer(bytes) => {
                let _ = stream.write_all(&bytes).await;
            }
            Act::Hang => {
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
            Act::Close => return,
            Act::Gate(gate, bytes) => {
                gate.notified().await;
                let _ = stream.write_all(&bytes).await;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>().ok()?;
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let metrics = metric_names(&head, &bytes[end..]);
    Some(Received { head, metrics })
}

fn metric_names(head: &str, body: &[u8]) -> Vec<String> {
    let mut plain = Vec::new();
    if head.contains("content-encoding: gzip") {
        GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    } else {
        plain.extend_from_slice(body);
    }
    let request = ExportMetricsServiceRequest::decode(plain.as_slice()).unwrap();
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name).collect()
}

/// An answer with a body of known length.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Act {
    Act::Answer(answer_bytes(status, headers, body))
}

/// The bytes of such an answer.
pub(crate) fn answer_bytes(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The usual answer.
pub(crate) fn ok() -> Act {
    answer(200, "content-type: application/x-protobuf\r\n", b"")
}
