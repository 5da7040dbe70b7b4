//! Days of the calendar.

use std::fmt;

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A day, as `2026-11-20`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    text: String,
    /// Days since 1970-01-01.
    days: u64,
}

/// Not a day.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no day such as \"2026-11-20\"")]
pub struct NoDateError(String);

impl Date {
    /// How many whole days before `now` it was; 0 if the clock says that it has not come yet.
    pub fn days_before(&self, now: UnixMillis) -> u64 {
        (now.0 / DAY_MS).saturating_sub(self.days)
    }
}

impl TryFrom<String> for Date {
    type Error = NoDateError;
    fn try_from(text: String) -> Result<Self, NoDateError> {
        match days(&text) {
            Some(days) => Ok(Self { text, days }),
            None => Err(NoDateError(text)),
        }
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.text
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The days from 1970-01-01 to `date`, after Howard Hinnant's `days_from_civil`: years begin in March, so that the
/// leap day is their last.
fn days(date: &str) -> Option<u64> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (153 * from_march + 2) / 5 + day - 1).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (text, expected) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2026-11-20", 20_777)] {
            assert_eq!(days(text), Some(expected), "{text}");
        }
        for none in ["", "2026-11", "2026-13-01", "soon", "0001-01-01"] {
            assert_eq!(days(none), None, "{none}");
        }
    }

    #[test]
    fn a_day_ages_by_whole_days() {
        let day = Date::try_from("2026-11-20".to_owned()).unwrap();
        assert_eq!(day.days_before(UnixMillis(20_777 * DAY_MS)), 0);
        assert_eq!(day.days_before(UnixMillis(20_807 * DAY_MS + 5)), 30);
        assert_eq!(day.days_before(UnixMillis(0)), 0, "a clock that is wrong");
    }
}
