//! The forwarding side's handle on the record of one exchange.
//!
//! The handle only ever *tries*: no call here waits, and none can fail the exchange. Copies of body chunks (handles,
//! where a chunk is long) are sent over the bounded channel; when that is full or too much memory is in
//! flight, the copy is given up (`parse: "shed"`) and the exchange goes on. The final facts always get through,
//! because their slot in the channel was reserved when the exchange began.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use bytes::Bytes;
use ccxray_shared::{
    UnixMillis,
    entry::{Outcome, Provider, Route},
};
use hyper::{HeaderMap, StatusCode};

use super::channel::{CopyPermit, Sender};
use crate::route::stamp::Attribution;

/// The longest chunk whose bytes are copied. A handle costs less, but it keeps the whole buffer that the chunk was read
/// into, which is larger and could otherwise be read into again at once.
const SHORT: usize = 4096;

/// Names an exchange in the channel, in the log and in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeId(pub u64);

/// 2⁶⁴ divided by the golden ratio: its first multiples lie as far from each other as can be.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl ExchangeId {
    /// The id of the `number`th exchange within this one, from 1 on. Exchanges are numbered one after the other, and
    /// for the first million numbers these ids lie more than 2⁴² away.
    #[must_use]
    pub const fn within(self, number: u64) -> Self {
        Self(self.0.wrapping_add(number.wrapping_mul(GOLDEN)))
    }
}

/// What is known of an exchange when it begins.
#[derive(Debug)]
pub struct Opening {
    /// Its id.
    pub id: ExchangeId,
    /// When the request's head had been read, by the wall clock.
    pub started_at: UnixMillis,
    /// The same moment by the monotonic clock.
    pub started: Instant,
    /// Whose API.
    pub provider: Provider,
    /// The upstream's name in the routing table.
    pub upstream: Arc<str>,
    /// Which operation.
    pub route: Route,
    /// The model, where the path names it (Gemini).
    pub path_model: Option<String>,
    /// The request headers on the list of [`super::noted`], and no other.
    pub headers: HeaderMap,
    /// The launcher's stamps.
    pub attribution: Attribution,
}

/// The head of the answer.
#[derive(Debug)]
pub struct ResponseHead {
    /// Its status.
    pub status: StatusCode,
    /// The answer's headers on the list of [`super::noted`], and no other.
    pub headers: HeaderMap,
}

/// What the recorder gets to know when an exchange is over.
#[derive(Debug)]
pub struct Closing {
    /// How it began.
    pub opening: Arc<Opening>,
    /// The head of the answer, if one came.
    pub head: Option<Arc<ResponseHead>>,
    /// How it ended.
    pub outcome: Outcome,
    /// When, by the monotonic clock.
    pub ended: Instant,
    /// Bytes of the request's body that were passed on.
    pub request_bytes: u64,
    /// Bytes of the answer's body that were passed on.
    pub response_bytes: u64,
    /// Whether copies were given up.
    pub shed: bool,
}

/// What travels to the recorder. Messages of one exchange arrive in the order in which they were sent; those of
/// the two directions may interleave. All but [`Message::Finish`] may be missing, and then `shed` is set.
#[derive(Debug)]
pub enum Message {
    /// The next piece of the request's body, and when it came.
    RequestChunk(Arc<Opening>, Bytes, Instant, CopyPermit),
    /// The request's body is complete, or the client says nothing more.
    RequestEnd(Arc<Opening>, CopyPermit),
    /// The answer began.
    ResponseHead(Arc<Opening>, Arc<ResponseHead>, CopyPermit),
    /// The next piece of the answer's body, and when it came.
    ResponseChunk(Arc<Opening>, Bytes, Instant, CopyPermit),
    /// The upstream says nothing more on a connection that was upgraded; the client still may.
    ResponseEnd(Arc<Opening>, CopyPermit),
    /// The exchange is over; nothing of the answer follows. Its slot is free again when this is dropped.
    Finish(Box<Closing>, super::channel::Slot),
}

/// Both directions' view of one exchange.
#[derive(Debug)]
struct Exchange {
    opening: Arc<Opening>,
    sender: Sender,
    shed: AtomicBool,
    request_bytes: AtomicU64,
}

impl Exchange {
    fn copy(&self, len: usize, message: impl FnOnce(CopyPermit) -> Message) {
        if !self.shed.load(Relaxed) && self.sender.try_copy(len, message).is_err() {
            self.shed.store(true, Relaxed);
        }
    }
}

/// Begins the record of an exchange. If no slot is left, the exchange leaves no entry, and the next gap in the
/// spool counts it.
pub fn begin(sender: &Sender, opening: Opening) -> (RequestTap, ResponseTap) {
    let slot = sender.reserve();
    let exchange = slot.is_some().then(|| {
        Arc::new(Exchange {
            opening: Arc::new(opening),
            sender: sender.clone(),
            shed: AtomicBool::new(false),
            request_bytes: AtomicU64::new(0),
        })
    });
    let request = RequestTap { exchange: exchange.clone() };
    (request, ResponseTap { exchange, slot, head: None, response_bytes: 0 })
}

fn copy(chunk: &Bytes) -> Bytes {
    if chunk.len() <= SHORT { Bytes::copy_from_slice(chunk) } else { chunk.clone() }
}

/// Sees the request's body pass by.
#[derive(Debug)]
pub struct RequestTap {
    exchange: Option<Arc<Exchange>>,
}

impl RequestTap {
    /// A chunk is being passed on.
    pub fn chunk(&self, chunk: &Bytes, now: Instant) {
        let Some(exchange) = &self.exchange else { return };
        exchange.request_bytes.fetch_add(chunk.len() as u64, Relaxed);
        exchange.copy(chunk.len(), |permit| {
            Message::RequestChunk(exchange.opening.clone(), copy(chunk), now, permit)
        });
    }

    /// The whole body has been passed on.
    pub fn end(&self) {
        let Some(exchange) = &self.exchange else { return };
        exchange.copy(0, |permit| Message::RequestEnd(exchange.opening.clone(), permit));
    }
}

/// Sees the answer pass by, and the end of the exchange. Dropped without [`finish`](Self::finish), the client
/// has left.
#[derive(Debug)]
pub struct ResponseTap {
    exchange: Option<Arc<Exchange>>,
    slot: Option<super::channel::Slot>,
    head: Option<Arc<ResponseHead>>,
    response_bytes: u64,
}

impl ResponseTap {
    /// The head of the answer is being passed on.
    pub fn head(&mut self, head: ResponseHead) {
        let Some(exchange) = &self.exchange else { return };
        let head = Arc::new(head);
        self.head = Some(head.clone());
        exchange.copy(0, |permit| Message::ResponseHead(exchange.opening.clone(), head, permit));
    }

    /// A chunk is being passed on.
    pub fn chunk(&mut self, chunk: &Bytes, now: Instant) {
        self.response_bytes += chunk.len() as u64;
        let Some(exchange) = &self.exchange else { return };
        exchange.copy(chunk.len(), |permit| {
            Message::ResponseChunk(exchange.opening.clone(), copy(chunk), now, permit)
        });
    }

    /// The upstream has ended its side of an upgraded connection.
    pub fn upstream_ended(&self) {
        let Some(exchange) = &self.exchange else { return };
        exchange.copy(0, |permit| Message::ResponseEnd(exchange.opening.clone(), permit));
    }

    /// The exchange is over.
    pub fn finish(mut self, outcome: Outcome, now: Instant) {
        self.close(outcome, now);
    }

    fn close(&mut self, outcome: Outcome, ended: Instant) {
        let (Some(exchange), Some(slot)) = (self.exchange.take(), self.slot.take()) else { return };
        let closing = Closing {
            opening: exchange.opening.clone(),
            head: self.head.take(),
            outcome,
            ended,
            request_bytes: exchange.request_bytes.load(Relaxed),
            response_bytes: self.response_bytes,
            shed: exchange.shed.load(Relaxed),
        };
        exchange.sender.finish(closing, slot);
    }
}

impl Drop for ResponseTap {
    fn drop(&mut self) {
        self.close(Outcome::ClientAbort, Instant::now());
    }
}
