//! What was recorded while nobody was there to ask.
//!
//! Stopping the exporter opts out. If it is gone for longer than the grace, the entries of that time are withheld:
//! they stay in the spool and are counted here, but are not exported.

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

/// One absence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// When the exporter was last known to be alive.
    pub from: UnixMillis,
    /// When it was started again.
    pub until: UnixMillis,
    /// How many entries ended meanwhile.
    pub entries: u64,
}

/// All absences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Withheld(Vec<Absence>);

impl Withheld {
    /// The most absences that are told apart; beyond it the oldest two become one, with the time between them.
    const MAX: usize = 64;

    /// Notes an absence.
    pub fn add(&mut self, from: UnixMillis, until: UnixMillis) {
        if self.0.len() == Self::MAX {
            let oldest = self.0.remove(0);
            self.0[0].from = oldest.from;
            self.0[0].entries += oldest.entries;
        }
        self.0.push(Absence { from, until, entries: 0 });
    }

    /// It is `now`: no absence lasts longer.
    pub fn come_back(&mut self, now: UnixMillis) {
        self.0.iter_mut().for_each(|absence| absence.until = absence.until.min(now));
    }

    /// Whether an entry that ended at `at` may be counted; one that may not is noted.
    pub fn lets_through(&mut self, at: UnixMillis) -> bool {
        // An entry that ended in the very moment of the last sign of life may have been counted already, or not yet
        // been read: the positions tell, so it is let through.
        let absence = self.0.iter_mut().find(|absence| absence.from < at && at < absence.until);
        absence.map(|absence| absence.entries += 1).is_none()
    }

    /// All of them.
    pub fn absences(&self) -> &[Absence] {
        &self.0
    }

    /// The absences in which something was withheld.
    pub fn iter(&self) -> impl Iterator<Item = &Absence> {
        self.0.iter().filter(|absence| absence.entries > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_an_absence_are_counted_and_held_back() {
        let mut withheld = Withheld::default();
        withheld.add(UnixMillis(100), UnixMillis(200));
        assert!(withheld.lets_through(UnixMillis(100)));
        assert!(!withheld.lets_through(UnixMillis(150)));
        assert!(withheld.lets_through(UnixMillis(200)));
        assert_eq!(withheld.iter().map(|absence| absence.entries).sum::<u64>(), 1);
    }

    #[test]
    fn absences_do_not_pile_up_for_ever() {
        let mut withheld = Withheld::default();
        for i in 0..1000 {
            withheld.add(UnixMillis(i * 10), UnixMillis(i * 10 + 5));
        }
        assert_eq!(withheld.0.len(), Withheld::MAX);
        assert!(!withheld.lets_through(UnixMillis(9992)));
    }
}
