//! The request's body on its way to the upstream.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{runtime::Handle, time::timeout};

use crate::record::exchange::RequestTap;

/// How long a client may go on sending a body that its upstream no longer wants.
const LINGER: Duration = Duration::from_secs(5);

/// The client broke off while it sent the body.
#[derive(Debug, thiserror::Error)]
#[error("the client broke off its request")]
pub struct ClientBrokeOff(#[source] hyper::Error);

/// A body as the client sends it. Each chunk is shown to the recorder and passed on.
#[derive(Debug)]
pub struct RequestBody {
    /// None only while it is being dropped.
    client: Option<Incoming>,
    tap: Option<RequestTap>,
}

impl RequestBody {
    /// Wraps `client`. Without a tap nobody is told what passes.
    pub fn new(client: Incoming, tap: Option<RequestTap>) -> Self {
        let mut body = Self { client: Some(client), tap };
        if body.is_end_stream() {
            body.ended();
        }
        body
    }

    fn passed(&mut self, frame: &Frame<Bytes>) {
        if let (Some(tap), Some(chunk)) = (&self.tap, frame.data_ref()) {
            tap.chunk(chunk, Instant::now());
        }
        if self.is_end_stream() {
            self.ended();
        }
    }

    fn ended(&mut self) {
        if let Some(tap) = self.tap.take() {
            tap.end();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ClientBrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBrokeOff>>> {
        let Some(client) = &mut self.client else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(client).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.passed(frame),
            None => self.ended(),
            Some(Err(_)) => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(ClientBrokeOff)))
    }

    fn is_end_stream(&self) -> bool {
        self.client.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.client.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

/// An upstream may answer before it has read the whole body. Were the rest left unread, the kernel would reset
/// the client's connection and take the answer from it; so the rest is read for a moment, and thrown away.
impl Drop for RequestBody {
    fn drop(&mut self) {
        let rest = self.client.take().filter(|rest| !rest.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(LINGER, read_to_end(rest)));
        }
    }
}

async fn read_to_end(mut rest: Incoming) {
    while let Some(Ok(_)) = rest.frame().await {}
}
