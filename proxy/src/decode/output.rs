//! What one decoder has made of its input, within bounds.

use std::io::{self, Write};

/// So much may come out whatever went in.
const FREE: u64 = 1 << 20;
/// Beyond [`FREE`], so many bytes may come out for each that went in.
const RATIO: u64 = 200;
/// The most that may come out at all.
const MOST: u64 = 256 << 20;

/// Collects a decoder's output and refuses it where a small input would make too much of it.
#[derive(Debug, Default)]
pub(super) struct Output {
    plain: Vec<u8>,
    taken: u64,
    made: u64,
}

impl Output {
    /// The decoder is about to be given `len` bytes more.
    pub(super) fn account(&mut self, len: usize) {
        self.taken += len as u64;
    }

    /// Hands over what has come out and keeps its memory for what follows.
    pub(super) fn drain(&mut self, sink: &mut dyn FnMut(&[u8])) {
        if !self.plain.is_empty() {
            sink(&self.plain);
            self.plain.clear();
        }
    }
}

/// How much may come out of `taken` bytes.
pub(super) fn allowance(taken: u64) -> u64 {
    taken.saturating_mul(RATIO).clamp(FREE, MOST)
}

impl Write for Output {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.made += piece.len() as u64;
        if self.made > allowance(self.taken) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.plain.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megabyte_is_free_and_beyond_it_the_ratio_counts() {
        let mut output = Output::default();
        output.account(1);
        output.write_all(&vec![0; 1 << 20]).unwrap();
        assert_eq!(output.write(b"x").unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
        output.account(6000);
        output.write_all(b"x").unwrap();
    }
}
