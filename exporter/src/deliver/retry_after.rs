//! `Retry-After`: how long a server asks to be left alone.

use std::time::Duration;

use ccxray_shared::UnixMillis;

/// What is believed at most. A server that says more is broken, or means never.
pub const LONGEST: Duration = Duration::from_hours(1);

/// Reads seconds or an HTTP date, cut to [`LONGEST`]; `None` if it is neither, negative, or in the past.
pub fn parse(value: &str, now: UnixMillis) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 takes are more than an hour, too.
        return Some(value.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let date = UnixMillis::from_system(httpdate::parse_http_date(value).ok()?);
    let wait = date.since(now);
    (!wait.is_zero()).then_some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06T08:49:37Z, the date of the HTTP specification's own example.
    const EXAMPLE: UnixMillis = UnixMillis(784_111_777_000);

    #[test]
    fn seconds_and_dates_are_understood_and_capped_at_an_hour() {
        for (value, expected) in [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("3600", Some(3600)),
            ("3601", Some(3600)),
            ("99999999999999999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun Nov  6 08:50:07 1994", Some(30)),
            ("Tue, 08 Nov 1994 08:50:07 GMT", Some(3600)),
        ] {
            assert_eq!(parse(value, EXAMPLE), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn what_makes_no_sense_counts_as_absent() {
        for value in
            ["", "-1", "1.5", "+3", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", "Sat, 05 Nov 1994 08:49:37 GMT"]
        {
            assert_eq!(parse(value, EXAMPLE), None, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_panics_or_asks_for_more_than_an_hour(value in "\\PC{0,40}") {
            proptest::prop_assert!(parse(&value, EXAMPLE).is_none_or(|wait| wait <= LONGEST));
        }
    }
}
