//! What a session has sent before.

use ccxray_shared::Name;

use super::recent::Recent;

/// Counts how often a thing was sent, for the things seen last; bounded as [`Recent`] is.
#[derive(Debug, Default)]
pub struct Repeats(Recent<u32>);

impl Repeats {
    /// How often `session` has sent `thing` before now, as far as is remembered.
    pub fn see(&mut self, session: &Name<'_>, thing: &[u8]) -> u32 {
        let before = self.0.get(session, thing).map_or(0, |count| count.saturating_add(1));
        self.0.put(session, thing, before);
        before
    }

    /// Whether `session` has sent `thing`, as far as is remembered.
    pub fn has_seen(&self, session: &Name<'_>, thing: &[u8]) -> bool {
        self.0.get(session, thing).is_some()
    }

    /// Remembers no more that `session` has sent `thing`.
    pub fn forget(&mut self, session: &Name<'_>, thing: &[u8]) {
        self.0.forget(session, thing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_in_the_same_session_is_a_repeat() {
        let (one, two) = (Name::from_wire("1"), Name::from_wire("2"));
        let mut repeats = Repeats::default();
        assert_eq!([0, 1, 2].map(|_| repeats.see(&one, b"a")), [0, 1, 2]);
        assert_eq!(repeats.see(&two, b"a"), 0, "another session");
        assert_eq!(repeats.see(&one, b"b"), 0, "another thing");
        assert!(repeats.has_seen(&one, b"a"));
        repeats.forget(&one, b"a");
        assert!(!repeats.has_seen(&one, b"a"));
        assert!(!repeats.has_seen(&two, b"b"));
    }
}
