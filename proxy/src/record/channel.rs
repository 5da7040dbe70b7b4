//! The bounded channel between the forwarding side and the recorder thread.
//!
//! One crossbeam channel keeps all messages in order. Its room is the sum of two: [`Limits::copies`] for body
//! chunks, which may be refused, and [`Limits::slots`] for the final facts, which may not. A copy is let in only
//! while fewer than `copies` of them are under way, so a reserved slot always finds room.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Relaxed},
    },
};

use crossbeam_channel::{Receiver, TrySendError};

use super::exchange::{Closing, Message};

/// How much may be under way between the two sides.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Chunks in the channel.
    pub copies: usize,
    /// Exchanges at the same time that get an entry.
    pub slots: usize,
    /// Bytes of body chunks that the recorder has not freed yet, in the channel and behind it.
    pub bytes: usize,
}

impl Default for Limits {
    /// 8192 chunks, 4096 exchanges, 64 MiB.
    fn default() -> Self {
        Self { copies: 8192, slots: 4096, bytes: 64 << 20 }
    }
}

#[derive(Debug)]
struct Gauges {
    limits: Limits,
    copies: AtomicUsize,
    slots: AtomicUsize,
    bytes: AtomicUsize,
    shed: AtomicU64,
    without_slot: AtomicU64,
}

/// The forwarding side's end.
#[derive(Clone, Debug)]
pub struct Sender {
    channel: crossbeam_channel::Sender<Message>,
    gauges: Arc<Gauges>,
}

/// The copy was refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Shed;

/// Room in the channel for one exchange's final facts; given back when dropped.
#[derive(Debug)]
pub struct Slot(Arc<Gauges>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.slots.fetch_sub(1, AcqRel);
    }
}

/// So many bytes of a copy; given back when dropped, which the recorder does when it frees the chunk.
#[derive(Debug)]
pub struct CopyPermit {
    gauges: Arc<Gauges>,
    bytes: usize,
    in_channel: bool,
}

impl CopyPermit {
    /// The message has left the channel: its place is free, its bytes are still held.
    pub fn received(&mut self) {
        if std::mem::take(&mut self.in_channel) {
            self.gauges.copies.fetch_sub(1, AcqRel);
        }
    }
}

impl Drop for CopyPermit {
    fn drop(&mut self) {
        self.received();
        self.gauges.bytes.fetch_sub(self.bytes, Relaxed);
    }
}

/// What the channel has had to refuse since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Copies given up.
    pub shed: u64,
    /// Exchanges that found no slot.
    pub without_slot: u64,
}

/// Makes a channel.
pub fn channel(limits: Limits) -> (Sender, Receiver<Message>) {
    let (sender, receiver) = crossbeam_channel::bounded(limits.copies + limits.slots);
    let gauges = Gauges {
        limits,
        copies: AtomicUsize::new(0),
        slots: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        shed: AtomicU64::new(0),
        without_slot: AtomicU64::new(0),
    };
    (Sender { channel: sender, gauges: Arc::new(gauges) }, receiver)
}

/// Adds `n` to `gauge` unless that would take it over `limit`. Acquires what gave the room back, so that the
/// place which the gauge shows as free is seen to be free in the channel too.
fn take(gauge: &AtomicUsize, n: usize, limit: usize) -> bool {
    let before = gauge.fetch_add(n, AcqRel);
    let fits = before.checked_add(n).is_some_and(|sum| sum <= limit);
    if !fits {
        gauge.fetch_sub(n, Relaxed);
    }
    fits
}

impl Sender {
    /// Reserves room for an exchange's final facts.
    pub fn reserve(&self) -> Option<Slot> {
        let taken = take(&self.gauges.slots, 1, self.gauges.limits.slots);
        if !taken {
            self.gauges.without_slot.fetch_add(1, Relaxed);
        }
        taken.then(|| Slot(self.gauges.clone()))
    }

    /// Sends a copy of `bytes` bytes, if there is room.
    pub fn try_copy(&self, bytes: usize, message: impl FnOnce(CopyPermit) -> Message) -> Result<(), Shed> {
        let gauges = &self.gauges;
        if take(&gauges.copies, 1, gauges.limits.copies) {
            if take(&gauges.bytes, bytes, gauges.limits.bytes) {
                let permit = CopyPermit { gauges: gauges.clone(), bytes, in_channel: true };
                return self.send(message(permit));
            }
            gauges.copies.fetch_sub(1, Relaxed);
        }
        gauges.shed.fetch_add(1, Relaxed);
        Err(Shed)
    }

    /// Sends the final facts into their reserved room.
    pub fn finish(&self, closing: Closing, slot: Slot) {
        // Only a recorder that is gone can refuse it, and then nobody is left to record.
        let _ = self.send(Message::Finish(Box::new(closing), slot));
    }

    /// What had to be refused so far.
    pub fn refusals(&self) -> Refusals {
        Refusals {
            shed: self.gauges.shed.load(Relaxed),
            without_slot: self.gauges.without_slot.load(Relaxed),
        }
    }

    /// Exchanges under way.
    pub fn active(&self) -> usize {
        self.gauges.slots.load(Relaxed)
    }

    fn send(&self, message: Message) -> Result<(), Shed> {
        match self.channel.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                debug_assert!(false, "a permit or a slot was given out for each message");
                Err(Shed)
            }
            Err(TrySendError::Disconnected(_)) => Err(Shed),
        }
    }
}
