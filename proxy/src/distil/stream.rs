//! What follows an answer from one event to the next.

use std::time::Instant;

use super::{answer::AnswerFacts, sse::Event};

/// Follows the events of one answer.
pub trait EventStream: Send {
    /// Takes in the next event, which came at `at`.
    fn event(&mut self, event: Event<'_>, at: Instant);

    /// The stream is over.
    fn finish(self: Box<Self>) -> AnswerFacts;
}

/// Ways to feed a stream in tests.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::distil::sse::SseParser;

    /// What a stream tells that comes in these pieces.
    pub(crate) fn read<S: EventStream + Default>(pieces: &[&[u8]], at: Instant) -> AnswerFacts {
        let (mut parser, mut stream) = (SseParser::default(), Box::<S>::default());
        for piece in pieces {
            parser.feed(piece, &mut |event| stream.event(event, at));
        }
        stream.finish()
    }

    /// What a stream of these events' data tells.
    pub(crate) fn events<S: EventStream + Default>(events: &[&str]) -> AnswerFacts {
        let pieces: Vec<&[u8]> =
            events.iter().flat_map(|event| [b"data: ".as_slice(), event.as_bytes(), b"\n\n"]).collect();
        read::<S>(&pieces, Instant::now())
    }

    /// Feeds `stream` whole, bytewise and cut in two everywhere, and wants the same each time.
    pub(crate) fn assert_same_however_cut<S: EventStream + Default>(stream: &[u8]) {
        let at = Instant::now();
        let whole = read::<S>(&[stream], at);
        assert_eq!(read::<S>(&stream.chunks(1).collect::<Vec<_>>(), at), whole, "bytewise");
        for split in 0..=stream.len() {
            let (head, tail) = stream.split_at(split);
            assert_eq!(read::<S>(&[head, tail], at), whole, "at {split}");
        }
    }
}
