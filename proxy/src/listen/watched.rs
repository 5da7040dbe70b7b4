//! A client's connection, whose incoming bytes are watched.
//!
//! The HTTP server has one timeout for the wait before a request and for its head. They are different things: an
//! agent keeps its connection while its user thinks, but a head that has begun comes at once or never. So the server
//! gets the long one, and the head's is kept here.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::framing::Framing;

/// What is known of the requests on a connection; shared by the connection and the service behind it, which run
/// in the same task.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Framing>>);

impl Watch {
    /// Whether the request that the server takes now had two lengths.
    pub fn next_has_two_lengths(&self) -> bool {
        self.with(Framing::next_has_two_lengths)
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Framing) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The connection.
#[derive(Debug)]
pub struct Watched<I> {
    io: I,
    watch: Watch,
    head_timeout: Duration,
    /// The head that is waited for, by its number, and until when.
    head: Option<(u64, Pin<Box<Sleep>>)>,
}

impl<I> Watched<I> {
    /// Lets `watch` see what is read from `io`. A head that has begun and is then waited for longer than
    /// `head_timeout` ends the connection.
    pub fn new(io: I, watch: Watch, head_timeout: Duration) -> Self {
        Self { io, watch, head_timeout, head: None }
    }

    /// Nothing came: whether it has been waited for too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(number) = self.watch.with(|framing| framing.head_under_way()) else {
            self.head = None;
            return Poll::Pending;
        };
        let timeout = self.head_timeout;
        let (waited_for, deadline) = self.head.get_or_insert_with(|| (number, Box::pin(sleep(timeout))));
        if *waited_for != number {
            (*waited_for, *deadline) = (number, Box::pin(sleep(timeout)));
        }
        deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Pending => self.poll_overdue(cx),
            Poll::Ready(read) => {
                self.watch.with(|framing| framing.pass(&buf.filled()[before..]));
                Poll::Ready(read)
            }
        }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::timeout,
    };

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    fn connection() -> (DuplexStream, Watched<DuplexStream>) {
        let (client, server) = duplex(1024);
        (client, Watched::new(server, Watch::default(), SHORT))
    }

    async fn read(server: &mut Watched<DuplexStream>) -> io::Result<usize> {
        server.read(&mut [0; 1024]).await
    }

    #[tokio::test]
    async fn a_head_that_has_begun_must_come_to_its_end() {
        let (mut client, mut server) = connection();
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        read(&mut server).await.unwrap();
        let stalled = timeout(LONG, read(&mut server)).await.unwrap();
        assert_eq!(stalled.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_head_that_trickles_in_gets_no_more_time() {
        let (mut client, mut server) = connection();
        let stalled = timeout(LONG, async {
            loop {
                client.write_all(b"x").await.unwrap();
                read(&mut server).await?;
                let more = timeout(SHORT / 4, read(&mut server)).await;
                more.unwrap_or(Ok(0))?;
            }
        });
        let stalled: io::Result<()> = stalled.await.unwrap();
        assert_eq!(stalled.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_connection_between_two_requests_is_left_alone() {
        let (mut client, mut server) = connection();
        for request in ["", "GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na"] {
            client.write_all(request.as_bytes()).await.unwrap();
            if !request.is_empty() {
                read(&mut server).await.unwrap();
            }
            assert!(timeout(SHORT * 5, read(&mut server)).await.is_err(), "{request}");
        }
    }
}
