//! Short texts, eight bytes at a time: most attributes have less than twenty, and to call the C library for each of them
//! would cost more than the work itself.

/// Whether they are the same.
pub(super) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len() && words(a).eq(words(b)) && tail(a) == tail(b)
}

/// `hash` with `text` mixed in. It need not withstand anybody who looks for collisions.
pub(super) fn hashed(hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let hash = words(bytes).fold(hash, |hash, word| fold(hash ^ word));
    fold(hash ^ tail(bytes)) ^ bytes.len() as u64
}

/// Odd, and its bits look random: the fractional part of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads a change of any bit over all bits.
#[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
pub(super) fn fold(hash: u64) -> u64 {
    let wide = u128::from(hash) * u128::from(FACTOR);
    wide as u64 ^ (wide >> 64) as u64
}

/// All whole words.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// The last eight bytes; of a shorter text all of them, some twice. Of texts of one length no two have the same.
fn tail(bytes: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    match *bytes {
        [] => 0,
        [only] => u64::from(only),
        [first, last] => u64::from(first) << 8 | u64::from(last),
        [first, middle, last, ..] => u64::from(first) << 16 | u64::from(middle) << 8 | u64::from(last),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const TEXT: &str = "mcp__server__a-long-name";

    #[test]
    fn a_text_of_any_length_is_the_same_as_itself_and_as_no_other_that_differs_in_one_byte() {
        for length in 0..=TEXT.len() {
            let text = &TEXT[..length];
            let elsewhere = text.to_owned();
            assert!(same(text, &elsewhere), "{text}");
            for place in 0..length {
                let other = format!("{}!{}", &text[..place], &text[place + 1..]);
                assert!(!same(text, &other), "{text} {other}");
                assert_ne!(hashed(1, text), hashed(1, &other), "{text} {other}");
            }
        }
    }

    #[test]
    fn a_text_is_no_beginning_of_itself() {
        let hashes: HashSet<u64> = (0..=TEXT.len()).map(|length| hashed(1, &TEXT[..length])).collect();
        assert_eq!(hashes.len(), TEXT.len() + 1);
        assert!(!same("", "\0") && !same("a", "aa") && !same("aaaaaaaa", "aaaaaaa"));
    }
}
