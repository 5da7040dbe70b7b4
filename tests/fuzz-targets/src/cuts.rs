//! Inputs that say how they are to be fed.

/// The first byte, and what follows it.
pub(crate) fn split(data: &[u8]) -> Option<(usize, &[u8])> {
    data.split_first().map(|(first, rest)| (usize::from(*first), rest))
}

/// Ways to cut `bytes`: whole, bytewise, and in pieces of a length that `choice` makes.
pub(crate) fn ways(bytes: &[u8], choice: usize) -> [Vec<&[u8]>; 3] {
    [vec![bytes], bytes.chunks(1).collect(), bytes.chunks(2 + choice % 61).collect()]
}

/// What `read` makes of `bytes`, which must be the same however they are cut.
pub(crate) fn same_however_cut<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    choice: usize,
    read: impl Fn(&[&[u8]]) -> T,
) -> T {
    let [whole, bytewise, pieces] = ways(bytes, choice).map(|pieces| read(&pieces));
    assert_eq!(bytewise, whole, "bytewise");
    assert_eq!(pieces, whole, "in pieces");
    whole
}
