//! Joins the chunks of a body that are ready at the same time, so that a burst costs one write and not one per
//! chunk. It never waits for a chunk that has not come: it lets the tasks that are ready have one turn, the one
//! that reads from the upstream among them, and hands out what there is.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

/// What is gathered at most before it is handed out.
const ENOUGH: usize = 32 * 1024;
/// The room that is made at once when chunks are joined.
const USUAL: usize = 4 * 1024;
/// How often nothing new is found before what there is is handed out. The HTTP server asks twice in one turn of its
/// task; the turn of the others lies between the second time and the third.
const PATIENCE: u8 = 2;

/// A body whose chunks are joined.
#[derive(Debug)]
pub struct Joined<B: Body> {
    body: B,
    gathered: Gathered,
    /// How often nothing new may still be found.
    patience: u8,
    /// What comes after the gathered chunks.
    next: Option<Next<B::Error>>,
    /// Whether what was handed out last may still wait in the server's buffer.
    unflushed: bool,
}

#[derive(Debug)]
enum Next<E> {
    Trailers(Frame<Bytes>),
    End,
    Broken(E),
}

/// One chunk is passed on as it is; only several are copied.
#[derive(Debug, Default)]
struct Gathered {
    first: Bytes,
    joined: BytesMut,
}

impl<B> Joined<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Unpin,
{
    /// Joins the chunks of `body`.
    pub fn new(body: B) -> Self {
        // The head of the answer waits too.
        Self { body, gathered: Gathered::default(), patience: 0, next: None, unflushed: true }
    }

    /// Whether the body has broken off, also while nobody has been told yet.
    pub fn has_broken(&self) -> bool {
        matches!(self.next, Some(Next::Broken(_)))
    }

    fn is_enough(&self) -> bool {
        self.next.is_some()
            || self.gathered.len() >= ENOUGH
            || (self.gathered.len() > 0 && self.body.is_end_stream())
    }

    fn gather(&mut self, frame: Option<Result<Frame<Bytes>, B::Error>>) {
        match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(chunk))) => {
                self.gathered.push(chunk);
                self.patience = PATIENCE;
            }
            Some(Ok(Err(trailers))) => self.next = Some(Next::Trailers(trailers)),
            Some(Err(error)) => self.next = Some(Next::Broken(error)),
            None => self.next = Some(Next::End),
        }
    }

    /// Nothing more is ready now.
    fn pause(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.gathered.len() == 0 {
            self.unflushed = false;
            return Poll::Pending;
        }
        if self.patience > 0 {
            self.patience -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.hand_out(cx)
    }

    fn hand_out(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.gathered.len() > 0 {
            self.unflushed = true;
            return Poll::Ready(Some(Ok(Frame::data(self.gathered.take()))));
        }
        match self.next.take() {
            // An error makes the server throw away what it has not written yet. The client shall have every byte
            // that came, so the server gets a turn to write before it learns of the error.
            broken @ Some(Next::Broken(_)) if std::mem::take(&mut self.unflushed) => {
                self.next = broken;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Next::Broken(error)) => Poll::Ready(Some(Err(error))),
            Some(Next::Trailers(trailers)) => Poll::Ready(Some(Ok(trailers))),
            Some(Next::End) | None => Poll::Ready(None),
        }
    }
}

impl<B> Body for Joined<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        while !this.is_enough() {
            match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Ready(frame) => this.gather(frame),
                Poll::Pending => return this.pause(cx),
            }
        }
        this.hand_out(cx)
    }

    fn is_end_stream(&self) -> bool {
        let ends = match &self.next {
            Some(Next::End) => true,
            Some(Next::Trailers(_) | Next::Broken(_)) => false,
            None => self.body.is_end_stream(),
        };
        ends && self.gathered.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        if self.gathered.len() == 0 { self.body.size_hint() } else { SizeHint::default() }
    }
}

impl Gathered {
    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        if self.joined.is_empty() {
            self.joined.reserve(USUAL.max(self.first.len() + chunk.len()));
        }
        let first = std::mem::take(&mut self.first);
        self.joined.extend_from_slice(&first);
        self.joined.extend_from_slice(&chunk);
    }

    fn take(&mut self) -> Bytes {
        if self.joined.is_empty() {
            std::mem::take(&mut self.first)
        } else {
            std::mem::take(&mut self.joined).freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, task::Waker};

    use super::*;

    type Step = Poll<Option<Result<Frame<Bytes>, &'static str>>>;

    /// A body that plays its steps one by one, and has nothing after them.
    struct Script(VecDeque<Step>);

    impl Body for Script {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Step {
            self.0.pop_front().unwrap_or(Poll::Pending)
        }
    }

    fn chunk(text: &'static str) -> Step {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }

    /// What each poll gives: data, `.` for nothing yet, `!` for an error, `$` for the end.
    fn polls(steps: impl IntoIterator<Item = Step>, times: usize) -> Vec<String> {
        let mut body = Joined::new(Script(steps.into_iter().collect()));
        let cx = &mut Context::from_waker(Waker::noop());
        let mut poll = || match Pin::new(&mut body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame
                .into_data()
                .map_or("trailers".to_owned(), |data| String::from_utf8(data.to_vec()).unwrap()),
            Poll::Ready(Some(Err(_))) => "!".to_owned(),
            Poll::Ready(None) => "$".to_owned(),
            Poll::Pending => ".".to_owned(),
        };
        (0..times).map(|_| poll()).collect()
    }

    #[test]
    fn chunks_that_are_ready_at_once_are_joined() {
        let none = || Poll::Pending;
        let steps = [chunk("a"), chunk("b"), none(), none(), chunk("c"), none(), none(), none(), chunk("d")];
        assert_eq!(polls(steps, 8), [".", ".", ".", ".", "abc", ".", ".", "d"]);
    }

    #[test]
    fn a_chunk_waits_one_turn_and_no_longer() {
        assert_eq!(polls([chunk("a")], 5), [".", ".", "a", ".", "."]);
    }

    #[test]
    fn the_end_comes_after_the_last_chunk() {
        assert_eq!(polls([chunk("a"), Poll::Ready(None)], 2), ["a", "$"]);
        let trailers = Poll::Ready(Some(Ok(Frame::trailers(hyper::HeaderMap::new()))));
        assert_eq!(polls([chunk("a"), trailers, Poll::Ready(None)], 3), ["a", "trailers", "$"]);
    }

    #[test]
    fn the_server_may_write_what_came_before_an_error() {
        let broken = || Poll::Ready(Some(Err("broken")));
        assert_eq!(polls([broken()], 2), [".", "!"]);
        assert_eq!(polls([chunk("a"), broken()], 3), ["a", ".", "!"]);
        assert_eq!(polls([Poll::Pending, broken()], 2), [".", "!"]);
    }

    #[test]
    fn enough_is_handed_out_at_once() {
        let half = || Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; ENOUGH / 2])))));
        let lengths: Vec<usize> = polls([half(), half(), half()], 4).iter().map(String::len).collect();
        assert_eq!(lengths, [ENOUGH, 1, 1, ENOUGH / 2]);
    }
}
