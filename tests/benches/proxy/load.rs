//! The clients: connections that ask, wait for the whole answer, and ask again.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream, task::JoinSet};

use crate::{
    content::{Request, STAMP},
    upstream::{content_length, head_end, now},
};

const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// One client.
pub(crate) struct Connection {
    socket: TcpStream,
    request: Request,
    buffer: Vec<u8>,
}

/// What the clients of one round saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// From a request's first byte to its answer's last one.
    pub(crate) latencies: Vec<Duration>,
    /// From the sending of a stamped chunk to its arrival.
    pub(crate) transits: Vec<Duration>,
}

impl Connection {
    /// Connects the `number`th client.
    pub(crate) async fn open(address: SocketAddr, request: &Request, number: usize) -> Self {
        let socket = TcpStream::connect(address).await.expect("the peer accepts connections");
        socket.set_nodelay(true).expect("a socket takes options");
        Self {
            socket,
            request: request.of_connection(number, &address.to_string()),
            buffer: Vec::with_capacity(256 * 1024),
        }
    }

    /// Asks once. Panics unless a whole answer comes.
    async fn ask(&mut self, seen: &mut Seen) {
        let request = self.request.numbered(NUMBER.fetch_add(1, Relaxed));
        let began = Instant::now();
        self.socket.write_all(request).await.expect("the peer takes a request");
        self.buffer.clear();
        let mut looked_at = 0;
        while !is_whole(&self.buffer) {
            let read = self.socket.read_buf(&mut self.buffer).await.expect("the peer answers");
            assert!(read > 0, "an answer broke off: {}", String::from_utf8_lossy(&self.buffer));
            looked_at = stamps(&self.buffer, looked_at, &mut seen.transits);
        }
        seen.latencies.push(began.elapsed());
        assert!(self.buffer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&self.buffer));
    }

    /// The body of the next answer, without its framing.
    pub(crate) async fn next_body(&mut self) -> Vec<u8> {
        self.ask(&mut Seen::default()).await;
        body(&self.buffer)
    }
}

/// The body of an answer, without its framing.
pub(crate) fn body(answer: &[u8]) -> Vec<u8> {
    let (head, mut rest) = answer.split_at(head_end(answer).expect("an answer has a head"));
    if content_length(head).is_some() {
        return rest.to_vec();
    }
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size =
            std::str::from_utf8(&rest[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a chunk has a size");
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
    body
}

/// Lets every connection ask so many times, all at the same time.
pub(crate) async fn round(connections: &mut Vec<Connection>, times: usize) -> Seen {
    let mut tasks = JoinSet::new();
    for mut connection in connections.drain(..) {
        tasks.spawn(async move {
            let mut seen = Seen::default();
            for _ in 0..times {
                connection.ask(&mut seen).await;
            }
            (connection, seen)
        });
    }
    let mut all = Seen::default();
    while let Some(done) = tasks.join_next().await {
        let (connection, seen) = done.expect("a client does not panic");
        connections.push(connection);
        all.latencies.extend(seen.latencies);
        all.transits.extend(seen.transits);
    }
    all
}

fn is_whole(buffer: &[u8]) -> bool {
    if buffer.ends_with(LAST_CHUNK) {
        return true;
    }
    let Some(head) = head_end(&buffer[..buffer.len().min(4096)]) else { return false };
    content_length(&buffer[..head]).is_some_and(|length| buffer.len() == head + length)
}

/// Finds the stamps from `from` on, and says where to look next.
fn stamps(buffer: &[u8], mut from: usize, transits: &mut Vec<Duration>) -> usize {
    let arrived = now();
    while let Some(at) = buffer[from..].iter().position(|byte| *byte == b'@') {
        let Some(stamp) = buffer.get(from + at + 1..from + at + STAMP.len()) else { return from + at };
        from += at + STAMP.len();
        if let Some(sent) = std::str::from_utf8(stamp).ok().and_then(|stamp| stamp.parse().ok()) {
            transits.push(Duration::from_nanos(arrived.saturating_sub(sent)));
        }
    }
    buffer.len()
}

/// Connects all clients of a peer.
pub(crate) async fn connect(address: SocketAddr, request: &Request, clients: usize) -> Vec<Connection> {
    let mut connections = Vec::new();
    for number in 0..clients {
        connections.push(Connection::open(address, request, number).await);
    }
    connections
}
