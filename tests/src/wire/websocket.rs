//! WebSocket by hand, for both ends: text messages in one frame each, compressed if that was agreed on.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// What the sender of a compressed message leaves out at its end.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// What the client masks with. Any will do; this one makes what it sends the same each time.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The words of an extension that compresses each message.
pub const DEFLATE: &str = "permessage-deflate";
/// The same, each message on its own.
pub const DEFLATE_ALONE: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12";

/// What the other end has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A text.
    Text(String),
    /// A question whether one is there, to be answered with the same bytes.
    Ping(Vec<u8>),
    /// The answer to such a question.
    Pong,
    /// That it says nothing more.
    Close,
}

/// One end.
#[derive(Debug)]
pub struct End {
    masks: bool,
    deflate: Option<Box<(Compress, Decompress)>>,
    /// Whether each message is compressed on its own.
    alone: bool,
    /// Heard, and not yet understood.
    ahead: Vec<u8>,
}

impl End {
    /// The client's end, with what the server has agreed to.
    pub fn of_client(agreed: Option<&str>) -> Self {
        Self::new(true, agreed)
    }

    /// The server's.
    pub fn of_server(agreed: Option<&str>) -> Self {
        Self::new(false, agreed)
    }

    fn new(masks: bool, agreed: Option<&str>) -> Self {
        let deflate =
            agreed.map(|_| Box::new((Compress::new(Compression::default(), false), Decompress::new(false))));
        let alone = agreed.is_some_and(|agreed| agreed.contains("no_context_takeover"));
        Self { masks, deflate, alone, ahead: Vec::new() }
    }

    /// A text as it is sent.
    pub fn text(&mut self, text: &str) -> Vec<u8> {
        let Some(deflate) = &mut self.deflate else { return self.frame(0x81, text.as_bytes()) };
        let mut payload = Vec::with_capacity(text.len() + 64);
        deflate
            .0
            .compress_vec(text.as_bytes(), &mut payload, FlushCompress::Sync)
            .expect("a text compresses");
        assert!(payload.ends_with(&TAIL), "the room was enough");
        payload.truncate(payload.len() - TAIL.len());
        if self.alone {
            deflate.0.reset();
        }
        self.frame(0xc1, &payload)
    }

    /// A close as it is sent.
    pub fn close(&self) -> Vec<u8> {
        self.frame(0x88, &1000_u16.to_be_bytes())
    }

    /// A question whether the other is there.
    pub fn ping(&self) -> Vec<u8> {
        self.frame(0x89, b"are you there?")
    }

    /// The answer to such a question.
    pub fn pong(&self, asked: &[u8]) -> Vec<u8> {
        self.frame(0x8a, asked)
    }

    fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        let masked = if self.masks { 0x80 } else { 0 };
        let mut frame = vec![first];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..126) => frame.push(masked | length.to_be_bytes()[1]),
            Ok(length) => {
                frame.push(masked | 0x7e);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(masked | 0x7f);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        if self.masks {
            frame.extend(MASK);
            frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            frame.extend(payload);
        }
        frame
    }

    /// Takes in bytes of the other end.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.ahead.extend(bytes);
    }

    /// What the other end has said next, if all of it has come. Panics at what no client that is under test here sends.
    pub fn heard(&mut self) -> Option<Heard> {
        let &[first, second, ..] = &*self.ahead else { return None };
        let (length, mut at) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes(*self.ahead.get(2..)?.first_chunk()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(*self.ahead.get(2..)?.first_chunk()?)).ok()?, 10),
            short => (usize::from(short), 2),
        };
        let mut mask = [0; 4];
        if second & 0x80 != 0 {
            mask = *self.ahead.get(at..)?.first_chunk()?;
            at += 4;
        }
        let masked = self.ahead.get(at..at + length)?;
        let payload: Vec<u8> =
            masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        self.ahead.drain(..at + length);
        Some(match first {
            0x81 => Heard::Text(String::from_utf8(payload).expect("a text is UTF-8")),
            0xc1 => Heard::Text(self.inflate(payload)),
            0x88 => Heard::Close,
            0x89 => Heard::Ping(payload),
            0x8a => Heard::Pong,
            other => panic!("no frame that is expected here begins with {other:#x}"),
        })
    }

    fn inflate(&mut self, mut payload: Vec<u8>) -> String {
        payload.extend(TAIL);
        let inflater = &mut self.deflate.as_mut().expect("compression was agreed on").1;
        let (mut text, begun) = (Vec::new(), inflater.total_in());
        loop {
            let taken = usize::try_from(inflater.total_in() - begun).expect("a message fits into memory");
            let full = text.len() == text.capacity();
            if taken == payload.len() && !full {
                break;
            }
            text.reserve(64 * 1024);
            inflater
                .decompress_vec(&payload[taken..], &mut text, FlushDecompress::Sync)
                .expect("what the other end has compressed can be inflated");
        }
        if self.alone {
            inflater.reset(false);
        }
        String::from_utf8(text).expect("a text is UTF-8")
    }
}

/// The proof that a server has understood a client's `sec-websocket-key`.
pub fn accept(key: &str) -> String {
    let proof = [key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, proof.as_bytes());
    super::base64(digest.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_standards_own() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn one_end_understands_the_other() {
        for agreed in [None, Some(DEFLATE), Some(DEFLATE_ALONE)] {
            let (mut client, mut server) = (End::of_client(agreed), End::of_server(agreed));
            for text in ["short", "short", &"long ".repeat(40_000)] {
                server.hear(&client.text(text));
                assert_eq!(server.heard(), Some(Heard::Text(text.to_owned())));
                client.hear(&server.text(text));
                assert_eq!(client.heard(), Some(Heard::Text(text.to_owned())));
            }
            let [ping, close] = [client.ping(), client.close()];
            server.hear(&ping[..3]);
            assert_eq!(server.heard(), None);
            server.hear(&[&ping[3..], &close].concat());
            assert_eq!(server.heard(), Some(Heard::Ping(b"are you there?".to_vec())));
            assert_eq!(server.heard(), Some(Heard::Close));
        }
    }
}
