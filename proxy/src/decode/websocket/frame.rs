//! Frames: a header of 2 to 14 bytes, and a payload that may be masked (RFC 6455, section 5.2).

use super::Fault;

/// The longest header: two bytes, eight of length, four of mask.
const MAX_HEADER: usize = 14;
/// The most bytes that a control frame may carry.
const MAX_CONTROL: u64 = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of the message that was begun.
    Continuation,
    /// The beginning of a message that is text.
    Text,
    /// The beginning of a message that is bytes.
    Binary,
    /// The sender says nothing more.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Whether it is the last frame of its message.
    pub last: bool,
    /// The first reserved bit: the message that begins here is compressed.
    pub compressed: bool,
    /// What it is.
    pub opcode: Opcode,
    /// How many bytes the header itself has.
    pub header_bytes: u64,
}

/// A part of a frame, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The frame begins.
    Head(FrameHead),
    /// The next bytes of its payload, unmasked. There may be none at all.
    Payload(&'a [u8]),
    /// The frame is whole.
    End,
}

/// Finds the frames in one direction of a WebSocket, whose bytes come in pieces cut anywhere.
#[derive(Debug)]
pub struct FrameParser {
    state: State,
    unmasked: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The first bytes of a header.
    Header {
        bytes: [u8; MAX_HEADER],
        have: usize,
    },
    /// So many bytes of the payload are still to come.
    Payload {
        left: u64,
        mask: Option<[u8; 4]>,
    },
    Broken(Fault),
}

const BETWEEN: State = State::Header { bytes: [0; MAX_HEADER], have: 0 };

impl Default for FrameParser {
    fn default() -> Self {
        Self { state: BETWEEN, unmasked: Vec::new() }
    }
}

impl FrameParser {
    /// Takes in the next piece and gives `on_part` what is in it. After a fault, its own or one that `on_part`
    /// returns, every call returns that fault.
    pub fn feed(
        &mut self,
        mut piece: &[u8],
        on_part: &mut dyn FnMut(Part<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        while !piece.is_empty() {
            let step = match self.state {
                State::Header { bytes, have } => self.header(bytes, have, &mut piece, on_part),
                State::Payload { left, mask } => self.payload(left, mask, &mut piece, on_part),
                State::Broken(fault) => Err(fault),
            };
            if let Err(fault) = step {
                self.state = State::Broken(fault);
                return Err(fault);
            }
        }
        Ok(())
    }

    fn header(
        &mut self,
        mut bytes: [u8; MAX_HEADER],
        have: usize,
        piece: &mut &[u8],
        on_part: &mut dyn FnMut(Part<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
        *piece = rest;
        bytes[have] = byte;
        let have = have + 1;
        let Some((head, left, mask)) = parse(&bytes[..have])? else {
            self.state = State::Header { bytes, have };
            return Ok(());
        };
        self.state = State::Payload { left, mask };
        on_part(Part::Head(head))?;
        if left == 0 { self.end(on_part) } else { Ok(()) }
    }

    fn payload(
        &mut self,
        left: u64,
        mask: Option<[u8; 4]>,
        piece: &mut &[u8],
        on_part: &mut dyn FnMut(Part<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let take = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        let (payload, rest) = piece.split_at(take);
        *piece = rest;
        let left = left - take as u64;
        match mask {
            None => on_part(Part::Payload(payload))?,
            Some(mask) => {
                self.unmasked.clear();
                self.unmasked.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
                on_part(Part::Payload(&self.unmasked))?;
            }
        }
        // The mask goes on where it stopped.
        let mask = mask.map(|mut mask| {
            mask.rotate_left(take % 4);
            mask
        });
        self.state = State::Payload { left, mask };
        if left == 0 { self.end(on_part) } else { Ok(()) }
    }

    fn end(&mut self, on_part: &mut dyn FnMut(Part<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
        self.state = BETWEEN;
        on_part(Part::End)
    }
}

/// A header, and its payload's length and mask.
type Header = (FrameHead, u64, Option<[u8; 4]>);

/// The header, if `bytes` hold all of it.
fn parse(bytes: &[u8]) -> Result<Option<Header>, Fault> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let opcode = opcode(first & 0x0f)?;
    let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
    if first & 0x30 != 0 || (is_control && !last) {
        return Err(Fault::BadFrame);
    }
    let length = match second & 0x7f {
        126 => rest.first_chunk().map(|&bytes| (u64::from(u16::from_be_bytes(bytes)), &rest[2..])),
        127 => rest.first_chunk().map(|&bytes| (u64::from_be_bytes(bytes), &rest[8..])),
        short => Some((u64::from(short), rest)),
    };
    let Some((length, rest)) = length else { return Ok(None) };
    if length >> 63 != 0 || (is_control && length > MAX_CONTROL) {
        return Err(Fault::BadFrame);
    }
    let mask = match (second & 0x80 != 0, rest.first_chunk()) {
        (true, None) => return Ok(None),
        (true, Some(mask)) => Some(*mask),
        (false, _) => None,
    };
    Ok(Some((FrameHead { last, compressed, opcode, header_bytes: bytes.len() as u64 }, length, mask)))
}

fn opcode(bits: u8) -> Result<Opcode, Fault> {
    match bits {
        0 => Ok(Opcode::Continuation),
        1 => Ok(Opcode::Text),
        2 => Ok(Opcode::Binary),
        8 => Ok(Opcode::Close),
        9 => Ok(Opcode::Ping),
        10 => Ok(Opcode::Pong),
        _ => Err(Fault::BadFrame),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a frame is, whether it is the last and whether it is compressed, and its payload.
    type Frame = (Opcode, bool, bool, Vec<u8>);

    fn frames(pieces: &[&[u8]]) -> (Vec<Frame>, Result<(), Fault>) {
        let (mut parser, mut frames, mut whole) = (FrameParser::default(), Vec::new(), 0);
        let mut result = Ok(());
        for piece in pieces {
            result = parser.feed(piece, &mut |part| {
                match part {
                    Part::Head(head) => frames.push((head.opcode, head.last, head.compressed, Vec::new())),
                    Part::Payload(bytes) => frames.last_mut().unwrap().3.extend_from_slice(bytes),
                    Part::End => whole += 1,
                }
                Ok(())
            });
        }
        frames.truncate(whole);
        (frames, result)
    }

    #[test]
    fn the_standards_own_examples_are_read_however_they_are_cut() {
        // RFC 6455, section 5.7.
        let examples: [(&[u8], Opcode, bool, &[u8]); 5] = [
            (&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], Opcode::Text, true, b"Hello"),
            (
                &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
                Opcode::Text,
                true,
                b"Hello",
            ),
            (&[0x01, 0x03, 0x48, 0x65, 0x6c], Opcode::Text, false, b"Hel"),
            (&[0x80, 0x02, 0x6c, 0x6f], Opcode::Continuation, true, b"lo"),
            (&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], Opcode::Ping, true, b"Hello"),
        ];
        let stream: Vec<u8> = examples.iter().flat_map(|example| example.0).copied().collect();
        let expected: Vec<_> = examples
            .iter()
            .map(|&(_, opcode, last, payload)| (opcode, last, false, payload.to_vec()))
            .collect();
        assert_eq!(frames(&[&stream]), (expected.clone(), Ok(())));
        assert_eq!(frames(&stream.chunks(1).collect::<Vec<_>>()).0, expected);
        for split in 0..=stream.len() {
            let (head, tail) = stream.split_at(split);
            assert_eq!(frames(&[head, b"", tail]).0, expected, "at {split}");
        }
    }

    #[test]
    fn a_length_has_seven_sixteen_or_sixty_four_bits() {
        for (header, length) in [
            (&[0x82, 125][..], 125),
            (&[0x82, 126, 0x01, 0x00], 256),
            (&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
        ] {
            let (found, result) = frames(&[header, &vec![7; length], &[0x8a, 0]]);
            assert_eq!(result, Ok(()));
            assert_eq!(found[0].3.len(), length);
            assert_eq!(found[1].0, Opcode::Pong);
        }
    }

    #[test]
    fn what_the_standard_forbids_is_a_fault_for_good() {
        for bad in [
            &[0x83, 0][..],
            &[0x91, 0],
            &[0xa1, 0],
            &[0x09, 0],
            &[0x88, 126, 0, 126],
            &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(frames(&[bad]).1, Err(Fault::BadFrame), "{bad:?}");
            assert_eq!(frames(&[bad, &[0x81, 0]]), (vec![], Err(Fault::BadFrame)), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_give_the_same_frames(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            split in any::<usize>(),
        ) {
            let (head, tail) = bytes.split_at(split % (bytes.len() + 1));
            prop_assert_eq!(frames(&[head, tail]).0, frames(&[&bytes]).0);
        }
    }
}
