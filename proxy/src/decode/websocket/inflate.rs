//! Compressed messages: pieces of one long DEFLATE stream, each without its last four bytes (RFC 7692, section 7.2).

use flate2::{Decompress, FlushDecompress, Status};

use super::Fault;
use crate::decode::output::allowance;

/// What the sender has left out of the end of each message.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// Room for one step of the decoder.
const STEP: usize = 16 * 1024;

/// Inflates the messages of one direction.
pub(super) struct Inflater {
    stream: Decompress,
    /// Each message is compressed on its own.
    alone: bool,
    /// Of the message under way.
    taken: u64,
    made: u64,
}

impl Inflater {
    /// An inflater of messages, each of which is `alone` or may refer to those before it.
    pub(super) fn new(alone: bool) -> Self {
        Self { stream: Decompress::new(false), alone, taken: 0, made: 0 }
    }

    /// Gives `sink` what these bytes of a message make.
    pub(super) fn feed(&mut self, mut piece: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        self.taken += piece.len() as u64;
        let mut room = [0; STEP];
        loop {
            let before = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(piece, &mut room, FlushDecompress::Sync);
            let status = status.map_err(|_| Fault::Corrupt)?;
            let step = |before, after: u64| usize::try_from(after - before).unwrap_or(STEP);
            let taken = step(before.0, self.stream.total_in());
            let made = step(before.1, self.stream.total_out());
            piece = &piece[taken..];
            self.made += made as u64;
            if self.made > allowance(self.taken) {
                return Err(Fault::TooLarge);
            }
            sink(&room[..made]);
            if status == Status::StreamEnd {
                // A sender may end its stream and begin another, in the middle of a message too.
                self.stream.reset(false);
            } else if made < STEP && (piece.is_empty() || taken == 0) {
                return if piece.is_empty() { Ok(()) } else { Err(Fault::Corrupt) };
            }
        }
    }

    /// The message is over: gives `sink` the rest of it.
    pub(super) fn end(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        self.feed(&TAIL, sink)?;
        (self.taken, self.made) = (0, 0);
        if self.alone {
            self.stream.reset(false);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(inflater: &mut Inflater, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut plain = Vec::new();
        inflater.feed(message, &mut |piece| plain.extend_from_slice(piece))?;
        inflater.end(&mut |piece| plain.extend_from_slice(piece))?;
        Ok(plain)
    }

    #[test]
    fn the_standards_own_examples_are_inflated() {
        // RFC 7692, section 7.2.3: a message, the same again against the first one's window, without compression,
        // with the final bit set.
        let first: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let again: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
        let stored: &[u8] = &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        let ended: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        let mut shared = Inflater::new(false);
        for message in [first, again, stored, first, ended] {
            assert_eq!(inflate(&mut shared, message), Ok(b"Hello".to_vec()), "{message:x?}");
        }
        let mut alone = Inflater::new(true);
        assert_eq!(inflate(&mut alone, first), Ok(b"Hello".to_vec()));
        assert_ne!(inflate(&mut alone, again), Ok(b"Hello".to_vec()), "there is nothing to refer to");
    }

    #[test]
    fn an_empty_message_is_one() {
        assert_eq!(inflate(&mut Inflater::new(false), &[0x00]), Ok(Vec::new()));
    }

    #[test]
    fn a_bomb_is_stopped() {
        use flate2::{Compress, Compression, FlushCompress};
        let mut bomb = Vec::with_capacity(1 << 20);
        let mut compress = Compress::new(Compression::best(), false);
        compress.compress_vec(&vec![0; 8 << 20], &mut bomb, FlushCompress::Sync).unwrap();
        let mut made = 0;
        let result = Inflater::new(false).feed(&bomb, &mut |piece| made += piece.len());
        assert_eq!(result, Err(Fault::TooLarge));
        assert!(made <= (1 << 20).max(200 * bomb.len()), "{made} of {}", bomb.len());
    }
}
