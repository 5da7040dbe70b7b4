//! One connection of a hand-written server.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Request;

/// How a connection is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// An orderly end of the TCP stream: nothing that was sent is lost.
    Fin,
    /// A reset: what the other side has not read yet may be lost.
    Rst,
}

/// A connection, and what has been read from it but not yet used.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    ahead: Vec<u8>,
}

impl Connection {
    /// Takes over an accepted stream.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, ahead: Vec::new() })
    }

    /// The next request; none if the client has closed the connection.
    pub async fn request(&mut self) -> io::Result<Option<Request>> {
        let Some(head) = self.until(b"\r\n\r\n").await? else { return Ok(None) };
        let mut request = Request::parse_head(&String::from_utf8_lossy(&head));
        if request.header("expect").is_some() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if request.header("transfer-encoding").is_some() {
            request.body = self.chunked().await?;
        } else if let Some(length) = request.header("content-length") {
            let length = length.parse().map_err(io::Error::other)?;
            request.body = self.exactly(length).await?;
        }
        Ok(Some(request))
    }

    /// Sends bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next bytes, whatever they are; none at the end of the stream.
    pub async fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() {
            self.read_more().await?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    /// Returns when the other side has closed or reset the connection.
    pub async fn closed(&mut self) {
        let mut more = [0; 4096];
        while let Ok(read) = self.stream.read(&mut more).await {
            if read == 0 {
                return;
            }
            self.ahead.extend_from_slice(&more[..read]);
        }
    }

    /// Breaks the connection off.
    pub async fn end(mut self, how: Break) -> io::Result<()> {
        match how {
            Break::Fin => self.stream.shutdown().await,
            Break::Rst => self.stream.set_zero_linger(),
        }
    }

    async fn chunked(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            let chunk = self.exactly(size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    /// The bytes before `mark`, which is taken too; none at the end of the stream.
    async fn until(&mut self, mark: &[u8]) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = self.ahead.windows(mark.len()).position(|window| window == mark) {
                let mut found: Vec<u8> = self.ahead.drain(..at + mark.len()).collect();
                found.truncate(at);
                return Ok(Some(found));
            }
            if !self.read_more().await? {
                return Ok(None);
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < length {
            if !self.read_more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.ahead.drain(..length).collect())
    }

    async fn read_more(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.ahead).await? > 0)
    }
}
