//! One client connection.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    drain::InFlight,
    watched::{Watch, Watched},
};
use crate::forward::{door::Arrival, forwarder::Forwarder, response_body::ResponseBody};

/// How long a client may take for the head of a request that has begun.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection without a request is kept. Agents reuse theirs after their user has thought for a while,
/// and a request that crosses our close on its way fails.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The most that is read at once, and the most that waits to be written.
const MAX_BUFFER: usize = 128 * 1024;

/// Serves the requests on `io`, which came in at `local`, until the client leaves or the drain begins; a request
/// that is under way then is still answered.
///
/// A client that shuts down its sending side counts as one that has left: there is no other way to notice the
/// departure of one that waits for an answer.
pub async fn serve<I>(io: I, local: Option<SocketAddr>, forwarder: Arc<Forwarder>, mut in_flight: InFlight)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let open = forwarder.gauges().connection_opened();
    let exchanges = in_flight.clone();
    let watch = Watch::default();
    let io = TokioIo::new(Watched::new(io, watch.clone(), HEAD_TIMEOUT));
    let service = service_fn(move |request: Request<Incoming>| {
        let (forwarder, in_flight) = (forwarder.clone(), exchanges.clone());
        let arrival = Arrival { local, has_two_lengths: watch.next_has_two_lengths() };
        async move {
            Ok::<Response<ResponseBody>, Infallible>(forwarder.handle(request, arrival, in_flight).await)
        }
    });
    let connection = builder().serve_connection(io, service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = in_flight.draining() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
    drop(open);
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_BUFFER)
        .preserve_header_case(true)
        .auto_date_header(false);
    builder
}
