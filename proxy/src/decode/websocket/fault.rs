//! Why a direction of a WebSocket can be followed no further.

/// From here on nothing can be told from the direction's bytes: where its next frame begins, or what its next
/// message is compressed against, is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A frame that RFC 6455 does not allow, or one with a bit of an extension that was not agreed on.
    BadFrame,
    /// A message begins inside another, or goes on without having begun.
    BadSequence,
    /// The two sides have agreed on an extension that we do not know.
    UnknownExtension,
    /// Compressed bytes are not what DEFLATE makes.
    Corrupt,
    /// More would come out than is reasonable for what went in.
    TooLarge,
}

impl Fault {
    /// The fault's word in the notes of an entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadFrame => "bad_frame",
            Self::BadSequence => "bad_sequence",
            Self::UnknownExtension => "unknown_extension",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too_large",
        }
    }
}
