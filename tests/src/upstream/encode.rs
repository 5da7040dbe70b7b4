//! Content encodings, flushed behind every piece as real servers do for streams.

use std::io::Write;

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use super::Piece;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// gzip.
    Gzip,
    /// deflate, in its zlib wrapping.
    Deflate,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

impl Encoding {
    /// All that compress.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd];

    /// The word in `content-encoding`; none for identity.
    pub const fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The pieces, each compressed so that a client that has its bytes can decode all of it; and whatever the
    /// encoding puts behind the last.
    pub(super) fn encode(self, pieces: Vec<Piece>) -> Vec<Piece> {
        let level = Compression::default();
        match self {
            Self::Identity => pieces,
            Self::Gzip => each(pieces, GzEncoder::new(vec![], level), GzEncoder::get_mut, finish_gzip),
            Self::Deflate => each(pieces, ZlibEncoder::new(vec![], level), ZlibEncoder::get_mut, finish_zlib),
            Self::Brotli => {
                let encoder = brotli::CompressorWriter::new(vec![], 4096, 5, 20);
                each(pieces, encoder, brotli::CompressorWriter::get_mut, brotli::CompressorWriter::into_inner)
            }
            Self::Zstd => {
                let encoder = zstd::Encoder::new(vec![], 3).expect("level 3 exists");
                each(pieces, encoder, zstd::Encoder::get_mut, finish_zstd)
            }
        }
    }
}

fn each<W: Write>(
    pieces: Vec<Piece>,
    mut encoder: W,
    inner: impl Fn(&mut W) -> &mut Vec<u8>,
    finish: impl FnOnce(W) -> Vec<u8>,
) -> Vec<Piece> {
    let mut compressed: Vec<Piece> = pieces
        .into_iter()
        .map(|piece| {
            encoder.write_all(&piece.bytes).and_then(|()| encoder.flush()).expect("memory takes all");
            Piece { bytes: std::mem::take(inner(&mut encoder)), tells: piece.tells }
        })
        .collect();
    compressed.push(Piece { bytes: finish(encoder), tells: vec![] });
    compressed
}

fn finish_gzip(encoder: GzEncoder<Vec<u8>>) -> Vec<u8> {
    encoder.finish().expect("memory takes all")
}

fn finish_zlib(encoder: ZlibEncoder<Vec<u8>>) -> Vec<u8> {
    encoder.finish().expect("memory takes all")
}

fn finish_zstd(encoder: zstd::Encoder<'_, Vec<u8>>) -> Vec<u8> {
    encoder.finish().expect("memory takes all")
}
