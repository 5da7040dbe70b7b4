//! The truth: what the upstream was asked and what it really sent.

use std::sync::{Arc, Mutex, MutexGuard};

use super::{Answer, Milestone};
use crate::wire::Request;

/// One exchange as the upstream saw it.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// What was asked, whole.
    pub request: Request,
    /// The answer's status; none if not even its head was sent whole.
    pub status: Option<u16>,
    /// Whether the answer was a stream of events.
    pub streamed: bool,
    /// What the answer's head says is left of which limit.
    pub limits: Vec<(String, u64)>,
    /// The answer's content encoding.
    pub encoding: Option<&'static str>,
    /// What has been told, in the order of sending.
    pub told: Vec<Milestone>,
    /// Bytes of the answer that were sent, head and framing included.
    pub sent: usize,
    /// How the sending ended, if it has.
    pub sending: Sending,
}

/// How far the sending of an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sending {
    /// It goes on.
    #[default]
    UnderWay,
    /// The whole answer was sent.
    Whole,
    /// It was broken off on purpose.
    BrokenOff,
    /// The client left before the end.
    ClientLeft,
}

impl Served {
    /// Whether the stream's last event was sent.
    pub fn terminal(&self) -> bool {
        self.told.contains(&Milestone::Terminal)
    }
}

/// All exchanges, in the order in which their requests were complete.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Served>>>);

/// An exchange's place in the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(usize);

impl Ledger {
    /// A copy of all that was served so far.
    pub fn served(&self) -> Vec<Served> {
        self.lock().clone()
    }

    /// How many requests came.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no request came.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn begin(&self, request: Request, answer: &Answer) -> Place {
        let mut served = self.lock();
        served.push(Served {
            request,
            streamed: answer.is_stream(),
            limits: answer.limits.clone(),
            encoding: answer.content_encoding(),
            ..Served::default()
        });
        Place(served.len() - 1)
    }

    pub(super) fn note(&self, place: Place, note: impl FnOnce(&mut Served)) {
        note(&mut self.lock()[place.0]);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Served>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
