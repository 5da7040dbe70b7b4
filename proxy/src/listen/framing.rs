//! Finds requests whose head states their length in two ways.
//!
//! A request with both `Content-Length` and `Transfer-Encoding` is how one request is smuggled inside another.
//! The HTTP server takes such a request by its chunks, drops the other length, and does not tell. So this watches
//! the bytes that come in: it follows heads and bodies just far enough to know where the next head begins.

use std::collections::VecDeque;

/// The most that is read of a head before it is left to the server, which refuses it.
const MAX_HEAD: usize = 64 * 1024;

/// Follows the bytes that a client sends on one connection.
#[derive(Debug, Default)]
pub struct Framing {
    state: State,
    /// The part of a line that has come so far.
    line: Vec<u8>,
    verdicts: VecDeque<bool>,
    /// How many heads have come to their end.
    heads: u64,
}

#[derive(Debug)]
enum State {
    /// In a head, or before one.
    Head(Head),
    /// So many bytes of a body are left.
    Fixed(u64),
    /// Before the size of a chunk.
    ChunkSize,
    /// So many bytes of a chunk are left, with the line end after them.
    Chunk(u64),
    /// After the last chunk.
    Trailers,
    /// Another protocol, or nothing that makes sense: the server's affair alone.
    Unwatched,
}

impl Default for State {
    fn default() -> Self {
        Self::Head(Head::default())
    }
}

#[derive(Debug, Default)]
enum Length {
    #[default]
    Unstated,
    Stated(u64),
    Unreadable,
}

#[derive(Debug, Default)]
struct Head {
    begun: bool,
    bytes: usize,
    length: Length,
    has_encoding: bool,
    has_upgrade: bool,
}

impl Framing {
    /// More bytes came in.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Fixed(left) | State::Chunk(left) => {
                    let (skipped, rest) = skip(*left, bytes);
                    *left -= skipped;
                    if *left == 0 {
                        self.body_ended();
                    }
                    rest
                }
                State::Head(_) | State::ChunkSize | State::Trailers => self.take_line(bytes),
                State::Unwatched => return,
            };
        }
    }

    /// Whether the next request that the server takes had two lengths.
    pub fn next_has_two_lengths(&mut self) -> bool {
        self.verdicts.pop_front().unwrap_or_default()
    }

    /// The number of the head that has begun and not yet ended. None between two requests, in a body, and once
    /// nothing is watched any more.
    pub fn head_under_way(&self) -> Option<u64> {
        let State::Head(head) = &self.state else { return None };
        (head.begun || !self.line.is_empty()).then_some(self.heads)
    }

    fn body_ended(&mut self) {
        self.state = match self.state {
            State::Chunk(_) => State::ChunkSize,
            _ => State::default(),
        };
    }

    fn take_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            if self.line.len() > MAX_HEAD {
                self.unwatch();
            }
            return &[];
        };
        let mut line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.line_came(&bytes[..end]);
        } else {
            line.extend_from_slice(&bytes[..end]);
            self.line_came(&line);
        }
        &bytes[end + 1..]
    }

    fn line_came(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match &mut self.state {
            State::Head(head) if line.is_empty() && head.begun => self.head_ended(),
            State::Head(head) => head.line(line),
            State::ChunkSize => match chunk_size(line) {
                Some(0) => self.state = State::Trailers,
                Some(size) => self.state = State::Chunk(size.saturating_add(2)),
                None => self.unwatch(),
            },
            State::Trailers if line.is_empty() => self.state = State::default(),
            State::Trailers | State::Fixed(_) | State::Chunk(_) | State::Unwatched => {}
        }
        if matches!(&self.state, State::Head(head) if head.bytes > MAX_HEAD) {
            self.unwatch();
        }
    }

    fn head_ended(&mut self) {
        let State::Head(head) = std::mem::take(&mut self.state) else { return };
        self.heads += 1;
        self.verdicts.push_back(head.has_encoding && !matches!(head.length, Length::Unstated));
        self.state = head.followed_by();
    }

    fn unwatch(&mut self) {
        self.state = State::Unwatched;
        self.line = Vec::new();
    }
}

impl Head {
    fn line(&mut self, line: &[u8]) {
        self.bytes += line.len();
        // Empty lines before a request are nothing; its first line is no header.
        if !self.begun {
            self.begun = !line.is_empty();
            return;
        }
        let Some(colon) = memchr::memchr(b':', line) else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            self.length = length.map_or(Length::Unreadable, Length::Stated);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.has_encoding = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.has_upgrade = true;
        }
    }

    fn followed_by(&self) -> State {
        match self.length {
            _ if self.has_upgrade => State::Unwatched,
            _ if self.has_encoding => State::ChunkSize,
            Length::Unstated | Length::Stated(0) => State::default(),
            Length::Stated(length) => State::Fixed(length),
            Length::Unreadable => State::Unwatched,
        }
    }
}

fn skip(left: u64, bytes: &[u8]) -> (u64, &[u8]) {
    match usize::try_from(left) {
        Ok(left) if left <= bytes.len() => (left as u64, &bytes[left..]),
        _ => (bytes.len() as u64, &[]),
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    u64::from_str_radix(str::from_utf8(digits).ok()?.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAIR: &str = "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    const TWO: &str = "POST /b HTTP/1.1\r\ncontent-length: 5\r\nTRANSFER-ENCODING: chunked\r\n\r\n5;x=y\r\n\r\n\r\n:\r\n0\r\nx-sum: 1\r\n\r\n";
    const NONE: &str = "GET /c HTTP/1.1\r\nHost: x\r\n\r\n";

    fn verdicts(bytes: &[u8], step: usize) -> Vec<bool> {
        let mut framing = Framing::default();
        bytes.chunks(step).for_each(|part| framing.pass(part));
        framing.verdicts.into()
    }

    #[test]
    fn two_lengths_are_found_however_the_bytes_are_cut() {
        let requests = [FAIR, TWO, NONE, "\r\n", FAIR, TWO].concat();
        for step in 1..=requests.len() {
            assert_eq!(verdicts(requests.as_bytes(), step), [false, true, false, false, true], "{step}");
        }
    }

    #[test]
    fn a_head_is_under_way_from_its_first_byte_to_its_empty_line() {
        let mut framing = Framing::default();
        let mut after = |bytes: &str| {
            framing.pass(bytes.as_bytes());
            framing.head_under_way()
        };
        assert_eq!(after(""), None);
        assert_eq!(after("P"), Some(0));
        assert_eq!(after("OST /a HTTP/1.1\r\nContent-Length: 3\r\n"), Some(0));
        assert_eq!(after("\r\n"), None);
        assert_eq!(after("ab"), None);
        assert_eq!(after("c"), None);
        assert_eq!(after("GET / HTTP/1.1\r\n\r\nG"), Some(2));
    }

    #[test]
    fn a_head_inside_a_body_is_no_head() {
        let request = format!("POST /a HTTP/1.1\r\nContent-Length: {}\r\n\r\n{TWO}", TWO.len());
        assert_eq!(verdicts(request.as_bytes(), 7), [false]);
        let request = format!(
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{TWO}\r\n0\r\n\r\n",
            TWO.len()
        );
        assert_eq!(verdicts(request.as_bytes(), 7), [false]);
    }

    #[test]
    fn bare_line_feeds_end_lines_as_the_server_reads_them() {
        assert_eq!(
            verdicts(b"POST / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked\n\n", 64),
            [true]
        );
    }

    #[test]
    fn what_makes_no_sense_is_not_kept() {
        for nonsense in
            [vec![b'a'; 10 << 20], b"x\r\n".repeat(1 << 20), [NONE.as_bytes(), &vec![0xff; 1 << 20]].concat()]
        {
            let mut framing = Framing::default();
            nonsense.chunks(8192).for_each(|part| framing.pass(part));
            assert!(framing.line.capacity() <= 2 * MAX_HEAD + 8192);
            assert!(matches!(framing.state, State::Unwatched));
        }
    }

    #[test]
    fn after_an_upgrade_nothing_is_watched() {
        let request = format!("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n{TWO}");
        assert_eq!(verdicts(request.as_bytes(), 64), [false]);
    }
}
