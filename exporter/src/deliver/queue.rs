//! Snapshots that wait for their destination.
//!
//! A snapshot holds totals, so a later one says everything that an earlier one said, with less resolution in time.
//! That is why the queue can stay small through an outage of any length: when it is full, every second snapshot goes,
//! the newest never.

use std::collections::VecDeque;

use super::{payload::Payload, worker::CutId};

/// A snapshot, encoded.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What it covers.
    pub cut: CutId,
    /// What to send.
    pub payload: Payload,
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
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, limits }
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
        let dropped = self.waiting.len().saturating_sub(1);
        self.waiting.drain(..dropped);
        self.recount();
        dropped as u64
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
        self.waiting.len() > self.limits.snapshots || self.bytes > self.limits.bytes
    }

    /// Drops every second, counted back from the newest, which stays.
    fn thin(&mut self) {
        let newest_parity = (self.waiting.len() - 1) % 2;
        let mut index = 0;
        self.waiting.retain(|_| {
            index += 1;
            (index - 1) % 2 == newest_parity
        });
        self.recount();
    }

    fn recount(&mut self) {
        self.bytes = self.waiting.iter().map(|waiting| waiting.payload.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::payload::{Compression, tests::request};

    fn snapshot(cut: u64) -> Waiting {
        Waiting { cut: CutId(cut), payload: Payload::encode(&request(&["a"]), Compression::None) }
    }

    fn cuts(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).map(|waiting| waiting.cut.0).collect()
    }

    #[test]
    fn a_full_queue_loses_every_second_snapshot_and_counts_them() {
        let mut queue = Queue::new(Limits { snapshots: 4, bytes: 1 << 20 });
        let dropped: Vec<u64> = (1..=7).map(|cut| queue.push(snapshot(cut))).collect();
        // 1 2 3 4 | 5 comes: 1 3 5 | 6: 1 3 5 6 | 7 comes: 1 5 7.
        assert_eq!(dropped, [0, 0, 0, 0, 2, 0, 2]);
        assert_eq!(cuts(&mut queue), [1, 5, 7]);
    }

    #[test]
    fn bytes_count_as_well_as_snapshots() {
        let one = snapshot(0).payload.len();
        let mut queue = Queue::new(Limits { snapshots: 100, bytes: 3 * one });
        assert_eq!((1..=4).map(|cut| queue.push(snapshot(cut))).sum::<u64>(), 2);
        assert_eq!(cuts(&mut queue), [2, 4]);
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn the_newest_stays_even_if_it_is_larger_than_the_queue() {
        let mut queue = Queue::new(Limits { snapshots: 10, bytes: 1 });
        for cut in 1..=5 {
            queue.push(snapshot(cut));
        }
        assert_eq!(cuts(&mut queue), [5]);
    }

    #[test]
    fn keeping_the_newest_drops_and_counts_the_rest() {
        let mut queue = Queue::new(Limits::default());
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
            let mut queue = Queue::new(Limits { snapshots: 16, bytes: 1 << 20 });
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
