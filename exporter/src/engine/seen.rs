//! The directories that entries came from.
//!
//! Consent is read again for them after a restart, and `status` tells what becomes of each.

use std::collections::BTreeMap;

use ccxray_shared::UnixMillis;

use crate::checkpoint::SeenDirectory;

/// The most that are remembered; beyond it the one goes whose last entry is the oldest.
const MOST: usize = 256;

/// Directories with the time of their last entry.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<Box<str>, UnixMillis>);

impl Seen {
    pub(super) fn restore(saved: Vec<SeenDirectory>) -> Self {
        Self(saved.into_iter().map(|SeenDirectory { dir, last }| (dir.into(), last)).collect())
    }

    pub(super) fn save(&self) -> Vec<SeenDirectory> {
        self.0.iter().map(|(dir, &last)| SeenDirectory { dir: dir.to_string(), last }).collect()
    }

    /// An entry that ended at `at` came from `dir`.
    pub(super) fn note(&mut self, dir: &str, at: UnixMillis) {
        if let Some(last) = self.0.get_mut(dir) {
            *last = at.max(*last);
            return;
        }
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|&(_, last)| *last).map(|(dir, _)| dir.clone());
            oldest.map(|dir| self.0.remove(&dir));
        }
        self.0.insert(dir.into(), at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_directories_the_one_that_was_last_seen_first_is_forgotten() {
        let mut seen = Seen::default();
        for n in 0..MOST as u64 {
            seen.note(&format!("/{n}"), UnixMillis(n));
        }
        seen.note("/0", UnixMillis(1000));
        seen.note("/new", UnixMillis(1001));
        let dirs: Vec<String> = Seen::restore(seen.save()).save().into_iter().map(|seen| seen.dir).collect();
        assert_eq!(dirs.len(), MOST);
        assert!(dirs.contains(&"/0".to_owned()) && !dirs.contains(&"/1".to_owned()));
    }
}
