//! One line of a segment.

use serde::{Deserialize, Serialize, de};

use crate::{Entry, Name, UnixMillis, segment::Header};

/// The version of the line format that this build writes and reads.
///
/// New optional fields do not raise it; a change of meaning does. A reader skips and counts lines of a
/// version that it does not know.
pub const VERSION: u32 = 1;

/// The longest line that a writer may write, newline included, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// Exchanges that left no entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap<'a> {
    /// When the writer could write again.
    pub at: UnixMillis,
    /// How many entries were lost. They never had a running number.
    pub lost: u64,
    /// Why: `no_slot`, `write_failed`, `too_long`, `recorder_panic`.
    #[serde(borrow)]
    pub reason: Name<'a>,
}

/// The proxy's own gauges and counts since it started, at most every ten seconds and only when changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// When.
    pub at: UnixMillis,
    /// Exchanges under way.
    pub active_exchanges: u64,
    /// Client connections open.
    pub connections: u64,
    /// Copies given up for memory or a full channel, since the start.
    pub shed_copies: u64,
    /// Requests refused at our own door, since the start.
    #[serde(default)]
    pub refused: u64,
    /// Panics caught in the recorder, since the start.
    #[serde(default)]
    pub recorder_panics: u64,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Line<'a> {
    /// The first line of a segment.
    Segment(Header<'a>),
    /// A finished exchange.
    Entry(Box<Entry<'a>>),
    /// A loss.
    Gap(Gap<'a>),
    /// The proxy's gauges.
    Stats(Stats),
}

/// A line that cannot be used; a reader counts it and goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeLineError {
    /// Not UTF-8, not JSON, or not of the shape that its kind has.
    #[error("malformed line")]
    Malformed(#[source] serde_json::Error),
    /// A kind of a newer writer.
    #[error("unknown kind of line")]
    UnknownKind,
    /// A version of a newer writer.
    #[error("line of version {found}, but this build reads up to {VERSION}")]
    UnknownVersion {
        /// The line's version.
        found: u32,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    kind: Name<'a>,
    v: u32,
}

/// How every entry begins that this version's writer wrote: lets a reader skip the look at the envelope.
const ENTRY_PREFIX: &[u8] = br#"{"kind":"entry","v":1,"#;

impl<'a> Line<'a> {
    /// Reads one line, without its newline. Unknown fields are ignored.
    pub fn decode(line: &'a [u8]) -> Result<Self, DecodeLineError> {
        if line.starts_with(ENTRY_PREFIX) {
            return body(line, Line::Entry);
        }
        let envelope: Envelope<'_> = serde_json::from_slice(line).map_err(DecodeLineError::Malformed)?;
        if envelope.v == 0 || envelope.v > VERSION {
            return Err(DecodeLineError::UnknownVersion { found: envelope.v });
        }
        match envelope.kind.as_str() {
            "segment" => body(line, Line::Segment),
            "entry" => body(line, Line::Entry),
            "gap" => body(line, Line::Gap),
            "stats" => body(line, Line::Stats),
            _ => Err(DecodeLineError::UnknownKind),
        }
    }

    /// Writes the line and its newline at the end of `out`.
    pub fn encode(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        match self {
            Line::Segment(header) => tagged("segment", header, out),
            Line::Entry(entry) => tagged("entry", entry, out),
            Line::Gap(gap) => tagged("gap", gap, out),
            Line::Stats(stats) => tagged("stats", stats, out),
        }
    }
}

fn body<'a, T: Deserialize<'a>>(
    line: &'a [u8],
    wrap: impl FnOnce(T) -> Line<'a>,
) -> Result<Line<'a>, DecodeLineError> {
    // One look at the whole line costs less than one at each of its strings.
    let text = str::from_utf8(line).map_err(|error| DecodeLineError::Malformed(de::Error::custom(error)))?;
    serde_json::from_str(text).map(wrap).map_err(DecodeLineError::Malformed)
}

fn tagged<T: Serialize>(kind: &'static str, body: &T, out: &mut Vec<u8>) -> serde_json::Result<()> {
    #[derive(Serialize)]
    struct Tagged<'t, T> {
        kind: &'static str,
        v: u32,
        #[serde(flatten)]
        body: &'t T,
    }
    serde_json::to_writer(&mut *out, &Tagged { kind, v: VERSION, body })?;
    out.push(b'\n');
    Ok(())
}
