//! What is remembered of the things seen last, whatever comes.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use ccxray_shared::Name;

/// Things per generation; two generations are kept.
const GENERATION: usize = 4096;

/// Remembers a value for each of the things written down last: at least [`GENERATION`] of them, at most twice as
/// many. Of the things themselves it keeps 8 bytes, hashed with a secret that ends with the process.
#[derive(Debug)]
pub struct Recent<V> {
    hasher: RandomState,
    young: HashMap<u64, V>,
    old: HashMap<u64, V>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), young: HashMap::new(), old: HashMap::new() }
    }
}

impl<V> Recent<V> {
    /// What is remembered of `thing` within `scope`.
    pub fn get(&self, scope: &Name<'_>, thing: &[u8]) -> Option<&V> {
        let at = self.place(scope, thing);
        self.young.get(&at).or_else(|| self.old.get(&at))
    }

    /// Remembers `value` of `thing` within `scope`, instead of what was known of it.
    pub fn put(&mut self, scope: &Name<'_>, thing: &[u8], value: V) {
        let at = self.place(scope, thing);
        self.old.remove(&at);
        if self.young.len() == GENERATION && !self.young.contains_key(&at) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(at, value);
    }

    /// Remembers nothing more of `thing`, and says what was known.
    pub fn forget(&mut self, scope: &Name<'_>, thing: &[u8]) -> Option<V> {
        let at = self.place(scope, thing);
        self.young.remove(&at).or_else(|| self.old.remove(&at))
    }

    fn place(&self, scope: &Name<'_>, thing: &[u8]) -> u64 {
        self.hasher.hash_one((scope.as_str(), thing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(i: usize) -> Name<'static> {
        Name::from_string(format!("{i:016x}"))
    }

    #[test]
    fn the_last_word_on_a_thing_counts_within_its_scope() {
        let mut recent = Recent::default();
        recent.put(&scope(1), b"a", 1);
        recent.put(&scope(1), b"a", 2);
        assert_eq!(
            (recent.get(&scope(1), b"a"), recent.get(&scope(2), b"a"), recent.get(&scope(1), b"b")),
            (Some(&2), None, None)
        );
        assert_eq!((recent.forget(&scope(1), b"a"), recent.forget(&scope(1), b"a")), (Some(2), None));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_recent_stays() {
        let mut recent = Recent::default();
        for i in 0..10 * GENERATION {
            recent.put(&scope(1), &i.to_le_bytes(), i);
            assert!(recent.young.len() + recent.old.len() <= 2 * GENERATION);
        }
        let recent = |i: usize| recent.get(&scope(1), &i.to_le_bytes()).copied();
        assert_eq!((recent(9 * GENERATION + 1), recent(0)), (Some(9 * GENERATION + 1), None));
    }

    #[test]
    fn what_is_written_down_anew_grows_young_again() {
        let mut recent = Recent::default();
        for i in 0..10 * GENERATION {
            recent.put(&scope(2), b"kept", 7);
            recent.put(&scope(1), &i.to_le_bytes(), 0);
        }
        assert_eq!(recent.get(&scope(2), b"kept"), Some(&7));
    }
}
