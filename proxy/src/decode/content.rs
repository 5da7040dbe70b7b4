//! Undoes a body's content encodings as the body passes by.

use std::io;

use super::layer::Layer;

/// More encodings on top of each other are nobody's honest answer.
const MOST_LAYERS: usize = 4;
/// A decoder is fed in pieces of this size, so that what a bound lets through stays small in memory too.
const PIECE: usize = 8 * 1024;

/// Why a body could not be decoded, or not to its end. What came out before stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An encoding that we do not know.
    UnknownEncoding,
    /// The bytes are not what the encoding makes.
    Corrupt,
    /// More would come out than is reasonable for what went in.
    TooLarge,
    /// The encoded body ends too soon.
    Truncated,
}

impl Fault {
    /// The fault's word in the notes of an entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownEncoding => "unknown_encoding",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too_large",
            Self::Truncated => "truncated",
        }
    }
}

/// Decodes a body that comes in pieces cut anywhere. After a fault it gives nothing more.
pub struct ContentDecoder {
    /// The outermost first: the order in which they are undone.
    layers: Vec<Layer>,
    fault: Option<Fault>,
}

impl ContentDecoder {
    /// A decoder for a body with this `Content-Encoding`, which names the encodings in the order in which they
    /// were applied.
    pub fn new(encoding: &str) -> Self {
        let mut layers = Vec::new();
        for name in encoding.rsplit(',') {
            match Layer::named(name.trim()) {
                Ok(layer) => layers.extend(layer),
                Err(()) => return Self { layers: Vec::new(), fault: Some(Fault::UnknownEncoding) },
            }
        }
        let fault = (layers.len() > MOST_LAYERS).then_some(Fault::UnknownEncoding);
        Self { layers, fault }
    }

    /// Whether bodies come out as they went in.
    pub fn is_identity(&self) -> bool {
        self.layers.is_empty() && self.fault.is_none()
    }

    /// Takes in the next piece and gives `sink` what can be told from it.
    pub fn feed(&mut self, piece: &[u8], sink: &mut dyn FnMut(&[u8])) {
        if self.fault.is_some() {
            return;
        }
        if let Err(error) = feed(&mut self.layers, piece, sink) {
            self.fault = Some(fault_of(&error));
        }
    }

    /// The body is over: gives `sink` the rest, and says what went wrong, if anything.
    pub fn finish(mut self, sink: &mut dyn FnMut(&[u8])) -> Option<Fault> {
        if self.fault.is_some() {
            return self.fault;
        }
        finish(&mut self.layers, sink).err().map(|error| match fault_of(&error) {
            Fault::TooLarge => Fault::TooLarge,
            // Whatever a decoder says of an end that it did not expect.
            Fault::UnknownEncoding | Fault::Corrupt | Fault::Truncated => Fault::Truncated,
        })
    }
}

fn feed(layers: &mut [Layer], piece: &[u8], sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let Some((outer, inner)) = layers.split_first_mut() else {
        sink(piece);
        return Ok(());
    };
    for piece in piece.chunks(PIECE) {
        let fed = outer.feed(piece);
        pass_on(outer, inner, sink)?;
        fed?;
    }
    Ok(())
}

fn pass_on(outer: &mut Layer, inner: &mut [Layer], sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut passed = Ok(());
    outer.output().drain(&mut |plain| passed = feed(inner, plain, sink));
    passed
}

fn finish(layers: &mut [Layer], sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let Some((outer, inner)) = layers.split_first_mut() else { return Ok(()) };
    let finished = outer.finish();
    pass_on(outer, inner, sink)?;
    finish(inner, sink).and(finished)
}

fn fault_of(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::QuotaExceeded => Fault::TooLarge,
        io::ErrorKind::UnexpectedEof => Fault::Truncated,
        _ => Fault::Corrupt,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write};
    use proptest::prelude::*;

    use super::*;

    const PLAIN: &[u8] =
        b"event: ping\ndata: {\"type\":\"ping\"}\n\nevent: ping\ndata: {\"t\":\"caf\xc3\xa9\"}\n\n";

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(plain: &[u8]) -> Vec<u8> {
        let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
        encoder.write_all(&plain[..20]).unwrap();
        encoder.flush().unwrap();
        encoder.write_all(&plain[20..]).unwrap();
        encoder.into_inner()
    }

    fn encode(encoding: &str, plain: &[u8]) -> Vec<u8> {
        let level = Compression::default();
        match encoding {
            "identity" => plain.to_vec(),
            "gzip" | "x-gzip" => gzip(plain),
            "deflate" => {
                let mut encoder = write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "raw deflate" => {
                let mut encoder = write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "br" => brotli(plain),
            "zstd" => zstd::stream::encode_all(plain, 3).unwrap(),
            "gzip, br" => brotli(&gzip(plain)),
            other => panic!("{other}"),
        }
    }

    const ENCODINGS: [&str; 8] =
        ["identity", "gzip", "x-gzip", "deflate", "raw deflate", "br", "zstd", "gzip, br"];

    fn header(encoding: &str) -> &str {
        encoding.strip_prefix("raw ").unwrap_or(encoding)
    }

    fn decode(encoding: &str, pieces: &[&[u8]]) -> (Vec<u8>, Option<Fault>) {
        let mut plain = Vec::new();
        let mut decoder = ContentDecoder::new(encoding);
        for piece in pieces {
            decoder.feed(piece, &mut |piece| plain.extend_from_slice(piece));
        }
        let fault = decoder.finish(&mut |piece| plain.extend_from_slice(piece));
        (plain, fault)
    }

    #[test]
    fn every_encoding_gives_the_plain_body_at_every_split() {
        for encoding in ENCODINGS {
            let encoded = encode(encoding, PLAIN);
            for split in 0..=encoded.len() {
                let (head, tail) = encoded.split_at(split);
                assert_eq!(
                    decode(header(encoding), &[head, tail]),
                    (PLAIN.to_vec(), None),
                    "{encoding} {split}"
                );
            }
            let bytes: Vec<&[u8]> = encoded.chunks(1).collect();
            assert_eq!(decode(header(encoding), &bytes), (PLAIN.to_vec(), None), "{encoding} bytewise");
        }
    }

    #[test]
    fn what_was_flushed_is_seen_at_once() {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"first").unwrap();
        encoder.flush().unwrap();
        let mut plain = Vec::new();
        ContentDecoder::new("gzip").feed(encoder.get_ref(), &mut |piece| plain.extend_from_slice(piece));
        assert_eq!(plain, b"first");
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        for encoding in ["gzip", "zstd"] {
            let twice = [encode(encoding, PLAIN), encode(encoding, PLAIN)].concat();
            for piece in [1, 7, twice.len()] {
                let pieces: Vec<&[u8]> = twice.chunks(piece).collect();
                assert_eq!(decode(encoding, &pieces), (PLAIN.repeat(2), None), "{encoding} by {piece}");
            }
        }
    }

    #[test]
    fn a_body_cut_short_gives_what_it_holds_and_a_fault() {
        for encoding in ["gzip", "deflate", "raw deflate", "br", "zstd", "gzip, br"] {
            let encoded = encode(encoding, PLAIN);
            for end in 1..encoded.len() {
                let (plain, fault) = decode(header(encoding), &[&encoded[..end]]);
                assert!(PLAIN.starts_with(&plain), "{encoding} {end}");
                assert_eq!(fault, Some(Fault::Truncated), "{encoding} {end}");
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped() {
        let zeros = vec![0; 8 << 20];
        for encoding in ["gzip", "deflate", "zstd", "br"] {
            let encoded = encode(encoding, &zeros);
            let (plain, fault) = decode(encoding, &[&encoded]);
            assert_eq!(fault, Some(Fault::TooLarge), "{encoding}");
            assert!(plain.len() <= (1 << 20).max(200 * encoded.len()), "{encoding} {}", plain.len());
        }
    }

    #[test]
    fn an_unknown_encoding_is_a_fault_and_gives_nothing() {
        for encoding in ["compress", "gzip, snappy", "gzip,gzip,gzip,gzip,gzip"] {
            assert_eq!(decode(encoding, &[b"abc"]), (Vec::new(), Some(Fault::UnknownEncoding)), "{encoding}");
        }
    }

    #[test]
    fn garbage_is_corrupt() {
        for encoding in ["gzip", "zstd"] {
            assert_eq!(decode(encoding, &[b"{\"type\":\"message\"}"]).1, Some(Fault::Corrupt), "{encoding}");
        }
        let spoilt = [gzip(PLAIN), b"tail".to_vec()].concat();
        assert_eq!(decode("gzip", &[&spoilt]).0, PLAIN);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_decoder_panic(
            encoding in 0..ENCODINGS.len(),
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            flip in any::<(usize, u8)>(),
            split in any::<usize>(),
        ) {
            let encoding = ENCODINGS[encoding];
            let mut spoilt = encode(encoding, PLAIN);
            let at = flip.0 % spoilt.len();
            spoilt[at] ^= flip.1;
            for body in [bytes, spoilt] {
                let (head, tail) = body.split_at(split % (body.len() + 1));
                decode(header(encoding), &[head, tail]);
            }
        }
    }
}
