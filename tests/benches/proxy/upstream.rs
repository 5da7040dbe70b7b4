//! The provider: as cheap as it can be, on a thread of its own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::oneshot,
    time::sleep,
};

use crate::content::{Answer, STAMP};

/// The pause before each chunk of a paced answer.
pub(crate) const GAP: Duration = Duration::from_millis(6);

/// Answers every request in the same way until it is dropped.
pub(crate) struct Upstream {
    address: SocketAddr,
    /// Dropped, it ends the thread.
    _running: oneshot::Sender<Infallible>,
}

impl Upstream {
    /// Starts one.
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket takes options");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (running, ended) = oneshot::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, Arc::new(answer)) => {}
                    _ = ended => {}
                }
            });
        });
        Self { address, _running: running }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Nanoseconds since the first call; the clock of all stamps.
pub(crate) fn now() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_nanos()).expect("a bench is short")
}

async fn accept(listener: std::net::TcpListener, answer: Arc<Answer>) {
    let listener = TcpListener::from_std(listener).expect("a socket that does not block");
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(serve(socket, answer.clone()));
    }
}

/// Until the client leaves.
async fn serve(mut socket: TcpStream, answer: Arc<Answer>) {
    let _ = socket.set_nodelay(true);
    let mut buffer = Vec::with_capacity(64 * 1024);
    while request(&mut socket, &mut buffer).await.is_some() {
        let sent = match &*answer {
            Answer::AtOnce(bytes) => socket.write_all(bytes).await,
            Answer::Paced(parts) => paced(&mut socket, parts).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn paced(socket: &mut TcpStream, parts: &[Vec<u8>]) -> std::io::Result<()> {
    for part in parts {
        sleep(GAP).await;
        let mut part = part.clone();
        if let Some(at) = part.windows(STAMP.len()).position(|window| window == STAMP.as_bytes()) {
            let stamp = format!("@{:0width$}", now(), width = STAMP.len() - 1);
            part[at..at + STAMP.len()].copy_from_slice(stamp.as_bytes());
        }
        socket.write_all(&part).await?;
    }
    Ok(())
}

/// Reads one request to its end; none if no further one comes.
async fn request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    buffer.clear();
    let head = loop {
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
        if let Some(head) = head_end(buffer) {
            break head;
        }
    };
    let mut left = (head + content_length(&buffer[..head])?).saturating_sub(buffer.len());
    while left > 0 {
        buffer.clear();
        let read = socket.read_buf(buffer).await.ok().filter(|read| *read > 0)?;
        left = left.saturating_sub(read);
    }
    Some(())
}

/// Where the body begins, if the head is whole.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// What a head states as its body's length.
pub(crate) fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let length = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, length) = length.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    length.trim().parse().ok()
}
