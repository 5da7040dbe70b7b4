//! The only way out for opentelemetry-otlp, which reads headers and addresses from the environment: a request's body
//! goes through, its headers and its address stay here.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::{runtime::Handle, sync::oneshot, task::AbortHandle};

use super::{payload::Compression, transport::Transport};

/// An HTTP client over one of our transports.
pub(super) struct Door<T> {
    pub(super) transport: Arc<T>,
    pub(super) compression: Compression,
    pub(super) runtime: Handle,
    pub(super) gate: Gate,
}

/// No push at this time.
#[derive(Debug, thiserror::Error)]
#[error("the destination takes nothing at this time")]
struct ClosedError;

#[async_trait]
impl<T: Transport> HttpClient for Door<T> {
    /// Sends the body; address and headers are the transport's own. The reader's thread has no runtime, hence the task.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let body = self.compression.encode(request.into_body().to_vec());
        let transport = Arc::clone(&self.transport);
        let (attempt, stopped) = {
            let mut gate = self.gate.lock();
            if gate.door != Position::Open {
                return Err(ClosedError.into());
            }
            let attempt = self.runtime.spawn(async move { transport.send(body).await });
            let (stop, stopped) = oneshot::channel();
            gate.under_way = Some(UnderWay { task: attempt.abort_handle(), _stop: stop });
            (attempt, stopped)
        };
        // An aborted task ends only when its runtime runs, and the runtime's thread may be the one that waits for us.
        let reply = tokio::select! {
            reply = attempt => reply??,
            _ = stopped => return Err(ClosedError.into()),
        };
        Ok(Response::builder().status(reply.status).body(reply.body)?)
    }
}

impl<T> fmt::Debug for Door<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// Whether a push may go out now.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<GateState>>);

#[derive(Debug, Default)]
struct GateState {
    door: Position,
    under_way: Option<UnderWay>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    #[default]
    Closed,
    Open,
    /// For good.
    Locked,
}

/// A push; dropping it tells the waiting thread that it is over.
#[derive(Debug)]
struct UnderWay {
    task: AbortHandle,
    _stop: oneshot::Sender<()>,
}

impl Gate {
    /// Lets pushes through, unless it is locked.
    pub(super) fn open(&self) {
        let mut gate = self.lock();
        match gate.door {
            Position::Closed | Position::Open => gate.door = Position::Open,
            Position::Locked => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets none through and breaks off one that is under way.
    pub(super) fn close(&self) {
        self.shut(Position::Closed);
    }

    /// Lets none through any more, and breaks off one that is under way.
    pub(super) fn lock_up(&self) {
        self.shut(Position::Locked);
    }

    fn shut(&self, position: Position) {
        let mut gate = self.lock();
        match gate.door {
            Position::Closed | Position::Open => gate.door = position,
            Position::Locked => {}
        }
        if let Some(push) = gate.under_way.take() {
            push.task.abort();
        }
    }
}
