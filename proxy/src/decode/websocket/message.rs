//! Whole messages out of one direction of a WebSocket.

use std::time::Instant;

use super::{
    Deflate, Fault,
    frame::{FrameHead, FrameParser, Opcode, Part},
    inflate::Inflater,
};

/// Memory for inflating that is kept from one message to the next.
const KEPT: usize = 64 * 1024;

/// Whose messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// A message, or a close. Pings and pongs are nobody's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it says.
    pub content: Content<'a>,
    /// When its first frame had begun.
    pub begun: Instant,
    /// The bytes of its frames, headers included, as they were on the wire.
    pub wire_bytes: u64,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A text. That it is UTF-8 has not been checked.
    Text(&'a [u8]),
    /// Bytes, which no API that is read here sends.
    Binary,
    /// A message longer than the limit.
    TooLong,
    /// The sender says nothing more.
    Close,
}

/// Reads one direction, whose bytes come in pieces cut anywhere. Control frames may stand between the frames of a
/// message. What is held of a message until its end is as long as it was on the wire; it is inflated at once.
pub struct MessageReader {
    frames: FrameParser,
    messages: Messages,
}

struct Messages {
    limit: usize,
    inflater: Option<Inflater>,
    under_way: Option<UnderWay>,
    /// The control frame under way, between the frames of a message or alone.
    control: Option<(Opcode, u64)>,
    plain: Vec<u8>,
}

/// A message whose end has not come.
struct UnderWay {
    opcode: Opcode,
    compressed: bool,
    /// Its payload, as it was on the wire but for the mask.
    payload: Vec<u8>,
    too_long: bool,
    begun: Instant,
    wire_bytes: u64,
    last_frame: bool,
}

impl MessageReader {
    /// A reader of this side's messages up to `limit` bytes each, inflated; `deflate` is what was agreed on.
    pub fn new(side: Side, deflate: Option<Deflate>, limit: usize) -> Self {
        let alone = |deflate: Deflate| match side {
            Side::Client => deflate.client_no_context_takeover,
            Side::Server => deflate.server_no_context_takeover,
        };
        let inflater = deflate.map(|deflate| Inflater::new(alone(deflate)));
        let messages = Messages { limit, inflater, under_way: None, control: None, plain: Vec::new() };
        Self { frames: FrameParser::default(), messages }
    }

    /// Takes in the next piece, which came at `at`, and gives `on_message` each message that it completes. After a
    /// fault it gives no more.
    pub fn feed(
        &mut self,
        piece: &[u8],
        at: Instant,
        on_message: &mut dyn FnMut(Message<'_>),
    ) -> Result<(), Fault> {
        let messages = &mut self.messages;
        self.frames.feed(piece, &mut |part| messages.take(part, at, on_message))
    }

    /// The bytes on the wire of a message whose end has not come; none between two messages.
    pub fn unfinished(&self) -> Option<u64> {
        self.messages.under_way.as_ref().map(|message| message.wire_bytes)
    }
}

impl Messages {
    fn take(
        &mut self,
        part: Part<'_>,
        at: Instant,
        on_message: &mut dyn FnMut(Message<'_>),
    ) -> Result<(), Fault> {
        match (part, self.control) {
            (Part::Head(head), _) => self.begin(head, at),
            (Part::Payload(bytes), Some((opcode, wire_bytes))) => {
                self.control = Some((opcode, wire_bytes + bytes.len() as u64));
                Ok(())
            }
            (Part::Payload(bytes), None) => self.payload(bytes),
            (Part::End, Some((opcode, wire_bytes))) => {
                self.control = None;
                if opcode == Opcode::Close {
                    on_message(Message { content: Content::Close, begun: at, wire_bytes });
                }
                Ok(())
            }
            (Part::End, None) => self.end_frame(on_message),
        }
    }

    fn begin(&mut self, head: FrameHead, at: Instant) -> Result<(), Fault> {
        let FrameHead { last, compressed, opcode, header_bytes } = head;
        match (opcode, &mut self.under_way) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) if !compressed => {
                self.control = Some((opcode, header_bytes));
                Ok(())
            }
            (Opcode::Continuation, Some(message)) if !compressed => {
                message.wire_bytes += header_bytes;
                message.last_frame = last;
                Ok(())
            }
            (Opcode::Text | Opcode::Binary, None) if !compressed || self.inflater.is_some() => {
                self.under_way = Some(UnderWay {
                    opcode,
                    compressed,
                    payload: Vec::new(),
                    too_long: false,
                    begun: at,
                    wire_bytes: header_bytes,
                    last_frame: last,
                });
                Ok(())
            }
            (_, _) if compressed => Err(Fault::BadFrame),
            (_, _) => Err(Fault::BadSequence),
        }
    }

    fn payload(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let Some(message) = &mut self.under_way else { return Err(Fault::BadSequence) };
        message.wire_bytes += bytes.len() as u64;
        if !message.too_long && message.payload.len() + bytes.len() <= self.limit {
            message.payload.extend_from_slice(bytes);
            return Ok(());
        }
        message.too_long = true;
        let held = std::mem::take(&mut message.payload);
        match &mut self.inflater {
            // The messages behind it may refer to it.
            Some(inflater) if message.compressed => {
                inflater.feed(&held, &mut |_| {})?;
                inflater.feed(bytes, &mut |_| {})
            }
            Some(_) | None => Ok(()),
        }
    }

    fn end_frame(&mut self, on_message: &mut dyn FnMut(Message<'_>)) -> Result<(), Fault> {
        let Some(mut message) = self.under_way.take_if(|message| message.last_frame) else { return Ok(()) };
        let limit = self.limit;
        let text = match &mut self.inflater {
            Some(inflater) if message.compressed => {
                let (plain, too_long) = (&mut self.plain, &mut message.too_long);
                let mut keep = |piece: &[u8]| {
                    *too_long |= plain.len() + piece.len() > limit;
                    if !*too_long {
                        plain.extend_from_slice(piece);
                    }
                };
                inflater.feed(&message.payload, &mut keep)?;
                inflater.end(&mut keep)?;
                &self.plain
            }
            Some(_) | None => &message.payload,
        };
        let content = match (message.too_long, message.opcode) {
            (true, _) => Content::TooLong,
            (false, Opcode::Text) => Content::Text(text),
            (false, _) => Content::Binary,
        };
        on_message(Message { content, begun: message.begun, wire_bytes: message.wire_bytes });
        self.plain.clear();
        self.plain.shrink_to(KEPT);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1000;

    /// A frame as a server sends it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&[first, 126], &length[..], payload].concat()
    }

    #[derive(Debug, PartialEq)]
    enum Seen {
        Text(String),
        Binary,
        TooLong,
        Close,
    }

    fn read(deflate: Option<Deflate>, pieces: &[&[u8]]) -> (Vec<Seen>, u64, Result<(), Fault>) {
        let (mut reader, at) = (MessageReader::new(Side::Server, deflate, LIMIT), Instant::now());
        let (mut seen, mut wire_bytes, mut result) = (Vec::new(), 0, Ok(()));
        for piece in pieces {
            result = reader.feed(piece, at, &mut |message| {
                wire_bytes += message.wire_bytes;
                seen.push(match message.content {
                    Content::Text(text) => Seen::Text(String::from_utf8_lossy(text).into_owned()),
                    Content::Binary => Seen::Binary,
                    Content::TooLong => Seen::TooLong,
                    Content::Close => Seen::Close,
                });
            });
        }
        (seen, wire_bytes, result)
    }

    /// Compresses one message after the other.
    struct Deflating(Compress, bool);

    impl Deflating {
        fn new(deflate: Deflate) -> Self {
            Self(Compress::new(Compression::default(), false), deflate.server_no_context_takeover)
        }

        fn message(&mut self, text: &[u8]) -> Vec<u8> {
            let mut compressed = Vec::with_capacity(text.len() + 100);
            self.0.compress_vec(text, &mut compressed, FlushCompress::Sync).unwrap();
            assert!(compressed.ends_with(&[0, 0, 0xff, 0xff]));
            compressed.truncate(compressed.len() - 4);
            if self.1 {
                self.0.reset();
            }
            compressed
        }
    }

    #[test]
    fn fragments_are_joined_around_the_control_frames_between_them() {
        let stream = [
            frame(0x01, b"one "),
            frame(0x89, b"ping"),
            frame(0x00, b""),
            frame(0x8a, b""),
            frame(0x80, b"message"),
            frame(0x82, b"bytes"),
            frame(0x88, &[3, 232]),
        ]
        .concat();
        let text = Seen::Text("one message".to_owned());
        // Three frames and 11 bytes, one frame and 5, one frame and 2.
        let expected = (vec![text, Seen::Binary, Seen::Close], 12 + 11 + 4 + 5 + 4 + 2, Ok(()));
        assert_eq!(read(None, &[&stream]), expected);
        assert_eq!(read(None, &stream.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn compressed_messages_are_inflated_whether_or_not_they_refer_to_each_other() {
        for server_no_context_takeover in [false, true] {
            let deflate = Deflate { server_no_context_takeover, ..Deflate::default() };
            let mut deflating = Deflating::new(deflate);
            let [first, second] = [b"the same words", b"the same words"].map(|text| deflating.message(text));
            assert_eq!(second.len() < first.len(), !server_no_context_takeover);
            let (begin, end) = second.split_at(2);
            let stream =
                [frame(0xc1, &first), frame(0x81, b"plain"), frame(0x41, begin), frame(0x80, end)].concat();
            let text = |text: &str| Seen::Text(text.to_owned());
            let expected = vec![text("the same words"), text("plain"), text("the same words")];
            assert_eq!(read(Some(deflate), &[&stream]).0, expected);
            assert_eq!(read(Some(deflate), &stream.chunks(1).collect::<Vec<_>>()).0, expected);
        }
    }

    #[test]
    fn a_message_over_the_limit_is_passed_over_and_those_behind_it_are_read() {
        // Not to be compressed to less than the limit.
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..4 * LIMIT)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let mut deflating = Deflating::new(Deflate::default());
        for long in [noise.clone(), vec![b'x'; 4 * LIMIT]] {
            let compressed = [deflating.message(&long), deflating.message(&long[..100])];
            let stream = [frame(0xc1, &compressed[0]), frame(0xc2, &compressed[1])].concat();
            let pieces: Vec<&[u8]> = stream.chunks(300).collect();
            assert_eq!(read(Some(Deflate::default()), &pieces).0, [Seen::TooLong, Seen::Binary]);
            deflating = Deflating::new(Deflate::default());
        }
        let stream = [frame(0x81, &noise), frame(0x81, b"short")].concat();
        let pieces: Vec<&[u8]> = stream.chunks(300).collect();
        assert_eq!(read(None, &pieces).0, [Seen::TooLong, Seen::Text("short".to_owned())]);
    }

    #[test]
    fn what_is_out_of_order_or_not_agreed_on_is_a_fault() {
        let some = Some(Deflate::default());
        for (deflate, frames, fault) in [
            (None, [frame(0x80, b"x"), vec![]], Fault::BadSequence),
            (None, [frame(0x01, b"x"), frame(0x81, b"y")], Fault::BadSequence),
            (None, [frame(0xc1, b"x"), vec![]], Fault::BadFrame),
            (some, [frame(0x41, &[0]), frame(0xc0, b"x")], Fault::BadFrame),
            (some, [frame(0xc9, b"x"), vec![]], Fault::BadFrame),
            (some, [frame(0xc1, b"\xff\xff\xff"), vec![]], Fault::Corrupt),
        ] {
            let (seen, _, result) = read(deflate, &[&frames.concat(), &frame(0x81, b"z")]);
            assert_eq!((seen, result), (vec![], Err(fault)), "{frames:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_give_the_same_messages(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(vec![0x81, 0xc1, 0x00, 0x80, 0x02, 0x88])],
                0..120,
            ),
            split in any::<usize>(),
        ) {
            for deflate in [None, Some(Deflate::default())] {
                let (head, tail) = bytes.split_at(split % (bytes.len() + 1));
                prop_assert_eq!(read(deflate, &[head, tail]).0, read(deflate, &[&bytes]).0);
            }
        }
    }
}
