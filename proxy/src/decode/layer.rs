//! One content encoding.

use std::io::{self, Write};

use brotli::DecompressorWriter;
use flate2::{Decompress, FlushDecompress, Status, write::MultiGzDecoder};
use zstd::stream::raw::{DParameter, Decoder as ZstdContext, Operation};

use super::output::Output;

/// Room for one step of a decoder.
const STEP: usize = 16 * 1024;
/// 2^23 bytes: the window that HTTP's `zstd` is limited to, so that a header of a few bytes cannot make us
/// allocate more.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The decoder of one content encoding, with what it has made so far.
pub(super) enum Layer {
    Gzip(Box<MultiGzDecoder<Output>>),
    Deflate(Box<Deflate>),
    Brotli(Box<DecompressorWriter<Output>>),
    Zstd(Box<Zstd>),
}

impl Layer {
    /// The decoder for the encoding that HTTP calls `name`. `Ok(None)`: nothing to decode; `Err`: unknown.
    pub(super) fn named(name: &str) -> Result<Option<Self>, ()> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let output = Output::default();
        if name.is_empty() || is("identity") {
            Ok(None)
        } else if is("gzip") || is("x-gzip") {
            Ok(Some(Self::Gzip(Box::new(MultiGzDecoder::new(output)))))
        } else if is("deflate") {
            Ok(Some(Self::Deflate(Box::new(Deflate { output, state: Inflating::Unseen(None) }))))
        } else if is("br") {
            Ok(Some(Self::Brotli(Box::new(DecompressorWriter::new(output, STEP)))))
        } else if is("zstd") {
            Ok(Some(Self::Zstd(Box::new(Zstd::new(output).map_err(drop)?))))
        } else {
            Err(())
        }
    }

    /// Takes in a piece; what can be told from it is then in the output.
    pub(super) fn feed(&mut self, piece: &[u8]) -> io::Result<()> {
        self.output().account(piece.len());
        match self {
            Self::Gzip(decoder) => decoder.write_all(piece).and_then(|()| decoder.flush()),
            Self::Deflate(decoder) => decoder.feed(piece),
            Self::Brotli(decoder) => decoder.write_all(piece).and_then(|()| decoder.flush()),
            Self::Zstd(decoder) => decoder.feed(piece),
        }
    }

    /// No more will come: whether the encoded body is whole.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Deflate(decoder) => decoder.finish(),
            Self::Brotli(decoder) => decoder.close(),
            Self::Zstd(decoder) => decoder.finish(),
        }
    }

    pub(super) fn output(&mut self) -> &mut Output {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => &mut decoder.output,
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => &mut decoder.output,
        }
    }
}

/// HTTP's `deflate`: a zlib stream by the book, a bare deflate stream from many servers. The first two bytes
/// tell which.
pub(super) struct Deflate {
    output: Output,
    state: Inflating,
}

enum Inflating {
    /// Not two bytes yet.
    Unseen(Option<u8>),
    Under(Decompress),
    Ended,
}

impl Deflate {
    fn feed(&mut self, piece: &[u8]) -> io::Result<()> {
        let Inflating::Unseen(held) = self.state else { return self.inflate(piece) };
        match (held, piece) {
            (_, []) => Ok(()),
            (None, [only]) => {
                self.state = Inflating::Unseen(Some(*only));
                Ok(())
            }
            (None, [first, second, ..]) => {
                self.begin(*first, *second);
                self.inflate(piece)
            }
            (Some(first), [second, ..]) => {
                self.begin(first, *second);
                self.inflate(&[first]).and_then(|()| self.inflate(piece))
            }
        }
    }

    /// A zlib header is compression method 8 and a multiple of 31 (RFC 1950).
    fn begin(&mut self, first: u8, second: u8) {
        let is_zlib = first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
        self.state = Inflating::Under(Decompress::new(is_zlib));
    }

    fn inflate(&mut self, mut piece: &[u8]) -> io::Result<()> {
        let mut room = [0; STEP];
        while let Inflating::Under(inflater) = &mut self.state {
            let (taken, made) = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(piece, &mut room, FlushDecompress::None)?;
            let step = |before, after: u64| usize::try_from(after - before).unwrap_or(STEP);
            let (taken, made) = (step(taken, inflater.total_in()), step(made, inflater.total_out()));
            piece = &piece[taken..];
            self.output.write_all(&room[..made])?;
            if status == Status::StreamEnd {
                self.state = Inflating::Ended;
            } else if made < STEP && (piece.is_empty() || taken == 0) {
                return Ok(());
            }
        }
        // Nothing may follow the end.
        if piece.is_empty() { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn finish(&self) -> io::Result<()> {
        match self.state {
            Inflating::Ended | Inflating::Unseen(None) => Ok(()),
            Inflating::Unseen(Some(_)) | Inflating::Under(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Zstandard, one frame after another.
pub(super) struct Zstd {
    output: Output,
    context: ZstdContext<'static>,
    in_frame: bool,
}

impl Zstd {
    fn new(output: Output) -> io::Result<Self> {
        let mut context = ZstdContext::new()?;
        context.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
        Ok(Self { output, context, in_frame: false })
    }

    fn feed(&mut self, mut piece: &[u8]) -> io::Result<()> {
        let mut room = [0; STEP];
        loop {
            if piece.is_empty() && !self.in_frame {
                return Ok(());
            }
            let status = self.context.run_on_buffers(piece, &mut room)?;
            self.output.write_all(&room[..status.bytes_written])?;
            piece = &piece[status.bytes_read..];
            self.in_frame = status.remaining > 0;
            if self.in_frame && piece.is_empty() && status.bytes_written < STEP {
                return Ok(());
            }
        }
    }

    fn finish(&self) -> io::Result<()> {
        if self.in_frame { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}
