//! A connection that has become a WebSocket: two streams of bytes, one each way.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use ccxray_shared::entry::Outcome;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

use crate::record::exchange::{RequestTap, ResponseTap};

/// The most bytes that are read at once.
const READ: usize = 16 * 1024;

/// Carries bytes both ways until both sides have ended their streams or one of them breaks, and records how
/// it ended. A side that ends its stream may still be sent to.
pub async fn relay(client: OnUpgrade, upstream: OnUpgrade, request: RequestTap, mut response: ResponseTap) {
    let outcome = match tokio::join!(client, upstream) {
        (Ok(client), Ok(upstream)) => {
            let seen_up = |chunk: Option<&Bytes>| match chunk {
                Some(chunk) => request.chunk(chunk, Instant::now()),
                None => request.end(),
            };
            let seen_down = |chunk: Option<&Bytes>| match chunk {
                Some(chunk) => response.chunk(chunk, Instant::now()),
                None => response.upstream_ended(),
            };
            carry(TokioIo::new(client), TokioIo::new(upstream), seen_up, seen_down).await
        }
        (Err(_), _) => Outcome::ClientAbort,
        (_, Err(_)) => Outcome::UpstreamAbort,
    };
    response.finish(outcome, Instant::now());
}

/// `seen_up` and `seen_down` see each chunk before it is passed on, and nothing when a side ends its stream.
async fn carry(
    client: impl AsyncRead + AsyncWrite,
    upstream: impl AsyncRead + AsyncWrite,
    seen_up: impl FnMut(Option<&Bytes>),
    seen_down: impl FnMut(Option<&Bytes>),
) -> Outcome {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_upstream, mut to_upstream) = split(upstream);
    let up = async {
        match pump(&mut from_client, &mut to_upstream, seen_up).await {
            Ok(()) => Ok(Outcome::Complete),
            // What it has said before it left is still to be delivered.
            Err(Broken::Sink) => Ok(Outcome::UpstreamAbort),
            Err(Broken::Source) => Err(Outcome::ClientAbort),
        }
    };
    let down = async {
        pump(&mut from_upstream, &mut to_client, seen_down).await.map_err(|broken| match broken {
            Broken::Source => Outcome::UpstreamAbort,
            Broken::Sink => Outcome::ClientAbort,
        })
    };
    match tokio::try_join!(up, down) {
        Ok((outcome, ())) | Err(outcome) => outcome,
    }
}

/// Which end of a direction broke.
enum Broken {
    Source,
    Sink,
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut seen: impl FnMut(Option<&Bytes>),
) -> Result<(), Broken> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ);
        if from.read_buf(&mut buffer).await.map_err(|_| Broken::Source)? == 0 {
            seen(None);
            return to.shutdown().await.map_err(|_| Broken::Sink);
        }
        let chunk = buffer.split().freeze();
        seen(Some(&chunk));
        to.write_all(&chunk).await.map_err(|_| Broken::Sink)?;
        // TLS keeps what a full socket does not take, and whoever waits for an answer writes no more.
        to.flush().await.map_err(|_| Broken::Sink)?;
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use tokio::{
        io::{BufWriter, duplex, join},
        time::timeout,
    };

    use super::*;

    #[tokio::test]
    async fn nothing_stays_behind_in_a_buffer_while_the_other_side_is_silent() {
        let (mut client, mut from) = duplex(64);
        let (to, mut upstream) = duplex(64);
        let mut to = BufWriter::new(to);
        client.write_all(b"message").await.unwrap();
        let arrival = async {
            let mut message = [0; 7];
            timeout(Duration::from_secs(20), upstream.read_exact(&mut message)).await??;
            io::Result::Ok(message)
        };
        tokio::select! {
            _ = pump(&mut from, &mut to, |_| {}) => panic!("the client has not ended"),
            message = arrival => assert_eq!(&message.unwrap(), b"message"),
        }
    }

    #[tokio::test]
    async fn an_upstream_that_takes_nothing_more_is_still_heard_out() {
        let (mut client, near_client) = duplex(64);
        let (mut upstream, from_upstream) = duplex(64);
        let (to_nobody, _) = duplex(64);
        client.write_all(b"too late").await.unwrap();
        let carried = carry(near_client, join(from_upstream, to_nobody), |_| {}, |_| {});
        let heard = async {
            upstream.write_all(b"last words").await.unwrap();
            drop(upstream);
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let both = async { tokio::join!(carried, heard) };
        let (outcome, heard) = timeout(Duration::from_secs(20), both).await.unwrap();
        assert_eq!((outcome, heard), (Outcome::UpstreamAbort, b"last words".to_vec()));
    }
}
