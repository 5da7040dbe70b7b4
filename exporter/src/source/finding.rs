//! What a reader of the spool comes upon beside entries.

use ccxray_shared::line::{DecodeLineError, Stats};

/// Something beside an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Entries that are known to be lost.
    Lost {
        /// Why.
        reason: Loss,
        /// How many.
        entries: u64,
    },
    /// A line that could not be used.
    Skipped(Skipped),
    /// The gauges of a proxy.
    Stats(Stats),
    /// A segment could not be read; it is tried again.
    Unreadable(String),
}

/// Why entries are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The proxy says so, with its reason.
    Gap(String),
    /// Running numbers are missing within a segment.
    Missing,
    /// Segments were removed before they were read.
    Expired,
    /// A writer died within its last line.
    Torn,
}

impl Loss {
    /// The word on the metric.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Gap(reason) => match reason.as_str() {
                "no_slot" | "write_failed" | "too_long" | "recorder_panic" => reason,
                _ => "other",
            },
            Self::Missing => "missing",
            Self::Expired => "expired",
            Self::Torn => "torn",
        }
    }
}

/// Why a line could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Not what its kind should be.
    Malformed,
    /// A newer writer's kind.
    UnknownKind,
    /// A newer writer's version.
    UnknownVersion,
    /// Longer than any writer makes one.
    Giant,
    /// An entry whose running number had been seen.
    Repeated,
}

impl Skipped {
    /// The word on the metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownVersion => "unknown_version",
            Self::Giant => "giant",
            Self::Repeated => "repeated",
        }
    }

    pub(super) fn because(error: &DecodeLineError) -> Self {
        match error {
            DecodeLineError::UnknownKind => Self::UnknownKind,
            DecodeLineError::UnknownVersion { .. } => Self::UnknownVersion,
            _ => Self::Malformed,
        }
    }
}
