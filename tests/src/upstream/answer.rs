//! An answer, and the way it is sent.

use super::{Encoding, Gate, Milestone, Pace, Piece};
use crate::wire::Break;

/// Where an answer breaks off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nowhere.
    #[default]
    None,
    /// After so many bytes of the whole answer, head included.
    Cut {
        /// How many bytes are still sent.
        after: usize,
        /// How the connection ends then.
        how: Break,
    },
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    pub(super) limits: Vec<(String, u64)>,
    pub(super) pieces: Vec<Piece>,
    encoding: Encoding,
    pub(super) fault: Fault,
    pub(super) pace: Pace,
    pub(super) head_waits: Option<Gate>,
}

/// A part of an answer on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WirePiece {
    pub(super) bytes: Vec<u8>,
    /// With so many of its bytes, the client knows what the piece tells.
    pub(super) telling: usize,
    pub(super) tells: Vec<Milestone>,
}

impl Answer {
    /// An answer with this body.
    pub fn new(status: u16, content_type: &str, pieces: Vec<Piece>) -> Self {
        Self { status, pieces, ..Self::default() }.header("content-type", content_type)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Says in this header what is left of a limit.
    #[must_use]
    pub fn remaining(mut self, header: &str, limit: &str, left: u64) -> Self {
        self.limits.push((limit.into(), left));
        self.header(header, &left.to_string())
    }

    /// Compresses the body.
    #[must_use]
    pub fn encoded(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// Sends the body at this pace.
    #[must_use]
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Sends nothing before the gate opens.
    #[must_use]
    pub fn head_waits(self, gate: &Gate) -> Self {
        Self { head_waits: Some(gate.clone()), ..self }
    }

    /// Breaks off after so many bytes of the whole answer, head included.
    #[must_use]
    pub fn cut(self, after: usize, how: Break) -> Self {
        Self { fault: Fault::Cut { after, how }, ..self }
    }

    /// Breaks off behind the first `pieces` of the body.
    #[must_use]
    pub fn cut_after_pieces(self, pieces: usize, how: Break) -> Self {
        let after = self.wire().iter().take(pieces + 1).map(|piece| piece.bytes.len()).sum();
        self.cut(after, how)
    }

    /// Ends cleanly, but without the last event.
    #[must_use]
    pub fn without_terminal(mut self) -> Self {
        self.pieces.retain(|piece| !piece.tells.contains(&Milestone::Terminal));
        self
    }

    /// Only the first `pieces` of the body.
    #[must_use]
    pub(super) fn only(mut self, pieces: usize) -> Self {
        self.pieces.truncate(pieces);
        self
    }

    /// With one more piece of the body.
    #[must_use]
    pub(super) fn with(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }

    /// How many pieces the body has.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// How many bytes the answer has on the wire, head included.
    pub fn wire_len(&self) -> usize {
        self.wire().iter().map(|piece| piece.bytes.len()).sum()
    }

    /// The bytes of the head.
    pub fn head_len(&self) -> usize {
        self.wire()[0].bytes.len()
    }

    /// The header of this name, as the script gave it.
    pub(super) fn header_of(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How many pieces of the body come whole before it breaks off, whether a part of another does, and how it breaks.
    pub(super) fn pieces_before_cut(&self) -> Option<(usize, bool, Break)> {
        let Fault::Cut { after, how } = self.fault else { return None };
        let ends = self.wire().into_iter().scan(0, |end, piece| {
            *end += piece.bytes.len();
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        let whole = ends.iter().filter(|end| **end <= after).count();
        Some((whole.saturating_sub(1), !ends.contains(&after), how))
    }

    /// The body as a client that does not decode it has it.
    pub fn body(&self) -> Vec<u8> {
        self.encoding.encode(self.pieces.clone()).into_iter().flat_map(|piece| piece.bytes).collect()
    }

    /// The first `pieces` of the body, as the script wrote them.
    pub fn body_of_first(&self, pieces: usize) -> Vec<u8> {
        self.pieces.iter().take(pieces).flat_map(|piece| piece.bytes.clone()).collect()
    }

    /// Whether it is a stream of events.
    pub fn is_stream(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream"))
    }

    /// The word of the content encoding.
    pub fn content_encoding(&self) -> Option<&'static str> {
        self.encoding.token()
    }

    /// The head, and the body's pieces in their framing: streams are chunked, all else has a length.
    pub(super) fn wire(&self) -> Vec<WirePiece> {
        let body = self.encoding.encode(self.pieces.clone());
        let framing = if self.is_stream() {
            "transfer-encoding: chunked".to_owned()
        } else {
            format!("content-length: {}", body.iter().map(|piece| piece.bytes.len()).sum::<usize>())
        };
        let mut wire = vec![self.head(&framing)];
        if self.is_stream() {
            wire.extend(body.into_iter().filter(|piece| !piece.bytes.is_empty()).map(chunk));
            wire.push(WirePiece { bytes: b"0\r\n\r\n".to_vec(), ..WirePiece::default() });
        } else {
            wire.extend(body.into_iter().map(plain));
        }
        wire
    }

    fn head(&self, framing: &str) -> WirePiece {
        let encoding = self.encoding.token().map(|token| ("content-encoding".to_owned(), token.to_owned()));
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in self.headers.iter().chain(&encoding) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend([framing, "\r\n\r\n"]);
        WirePiece { bytes: head.into_bytes(), ..WirePiece::default() }
    }
}

fn chunk(piece: Piece) -> WirePiece {
    let mut bytes = format!("{:x}\r\n", piece.bytes.len()).into_bytes();
    bytes.extend_from_slice(&piece.bytes);
    let telling = bytes.len();
    bytes.extend_from_slice(b"\r\n");
    WirePiece { bytes, telling, tells: piece.tells }
}

fn plain(piece: Piece) -> WirePiece {
    WirePiece { telling: piece.bytes.len(), bytes: piece.bytes, tells: piece.tells }
}
