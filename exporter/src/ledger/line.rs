//! A record as a line.
//!
//! `<CRC-32 of the rest, 8 hex digits> <running number> <the record as JSON>` and a newline. The numbers have no holes,
//! so that a missing line is noticed as well as a changed one.

use serde::{Deserialize, Serialize};

use super::Record;

/// A line's running number, from 1. It goes on when the file is written anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub u64);

impl Number {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A line that says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It was cut off or changed.
    #[error("the line is damaged")]
    Damaged,
    /// It is whole, but not a record that this build knows.
    #[error("the line holds no known record")]
    Unknown(#[source] serde_json::Error),
}

/// Appends the line of `record`, newline included.
pub fn encode(number: Number, record: &Record, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let body = format!("{} {}", number.0, serde_json::to_string(record)?);
    out.extend_from_slice(format!("{:08x} {body}\n", crc32fast::hash(body.as_bytes())).as_bytes());
    Ok(())
}

/// Reads a line, without its newline.
pub fn decode(line: &[u8]) -> Result<(Number, Record), DecodeError> {
    let (number, json) = checked(line).ok_or(DecodeError::Damaged)?;
    Ok((number, serde_json::from_str(json).map_err(DecodeError::Unknown)?))
}

fn checked(line: &[u8]) -> Option<(Number, &str)> {
    let (crc, body) = str::from_utf8(line).ok()?.split_once(' ')?;
    if crc != format!("{:08x}", crc32fast::hash(body.as_bytes())) {
        return None;
    }
    let (number, json) = body.split_once(' ')?;
    Some((Number(number.parse().ok()?), json))
}

#[cfg(test)]
mod tests {
    use ccxray_shared::UnixMillis;

    use super::*;
    use crate::ledger::SpanId;

    fn line(number: u64) -> Vec<u8> {
        let mut line = Vec::new();
        let record = Record::Exported { span: SpanId::from_bits(0xa), cut: UnixMillis(60_000) };
        encode(Number(number), &record, &mut line).unwrap();
        assert_eq!(line.pop(), Some(b'\n'));
        line
    }

    #[test]
    fn a_line_is_text_that_other_programs_can_read() {
        // The checksum is zlib's crc32 of what follows the first blank.
        let expected = r#"f209056b 7 {"kind":"exported","span":"000000000000000a","cut":60000}"#;
        assert_eq!(String::from_utf8(line(7)).unwrap(), expected);
        assert_eq!(decode(expected.as_bytes()).unwrap().0, Number(7));
    }

    #[test]
    fn no_part_of_a_line_and_no_line_with_a_byte_changed_is_one() {
        let whole = line(7);
        for i in 0..whole.len() {
            assert!(decode(&whole[..i]).is_err(), "cut at {i}");
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[i] ^= 1 << bit;
                assert!(matches!(decode(&changed), Err(DecodeError::Damaged)), "bit {bit} of byte {i}");
            }
        }
    }

    #[test]
    fn a_record_of_a_newer_build_is_no_damage_but_says_nothing_here() {
        let body = r#"1 {"kind":"repented"}"#;
        let line = format!("{:08x} {body}", crc32fast::hash(body.as_bytes()));
        assert!(matches!(decode(line.as_bytes()), Err(DecodeError::Unknown(_))));
    }

    proptest::proptest! {
        #[test]
        fn bytes_of_any_kind_are_taken_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            proptest::prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn text_behind_a_right_checksum_is_taken_without_panic(body in r#"[0-9]{0,22} ?[{}\[\]",:a-z0-9 ]{0,80}"#) {
            let line = format!("{:08x} {body}", crc32fast::hash(body.as_bytes()));
            proptest::prop_assert!(decode(line.as_bytes()).is_err());
        }
    }
}
