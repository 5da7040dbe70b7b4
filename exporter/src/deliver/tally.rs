//! What became of snapshots over the last day, in pieces of ten minutes.
//!
//! Coarse on purpose: a day fits into the checkpoint, and a restart does not lose it.

use std::{collections::VecDeque, ops::AddAssign, time::Duration};

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

/// The length of a piece.
const PIECE: Duration = Duration::from_mins(10);
/// The longest span that can be asked for.
const KEPT: Duration = Duration::from_hours(24);
/// As many as a day may touch.
const MOST_PIECES: usize = 145;

/// What became of snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Snapshots that the destination acknowledged.
    pub succeeded: u64,
    /// Attempts that came to nothing and are made again; one snapshot may have several.
    pub failed: u64,
    /// Snapshots that were given up. Later ones hold what they held.
    pub dropped: u64,
}

impl Counts {
    /// One acknowledged snapshot.
    pub const SUCCEEDED: Self = Self { succeeded: 1, failed: 0, dropped: 0 };
    /// One failed attempt.
    pub const FAILED: Self = Self { succeeded: 0, failed: 1, dropped: 0 };

    /// So many snapshots given up.
    pub const fn dropped(snapshots: u64) -> Self {
        Self { succeeded: 0, failed: 0, dropped: snapshots }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.succeeded += more.succeeded;
        self.failed += more.failed;
        self.dropped += more.dropped;
    }
}

/// The pieces of the last day, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(VecDeque<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    start: UnixMillis,
    #[serde(flatten)]
    counts: Counts,
}

impl Tally {
    /// Adds what happened at `now`. After the clock was set back, it is added to the newest piece.
    pub fn add(&mut self, counts: Counts, now: UnixMillis) {
        self.0.retain(|piece| piece.ends_after(now.before(KEPT)));
        let start = piece_start(now);
        match self.0.back_mut() {
            Some(newest) if newest.start >= start => newest.counts += counts,
            Some(_) | None => self.0.push_back(Piece { start, counts }),
        }
        while self.0.len() > MOST_PIECES {
            self.0.pop_front();
        }
    }

    /// What happened in the `span` before `now`, up to a piece more: the oldest one counts whole.
    pub fn over(&self, span: Duration, now: UnixMillis) -> Counts {
        let mut sum = Counts::default();
        let within = self.0.iter().filter(|piece| piece.ends_after(now.before(span)));
        within.for_each(|piece| sum += piece.counts);
        sum
    }
}

impl Piece {
    fn ends_after(&self, time: UnixMillis) -> bool {
        self.start.after(PIECE) > time
    }
}

fn piece_start(time: UnixMillis) -> UnixMillis {
    let length = u64::try_from(PIECE.as_millis()).unwrap_or(u64::MAX);
    UnixMillis(time.0 - time.0 % length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const HOUR: Duration = Duration::from_hours(1);

    fn at(minutes: u64) -> UnixMillis {
        UnixMillis(1_800_000_000_000 + minutes * MINUTE)
    }

    #[test]
    fn an_hour_and_a_day_are_summed_apart() {
        let mut tally = Tally::default();
        tally.add(Counts::FAILED, at(0));
        tally.add(Counts::SUCCEEDED, at(120));
        tally.add(Counts::SUCCEEDED, at(121));
        tally.add(Counts::dropped(3), at(150));
        let hour = Counts { succeeded: 2, failed: 0, dropped: 3 };
        assert_eq!(tally.over(HOUR, at(155)), hour);
        assert_eq!(tally.over(KEPT, at(155)), Counts { failed: 1, ..hour });
        assert_eq!(tally.over(HOUR, at(200)), Counts::dropped(3));
    }

    #[test]
    fn what_happened_an_hour_ago_fades_within_ten_minutes() {
        let mut tally = Tally::default();
        tally.add(Counts::SUCCEEDED, at(9));
        assert_eq!(tally.over(HOUR, at(69)).succeeded, 1);
        assert_eq!(tally.over(HOUR, at(70)).succeeded, 0);
    }

    #[test]
    fn a_week_of_snapshots_takes_no_more_room_than_a_day() {
        let mut tally = Tally::default();
        for minute in 0..7 * 24 * 60 {
            tally.add(Counts::SUCCEEDED, at(minute));
        }
        assert!(tally.0.len() <= MOST_PIECES, "{}", tally.0.len());
        let day = tally.over(KEPT, at(7 * 24 * 60)).succeeded;
        assert!((1440..=1450).contains(&day), "{day}");
    }

    #[test]
    fn a_clock_set_back_loses_nothing() {
        let mut tally = Tally::default();
        tally.add(Counts::SUCCEEDED, at(60));
        tally.add(Counts::SUCCEEDED, at(0));
        assert_eq!(tally.over(HOUR, at(0)).succeeded, 2);
        let json = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&json).unwrap(), tally);
    }
}
