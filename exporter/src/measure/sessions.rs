//! Which sessions have been seen.

use ccxray_shared::UnixMillis;

use super::series_table::HashedMap;

/// How long of event time a session is remembered after the day it was last seen.
const FORGOTTEN_AFTER_DAYS: u32 = 30;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// The sessions seen in the last 30 days: 8 bytes of each one's keyed hash, and the day it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    seen: HashedMap<u32>,
}

impl Sessions {
    /// Notes a session; whether it is new. A text that is no hash of 16 hex digits is never new.
    pub fn is_new(&mut self, hash: &str, now: UnixMillis) -> bool {
        let Ok(hash) = u64::from_str_radix(hash, 16) else { return false };
        let today = day(now);
        let Some(last) = self.seen.get_mut(&hash) else {
            self.seen.insert(hash, today);
            return true;
        };
        let is_new = is_forgotten(*last, today);
        *last = today.max(*last);
        is_new
    }

    /// Forgets what was not seen for 30 days.
    pub fn forget(&mut self, now: UnixMillis) {
        let today = day(now);
        self.seen.retain(|_, &mut last| !is_forgotten(last, today));
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// All of them as one text for the checkpoint, 24 hex digits each.
    pub fn to_text(&self) -> String {
        let mut all: Vec<String> =
            self.seen.iter().map(|(hash, day)| format!("{hash:016x}{day:08x}")).collect();
        all.sort_unstable();
        all.concat()
    }

    /// What the checkpoint kept; anything malformed is left out.
    pub fn from_text(text: &str) -> Self {
        let seen = text.as_bytes().chunks_exact(24).filter_map(|record| {
            let record = str::from_utf8(record).ok()?;
            let hash = u64::from_str_radix(record.get(..16)?, 16).ok()?;
            Some((hash, u32::from_str_radix(record.get(16..)?, 16).ok()?))
        });
        Self { seen: seen.collect() }
    }
}

fn day(time: UnixMillis) -> u32 {
    u32::try_from(time.0 / DAY_MS).unwrap_or(u32::MAX)
}

fn is_forgotten(last: u32, today: u32) -> bool {
    today.saturating_sub(last) > FORGOTTEN_AFTER_DAYS
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

    #[test]
    fn a_session_is_new_once_and_again_after_30_days() {
        let mut sessions = Sessions::default();
        let start = UnixMillis(20_000 * DAY_MS);
        assert!(sessions.is_new("00000000000000ff", start));
        assert!(!sessions.is_new("00000000000000ff", start.after(FORGOTTEN_AFTER)));
        let much_later = start.after(FORGOTTEN_AFTER).after(FORGOTTEN_AFTER).after(Duration::from_hours(24));
        assert!(sessions.is_new("00000000000000ff", much_later));
        sessions.forget(much_later.after(FORGOTTEN_AFTER).after(Duration::from_hours(24)));
        assert!(sessions.is_empty());
    }

    #[test]
    fn sessions_survive_the_checkpoint() {
        let mut sessions = Sessions::default();
        sessions.is_new("0123456789abcdef", UnixMillis(0));
        sessions.is_new("fedcba9876543210", UnixMillis(5 * DAY_MS));
        assert_eq!(Sessions::from_text(&sessions.to_text()), sessions);
        assert!(!sessions.is_new("not a hash", UnixMillis(0)));
    }
}
