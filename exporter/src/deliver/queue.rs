//! Snapshots that wait for their destination.
//!
//! A snapshot holds totals, so a later one says everything that an earlier one said, with less resolution in time.
//! That is why the queue can stay small through an outage of any length: when it is full, every second snapshot goes,
//! the newest never. Only what has never been sent waits here; the zero points of what goes are carried over into the
//! next snapshot that stays.

use std::{collections::VecDeque, sync::Arc};

use super::{messages::CutId, payload::Payload, zeros};

/// A snapshot, encoded.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What it covers.
    pub cut: CutId,
    /// What to send.
    pub payload: Payload,
    /// Whether it holds zero points.
    pub has_zeros: bool,
}

impl Waiting {
    /// Takes over the zero points of `dropped`, which is older and will not be sent.
    fn inherit(&mut self, dropped: &Self) {
        if dropped.has_zeros {
            let mut request = self.payload.decode();
            zeros::carry((&dropped.payload.decode(), dropped.cut), (&mut request, self.cut));
            self.payload = Payload::encode(&request, self.payload.compression());
            self.has_zeros = zeros::any(&request, self.cut);
        }
    }
}

/// Divides what may wait in all evenly among the queues that hold it: a destination that is away takes no room from the
/// others.
#[derive(Debug, Default)]
pub struct Shares(Arc<()>);

/// One queue's share.
#[derive(Debug)]
pub struct Share(Arc<()>);

impl Shares {
    /// One more share; the others become smaller for as long as it is there.
    pub fn one_more(&self) -> Share {
        Share(Arc::clone(&self.0))
    }
}

impl Share {
    /// The only one.
    pub fn whole() -> Self {
        Shares::default().one_more()
    }

    /// What it is of `all`. Whoever divides holds a reference, too, unless he is gone.
    fn of(&self, all: Limits) -> Limits {
        let shares = (Arc::strong_count(&self.0) - 1).max(1);
        Limits { snapshots: all.snapshots / shares, bytes: all.bytes / shares }
    }
}

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Snapshots.
    pub snapshots: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { snapshots: 2048, bytes: 8 << 20 }
    }
}

/// A bounded queue, oldest first.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    limits: Limits,
    share: Share,
}

impl Queue {
    /// An empty queue, for its share of what `limits` allow in all.
    pub fn new(limits: Limits, share: Share) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, limits, share }
    }

    /// Appends the newest snapshot; returns how many older ones had to go for it.
    pub fn push(&mut self, newest: Waiting) -> u64 {
        self.bytes += newest.payload.len();
        self.waiting.push_back(newest);
        let before = self.waiting.len();
        while self.is_over() && self.waiting.len() > 1 {
            self.thin();
        }
        (before - self.waiting.len()) as u64
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Waiting> {
        let oldest = self.waiting.pop_front()?;
        self.bytes -= oldest.payload.len();
        Some(oldest)
    }

    /// Drops all but the newest; returns how many.
    pub fn keep_newest(&mut self) -> u64 {
        let before = self.waiting.len();
        self.keep(|index, len| index + 1 == len);
        (before - self.waiting.len()) as u64
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// None waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn is_over(&self) -> bool {
        let limits = self.share.of(self.limits);
        self.waiting.len() > limits.snapshots || self.bytes > limits.bytes
    }

    /// Drops every second, counted back from the newest, which stays.
    fn thin(&mut self) {
        self.keep(|index, len| (len - 1 - index).is_multiple_of(2));
    }

    /// Keeps those that `stays` accepts, of an index and the length. The newest must stay.
    fn keep(&mut self, stays: impl Fn(usize, usize) -> bool) {
        let len = self.waiting.len();
        let mut dropped: Vec<Waiting> = Vec::new();
        for (index, mut waiting) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if stays(index, len) {
                dropped.drain(..).for_each(|older| waiting.inherit(&older));
                self.waiting.push_back(waiting);
            } else {
                dropped.push(waiting);
            }
        }
        self.bytes = self.waiting.iter().map(|waiting| waiting.payload.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::{
        payload::{Compression, tests::request},
        zeros::tests::snapshot as snapshot_of,
    };

    fn snapshot(cut: u64) -> Waiting {
        let payload = Payload::encode(&request(&["a"]), Compression::None);
        Waiting { cut: CutId(cut), payload, has_zeros: false }
    }

    fn cuts(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).map(|waiting| waiting.cut.0).collect()
    }

    #[test]
    fn a_full_queue_loses_every_second_snapshot_and_counts_them() {
        let mut queue = Queue::new(Limits { snapshots: 4, bytes: 1 << 20 }, Share::whole());
        let dropped: Vec<u64> = (1..=7).map(|cut| queue.push(snapshot(cut))).collect();
        // 1 2 3 4 | 5 comes: 1 3 5 | 6: 1 3 5 6 | 7 comes: 1 5 7.
        assert_eq!(dropped, [0, 0, 0, 0, 2, 0, 2]);
        assert_eq!(cuts(&mut queue), [1, 5, 7]);
    }

    #[test]
    fn bytes_count_as_well_as_snapshots() {
        let one = snapshot(0).payload.len();
        let mut queue = Queue::new(Limits { snapshots: 100, bytes: 3 * one }, Share::whole());
        assert_eq!((1..=4).map(|cut| queue.push(snapshot(cut))).sum::<u64>(), 2);
        assert_eq!(cuts(&mut queue), [2, 4]);
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn what_may_wait_is_divided_among_the_queues_that_there_are() {
        let (shares, limits) = (Shares::default(), Limits { snapshots: 8, bytes: 1 << 20 });
        let mut queues: Vec<Queue> = (0..4).map(|_| Queue::new(limits, shares.one_more())).collect();
        for queue in &mut queues {
            assert!((1..=50).map(|cut| queue.push(snapshot(cut))).sum::<u64>() > 0);
            assert_eq!(queue.len(), 2);
        }
        queues.truncate(1);
        let _: u64 = (51..=58).map(|cut| queues[0].push(snapshot(cut))).sum();
        assert!(queues[0].len() > 2, "the places of those that are gone are free");
    }

    #[test]
    fn the_newest_stays_even_if_it_is_larger_than_the_queue() {
        let mut queue = Queue::new(Limits { snapshots: 10, bytes: 1 }, Share::whole());
        for cut in 1..=5 {
            queue.push(snapshot(cut));
        }
        assert_eq!(cuts(&mut queue), [5]);
    }

    #[test]
    fn the_zeros_of_what_goes_are_in_what_stays() {
        let waiting = |cut: u64, points: &[(u64, i64)]| Waiting {
            cut: CutId(cut),
            payload: Payload::encode(&snapshot_of(points), Compression::Gzip),
            has_zeros: zeros::any(&snapshot_of(points), CutId(cut)),
        };
        let mut queue = Queue::new(Limits { snapshots: 2, bytes: 1 << 20 }, Share::whole());
        queue.push(waiting(60, &[(60, 1)]));
        queue.push(waiting(120, &[(60, 0), (120, 5)]));
        assert_eq!(queue.push(waiting(180, &[(180, 7)])), 1);
        queue.pop();
        assert_eq!(queue.pop().unwrap().payload.decode(), snapshot_of(&[(120, 0), (180, 7)]));
    }

    #[test]
    fn keeping_the_newest_drops_and_counts_the_rest() {
        let mut queue = Queue::new(Limits::default(), Share::whole());
        assert_eq!(queue.keep_newest(), 0);
        for cut in 1..=5 {
            queue.push(snapshot(cut));
        }
        assert_eq!(queue.keep_newest(), 4);
        assert_eq!(cuts(&mut queue), [5]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_uncounted_nor_reordered(
            ops in proptest::collection::vec(proptest::bool::weighted(0.8), 1..400),
        ) {
            let mut queue = Queue::new(Limits { snapshots: 16, bytes: 1 << 20 }, Share::whole());
            let (mut pushed, mut popped, mut dropped, mut last) = (0, 0, 0, 0);
            for push in ops {
                if push {
                    pushed += 1;
                    dropped += queue.push(snapshot(pushed));
                } else if let Some(waiting) = queue.pop() {
                    popped += 1;
                    proptest::prop_assert!(waiting.cut.0 > last);
                    last = waiting.cut.0;
                }
                proptest::prop_assert!(queue.len() <= 16);
                proptest::prop_assert_eq!(pushed, popped + dropped + queue.len() as u64);
            }
        }
    }
}
