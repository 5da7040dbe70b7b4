//! The answer's body on its way to the client.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use ccxray_shared::entry::Outcome;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::record::exchange::ResponseTap;

/// The body of an answer.
#[derive(Debug)]
pub enum ResponseBody {
    /// The upstream's.
    Relayed(Relayed),
    /// The proxy's own.
    Own(Full<Bytes>),
}

/// A body as the upstream sends it. Each chunk is shown to the recorder and passed on, and so is its end,
/// whatever it is: a body that breaks off here breaks off there.
#[derive(Debug)]
pub struct Relayed {
    upstream: Incoming,
    tap: Option<ResponseTap>,
    /// Whether the head or the last chunk may still wait in the server's buffer.
    unflushed: bool,
    broken: Option<hyper::Error>,
}

impl Relayed {
    /// Wraps `upstream`.
    pub fn new(upstream: Incoming, tap: ResponseTap) -> Self {
        Self { upstream, tap: Some(tap), unflushed: true, broken: None }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.upstream).poll_frame(cx) else {
            self.unflushed = false;
            return Poll::Pending;
        };
        match frame {
            Some(Ok(frame)) => {
                self.passed(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.finish(Outcome::Complete);
                Poll::Ready(None)
            }
            Some(Err(error)) => self.broke_off(error, cx),
        }
    }

    fn passed(&mut self, frame: &Frame<Bytes>) {
        if let (Some(tap), Some(chunk)) = (&mut self.tap, frame.data_ref()) {
            tap.chunk(chunk, Instant::now());
            self.unflushed = true;
        }
    }

    /// An error makes the server throw away what it has not written yet. The client shall have every byte that
    /// came, so the server gets a turn to write before it learns of the error.
    fn broke_off(
        &mut self,
        error: hyper::Error,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.finish(Outcome::UpstreamAbort);
        if !std::mem::take(&mut self.unflushed) {
            return Poll::Ready(Some(Err(error)));
        }
        self.broken = Some(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(tap) = self.tap.take() {
            tap.finish(outcome, Instant::now());
        }
    }
}

/// The server does not ask a body of known length for its end, and one without content for nothing at all. Any
/// other body that is dropped before its end has lost its client.
impl Drop for Relayed {
    fn drop(&mut self) {
        let whole = self.upstream.is_end_stream();
        self.finish(if whole { Outcome::Complete } else { Outcome::ClientAbort });
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Relayed(relayed) => relayed.poll(cx),
            Self::Own(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Relayed(relayed) => relayed.upstream.is_end_stream(),
            Self::Own(full) => full.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Relayed(relayed) => relayed.upstream.size_hint(),
            Self::Own(full) => full.size_hint(),
        }
    }
}
