//! The way of one exchange.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use bytes::Bytes;
use ccxray_shared::{
    UnixMillis,
    daemon::{guard::Guard, log::with_causes},
    entry::{Outcome, Provider},
};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, Version,
    body::Incoming,
    upgrade::{self, OnUpgrade},
};

use super::{
    client::UpstreamClient,
    door::{self, Arrival, Refusal},
    failure::Failure,
    headers,
    loop_marker::LoopMarker,
    request_body::RequestBody,
    response_body::ResponseBody,
    upgrade::relay,
};
use crate::{
    listen::drain::InFlight,
    record::{
        channel::Sender,
        exchange::{self, ExchangeId, Opening, RequestTap, ResponseHead, ResponseTap},
        gauges::ProxyGauges,
        noted::noted,
    },
    route::{
        destination::{self, Destination},
        operation,
        upstream::Upstreams,
    },
};

/// All that an exchange needs; shared by all connections.
#[derive(Debug)]
pub struct Forwarder {
    guard: Guard,
    upstreams: Upstreams,
    client: UpstreamClient,
    marker: LoopMarker,
    sender: Sender,
    gauges: Arc<ProxyGauges>,
    next_id: AtomicU64,
}

impl Forwarder {
    /// A forwarder whose exchanges are numbered from a random id on.
    pub fn new(
        guard: Guard,
        upstreams: Upstreams,
        client: UpstreamClient,
        sender: Sender,
        gauges: Arc<ProxyGauges>,
    ) -> io::Result<Self> {
        let next_id = AtomicU64::new(getrandom::u64().map_err(io::Error::from)?);
        Ok(Self { guard, upstreams, client, marker: LoopMarker::random()?, sender, gauges, next_id })
    }

    /// The figures that this forwarder keeps.
    pub fn gauges(&self) -> &Arc<ProxyGauges> {
        &self.gauges
    }

    /// Answers a request: with its upstream's answer, or with an error of our own. Dropped before it is done,
    /// the client has left, and the upstream is left too.
    pub async fn handle(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        in_flight: InFlight,
    ) -> Response<ResponseBody> {
        match self.admit(&request, arrival) {
            Ok(destination) => self.exchange(request, destination, in_flight).await,
            Err(refusal) => self.refuse(request, refusal),
        }
    }

    fn admit(&self, request: &Request<Incoming>, arrival: Arrival) -> Result<Destination, Refusal> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        door::check(&self.guard, &self.marker, arrival, method, uri, headers)?;
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(destination::decide(&self.upstreams, method, path_and_query, headers)?)
    }

    fn refuse(&self, request: Request<Incoming>, refusal: Refusal) -> Response<ResponseBody> {
        self.gauges.request_refused();
        tracing::debug!("refused a request: {refusal}");
        let by_path = operation::operation(request.method(), request.uri().path()).provider;
        let provider = by_path.or_else(|| operation::client(request.headers())).unwrap_or(Provider::Other);
        // Dropped as a body that nobody wants, so that the client can read why.
        drop(RequestBody::new(request.into_body(), None));
        refusal.answer().response(provider)
    }

    async fn exchange(
        &self,
        request: Request<Incoming>,
        destination: Destination,
        in_flight: InFlight,
    ) -> Response<ResponseBody> {
        let id = ExchangeId(self.next_id.fetch_add(1, Relaxed));
        let taps = exchange::begin(&self.sender, opening(id, &request, &destination));
        if headers::wants_websocket(request.method(), request.headers()) {
            self.websocket(id, request, &destination, taps, in_flight).await
        } else {
            self.plain(id, request, &destination, taps).await
        }
    }

    async fn plain(
        &self,
        id: ExchangeId,
        request: Request<Incoming>,
        destination: &Destination,
        (request_tap, response_tap): (RequestTap, ResponseTap),
    ) -> Response<ResponseBody> {
        let request = self.outgoing(request, destination, Some(request_tap), false);
        match self.send(id, request, destination).await {
            Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                fail(Failure::UnaskedSwitch, destination, response_tap)
            }
            Ok(response) => answer(response, response_tap),
            Err(failure) => fail(failure, destination, response_tap),
        }
    }

    async fn websocket(
        &self,
        id: ExchangeId,
        mut request: Request<Incoming>,
        destination: &Destination,
        (request_tap, response_tap): (RequestTap, ResponseTap),
        in_flight: InFlight,
    ) -> Response<ResponseBody> {
        let client = upgrade::on(&mut request);
        // What passes after the upgrade is no longer the request's body: the relay has its tap.
        let request = self.outgoing(request, destination, None, true);
        match self.send(id, request, destination).await {
            Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                switch(response, (client, request_tap), response_tap, in_flight)
            }
            Ok(response) => {
                request_tap.end();
                answer(response, response_tap)
            }
            Err(failure) => fail(failure, destination, response_tap),
        }
    }

    async fn send(
        &self,
        id: ExchangeId,
        request: Request<RequestBody>,
        destination: &Destination,
    ) -> Result<Response<Incoming>, Failure> {
        self.client.request(request).await.map_err(|error| {
            let cause = with_causes(&error);
            tracing::warn!("exchange {:016x} with `{}`: {cause}", id.0, destination.upstream.name);
            Failure::of(&error)
        })
    }

    fn outgoing(
        &self,
        request: Request<Incoming>,
        destination: &Destination,
        tap: Option<RequestTap>,
        websocket: bool,
    ) -> Request<RequestBody> {
        let (mut parts, body) = request.into_parts();
        parts.uri = destination.uri.clone();
        parts.version = Version::HTTP_11;
        headers::toward_upstream(&mut parts.headers, &destination.upstream.authority, websocket);
        self.marker.put_on(&mut parts.headers, destination.upstream.is_plain(), self.sender.active());
        Request::from_parts(parts, RequestBody::new(body, tap))
    }
}

fn opening(id: ExchangeId, request: &Request<Incoming>, destination: &Destination) -> Opening {
    Opening {
        id,
        started_at: UnixMillis::now(),
        started: Instant::now(),
        provider: destination.provider,
        upstream: destination.upstream.name.clone(),
        route: destination.route,
        path_model: destination.path_model.clone(),
        headers: noted(request.headers()),
        attribution: destination.attribution.clone(),
    }
}

fn answer(response: Response<Incoming>, mut tap: ResponseTap) -> Response<ResponseBody> {
    let (mut parts, body) = response.into_parts();
    tap.head(ResponseHead { status: parts.status, headers: noted(&parts.headers) });
    parts.version = Version::HTTP_11;
    headers::toward_client(&mut parts.headers, false);
    Response::from_parts(parts, ResponseBody::relayed(body, tap))
}

fn switch(
    mut response: Response<Incoming>,
    (client, request_tap): (OnUpgrade, RequestTap),
    mut tap: ResponseTap,
    in_flight: InFlight,
) -> Response<ResponseBody> {
    let upstream = upgrade::on(&mut response);
    let (mut parts, _) = response.into_parts();
    tap.head(ResponseHead { status: parts.status, headers: noted(&parts.headers) });
    headers::toward_client(&mut parts.headers, true);
    tokio::spawn(async move {
        relay(client, upstream, request_tap, tap).await;
        drop(in_flight);
    });
    Response::from_parts(parts, ResponseBody::Own(Full::new(Bytes::new())))
}

fn fail(failure: Failure, destination: &Destination, tap: ResponseTap) -> Response<ResponseBody> {
    let outcome = match failure {
        Failure::Client => Outcome::ClientAbort,
        Failure::ConnectTimeout | Failure::Connect | Failure::BrokeOff | Failure::UnaskedSwitch => {
            Outcome::UpstreamUnreachable
        }
    };
    tap.finish(outcome, Instant::now());
    failure.answer(&destination.upstream.name).response(destination.provider)
}
