//! Spool files: their names, their header, positions in them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Name, UnixMillis, entry::Seq};

/// What a stream's files end with.
pub const SEGMENT_SUFFIX: &str = ".jsonl";
/// What the lock that a living writer holds ends with.
pub const LOCK_SUFFIX: &str = ".lock";

/// One proxy process's stream of segments: 16 random hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId(u64);

impl StreamId {
    /// The id made of these random bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The name of the file that the stream's writer keeps locked while it lives.
    pub fn lock_name(self) -> String {
        format!("{self}{LOCK_SUFFIX}")
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct ParseNameError {
    found: String,
    expected: &'static str,
}

impl FromStr for StreamId {
    type Err = ParseNameError;
    fn from_str(s: &str) -> Result<Self, ParseNameError> {
        let hex = s.len() == 16 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        hex.then(|| u64::from_str_radix(s, 16).ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| ParseNameError { found: s.to_owned(), expected: "a stream id of 16 hex digits" })
    }
}

impl TryFrom<String> for StreamId {
    type Error = ParseNameError;
    fn try_from(s: String) -> Result<Self, ParseNameError> {
        s.parse()
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> String {
        id.to_string()
    }
}

/// A segment's place in its stream, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A segment: one spool file, `<stream id>-<sequence>.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// Whose.
    pub stream: StreamId,
    /// Which.
    pub sequence: Sequence,
}

impl fmt::Display for SegmentId {
    /// The file's name. Eight digits keep a listing in order; more are taken when needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08}{SEGMENT_SUFFIX}", self.stream, self.sequence.0)
    }
}

impl FromStr for SegmentId {
    type Err = ParseNameError;
    fn from_str(s: &str) -> Result<Self, ParseNameError> {
        let error = || ParseNameError { found: s.to_owned(), expected: "a segment's file name" };
        let stem = s.strip_suffix(SEGMENT_SUFFIX).ok_or_else(error)?;
        let (stream, sequence) = stem.split_once('-').ok_or_else(error)?;
        let digits = sequence.len() >= 8 && sequence.bytes().all(|b| b.is_ascii_digit());
        let sequence = digits.then(|| sequence.parse().ok()).flatten().ok_or_else(error)?;
        Ok(Self { stream: stream.parse()?, sequence: Sequence(sequence) })
    }
}

/// A byte offset from the start of a segment, always at the start of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteOffset(pub u64);

/// How far a stream has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// In which segment.
    pub sequence: Sequence,
    /// The start of the first line that has not been read.
    pub offset: ByteOffset,
    /// The running number that the next entry should have, if any entry or header has been read.
    pub next_seq: Option<Seq>,
}

/// The first line of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header<'a> {
    /// Whose segment this is; equal to the file's name.
    pub stream: StreamId,
    /// Which; equal to the file's name.
    pub sequence: Sequence,
    /// When it was begun.
    pub started_at: UnixMillis,
    /// The running number of the first entry that follows.
    pub next_seq: Seq,
    /// The version of the proxy that wrote it.
    #[serde(borrow)]
    pub proxy_version: Name<'a>,
    /// The random id of the install, so that a replay can tell its own segments from another machine's.
    #[serde(borrow)]
    pub install: Name<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_name_reads_back_as_itself() {
        let id = SegmentId { stream: StreamId::from_bits(0xabc), sequence: Sequence(7) };
        assert_eq!(id.to_string(), "0000000000000abc-00000007.jsonl");
        assert_eq!(id.to_string().parse::<SegmentId>().unwrap(), id);
    }

    #[test]
    fn other_files_are_no_segments() {
        for name in [
            "",
            "x.jsonl",
            "0000000000000abc-7.jsonl",
            "0000000000000ABC-00000007.jsonl",
            "0000000000000abc.lock",
        ] {
            assert!(name.parse::<SegmentId>().is_err(), "{name}");
        }
    }
}
