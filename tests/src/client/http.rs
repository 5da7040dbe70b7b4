//! Sends requests over kept connections; never sends one twice.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{Answered, Ask, End};
use crate::PATIENCE;

/// A client of one base URL. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client of this base URL (`http://host:port`, with or without a path).
    pub fn new(base: &str) -> Self {
        let mut pool = Pool::builder(TokioExecutor::new());
        pool.retry_canceled_requests(false).pool_idle_timeout(Duration::from_mins(1));
        Self { base: base.trim_end_matches('/').to_owned(), pool: pool.build_http() }
    }

    /// A client that has no connection yet.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(&self.base)
    }

    /// Asks, and reads the answer to its end.
    pub async fn ask(&self, ask: &Ask) -> Answered {
        match self.begin(ask).await {
            Ok(answering) => answering.rest().await,
            Err(_) => Answered { status: 0, headers: vec![], body: vec![], end: End::NoAnswer },
        }
    }

    /// Asks, and returns when the answer's head has come.
    pub async fn begin(&self, ask: &Ask) -> Result<Answering, hyper_util::client::legacy::Error> {
        let mut request = Request::builder().method(ask.method).uri(format!("{}{}", self.base, ask.target));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(ask.body.clone())).expect("the test's request is well-formed");
        let response = tokio::time::timeout(PATIENCE, self.pool.request(request));
        response.await.expect("an answer or an error comes in time").map(Answering::new)
    }
}

/// An answer under way; dropped, the client leaves.
#[derive(Debug)]
pub struct Answering {
    answered: Answered,
    body: Incoming,
}

/// What each hop makes for itself.
const HOP: &[&str] = &["connection", "date", "keep-alive", "transfer-encoding"];

impl Answering {
    fn new(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let headers = head
            .headers
            .iter()
            .filter(|(name, _)| !HOP.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let answered = Answered { status: head.status.as_u16(), headers, body: Vec::new(), end: End::Broken };
        Self { answered, body }
    }

    /// What has come so far.
    pub fn so_far(&self) -> &Answered {
        &self.answered
    }

    /// Waits for the next chunk of the body; false at its end.
    pub async fn chunk(&mut self) -> bool {
        let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
        match frame.expect("the next chunk or the end comes in time") {
            Some(Ok(frame)) => {
                self.answered.body.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
                true
            }
            Some(Err(_)) => false,
            None => {
                self.answered.end = End::Clean;
                false
            }
        }
    }

    /// Waits for at least so many bytes of the body.
    pub async fn at_least(&mut self, bytes: usize) {
        while self.answered.body.len() < bytes {
            assert!(self.chunk().await, "the answer ended before its byte {bytes}");
        }
    }

    /// Reads to the end.
    pub async fn rest(mut self) -> Answered {
        while self.chunk().await {}
        self.answered
    }
}
