//! What a session has sent before.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use ccxray_shared::Name;

/// Things per generation; two generations are kept.
const GENERATION: usize = 4096;

/// Remembers the things seen last: at least [`GENERATION`] of them, at most twice as many, 8 bytes of each.
#[derive(Debug, Default)]
pub struct Repeats {
    hasher: RandomState,
    young: HashMap<u64, u32>,
    old: HashMap<u64, u32>,
}

impl Repeats {
    /// How often `session` has sent `thing` before now, as far as is remembered.
    pub fn see(&mut self, session: &Name<'_>, thing: &[u8]) -> u32 {
        let seen = self.hasher.hash_one((session.as_str(), thing));
        if let Some(count) = self.young.get_mut(&seen) {
            *count += 1;
            return *count;
        }
        let before = self.old.remove(&seen).map_or(0, |count| count + 1);
        if self.young.len() == GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(seen, before);
        before
    }

    /// Whether `session` has sent `thing`, as far as is remembered.
    pub fn has_seen(&self, session: &Name<'_>, thing: &[u8]) -> bool {
        let seen = self.hasher.hash_one((session.as_str(), thing));
        self.young.contains_key(&seen) || self.old.contains_key(&seen)
    }

    /// Remembers no more that `session` has sent `thing`.
    pub fn forget(&mut self, session: &Name<'_>, thing: &[u8]) {
        let seen = self.hasher.hash_one((session.as_str(), thing));
        self.young.remove(&seen);
        self.old.remove(&seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(i: usize) -> Name<'static> {
        Name::from_string(format!("{i:016x}"))
    }

    #[test]
    fn the_same_thing_in_the_same_session_is_a_repeat() {
        let mut repeats = Repeats::default();
        assert_eq!([0, 1, 2].map(|_| repeats.see(&session(1), b"a")), [0, 1, 2]);
        assert_eq!(repeats.see(&session(2), b"a"), 0, "another session");
        assert_eq!(repeats.see(&session(1), b"b"), 0, "another thing");
        assert!(repeats.has_seen(&session(1), b"a"));
        repeats.forget(&session(1), b"a");
        assert!(!repeats.has_seen(&session(1), b"a"));
        assert!(!repeats.has_seen(&session(2), b"b"));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_recent_stays() {
        let mut repeats = Repeats::default();
        for i in 0..10 * GENERATION {
            repeats.see(&session(1), &i.to_le_bytes());
            assert!(repeats.young.len() + repeats.old.len() <= 2 * GENERATION);
        }
        assert_eq!(repeats.see(&session(1), &(9 * GENERATION + 1).to_le_bytes()), 1);
        assert_eq!(repeats.see(&session(1), &0_usize.to_le_bytes()), 0);
    }
}
