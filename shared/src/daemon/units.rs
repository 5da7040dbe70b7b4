//! Durations and sizes as users write them, always with their unit.

use std::time::Duration;

/// Not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}; write a whole number and a unit, for example {example}")]
pub struct ParseUnitError {
    found: String,
    what: &'static str,
    example: &'static str,
}

/// Reads `250ms`, `30s`, `5m`, `1h`, `30d`.
pub fn parse_duration(text: &str) -> Result<Duration, ParseUnitError> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    parse(text, &units).map(Duration::from_millis).ok_or_else(|| ParseUnitError {
        found: text.to_owned(),
        what: "duration",
        example: "`30s` or `5m`",
    })
}

/// Reads `512B`, `64KiB`, `16MiB`, `1GiB` into bytes.
pub fn parse_size(text: &str) -> Result<u64, ParseUnitError> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];
    parse(text, &units).ok_or_else(|| ParseUnitError {
        found: text.to_owned(),
        what: "size",
        example: "`512MiB` or `1GiB`",
    })
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let &(_, factor) = units.iter().find(|&&(name, _)| name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_hours(720)));
        assert_eq!(parse_size("1GiB"), Ok(1 << 30));
        assert_eq!(parse_size("0B"), Ok(0));
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        for text in ["", "5", "s", "5 s", "-5s", "5w", "99999999999999999999s", "1.5h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        for text in ["1", "1GB", "1gib", "18446744073709551615KiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
