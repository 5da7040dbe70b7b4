//! The answer's body on its way to the client.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use ccxray_shared::entry::Outcome;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::joined::Joined;
use crate::record::exchange::ResponseTap;

/// The body of an answer.
#[derive(Debug)]
pub enum ResponseBody {
    /// The upstream's.
    Relayed(Relayed),
    /// The proxy's own.
    Own(Full<Bytes>),
}

/// A body as the upstream sends it, chunks joined that come at the same time. What is passed on is shown to the
/// recorder, and so is the body's end, whatever it is: a body that breaks off here breaks off there.
#[derive(Debug)]
pub struct Relayed {
    upstream: Joined<Incoming>,
    tap: Option<ResponseTap>,
}

impl Relayed {
    fn passed(&mut self, frame: &Frame<Bytes>) {
        if let (Some(tap), Some(chunk)) = (&mut self.tap, frame.data_ref()) {
            tap.chunk(chunk, Instant::now());
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(tap) = self.tap.take() {
            tap.finish(outcome, Instant::now());
        }
    }
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.upstream).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.passed(frame),
            Some(Err(_)) => self.finish(Outcome::UpstreamAbort),
            None => self.finish(Outcome::Complete),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.upstream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.upstream.size_hint()
    }
}

/// The server does not ask a body of known length for its end, and one without content for nothing at all. Any
/// other body that is dropped before its end has lost its client.
impl Drop for Relayed {
    fn drop(&mut self) {
        self.finish(if self.upstream.is_end_stream() {
            Outcome::Complete
        } else if self.upstream.has_broken() {
            Outcome::UpstreamAbort
        } else {
            Outcome::ClientAbort
        });
    }
}

impl ResponseBody {
    /// The body that comes from `upstream`.
    pub fn relayed(upstream: Incoming, tap: ResponseTap) -> Self {
        Self::Relayed(Relayed { upstream: Joined::new(upstream), tap: Some(tap) })
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
            Self::Relayed(relayed) => Pin::new(relayed).poll_frame(cx),
            Self::Own(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Relayed(relayed) => relayed.is_end_stream(),
            Self::Own(full) => full.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Relayed(relayed) => relayed.size_hint(),
            Self::Own(full) => full.size_hint(),
        }
    }
}
