//! The framing of a stream of events, as the HTML standard's "server-sent events" defines it.
//!
//! Lines end in LF, CRLF or CR. An event is dispatched at its empty line and not before: what the stream breaks
//! off in the middle of was never said.

/// The most bytes that one event's data may have. A longer event is passed over.
pub const MAX_EVENT: usize = 8 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its `event` field; empty if it has none.
    pub name: &'a [u8],
    /// Its `data` lines, joined by LF.
    pub data: &'a [u8],
}

/// Finds the events in a stream that comes in pieces cut anywhere.
#[derive(Debug, Default)]
pub struct SseParser {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    data_lines: usize,
    /// The last piece ended in CR: an LF at the start of the next one belongs to it.
    after_cr: bool,
    past_first_line: bool,
    /// This event is too long: nothing of it is kept.
    overlong: bool,
    skipped: u32,
}

impl SseParser {
    /// Takes in the next piece and gives `on_event` each event that it completes.
    pub fn feed(&mut self, mut piece: &[u8], on_event: &mut dyn FnMut(Event<'_>)) {
        if self.after_cr && !piece.is_empty() {
            self.after_cr = false;
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', piece) {
            let is_cr = piece[end] == b'\r';
            self.end_line(&piece[..end], on_event);
            piece = &piece[end + 1..];
            if is_cr {
                self.after_cr = piece.is_empty();
                piece = piece.strip_prefix(b"\n").unwrap_or(piece);
            }
        }
        self.hold(piece);
    }

    /// Events that were passed over because they were too long.
    pub fn skipped(&self) -> u32 {
        self.skipped
    }

    fn end_line(&mut self, end: &[u8], on_event: &mut dyn FnMut(Event<'_>)) {
        if self.line.is_empty() {
            return self.take_line(end, on_event);
        }
        self.hold(end);
        let mut line = std::mem::take(&mut self.line);
        self.take_line(&line, on_event);
        line.clear();
        self.line = line;
    }

    /// Keeps a part of a line until its end comes.
    fn hold(&mut self, part: &[u8]) {
        self.overlong |= self.line.len() + part.len() > MAX_EVENT;
        if !self.overlong {
            self.line.extend_from_slice(part);
        } else if self.line.is_empty() {
            // One byte tells that the line is not an empty one.
            self.line.extend(part.first());
        }
    }

    fn take_line(&mut self, mut line: &[u8], on_event: &mut dyn FnMut(Event<'_>)) {
        if !std::mem::replace(&mut self.past_first_line, true) {
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_event(on_event);
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => self.add_data(value),
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // Comments, which have no field name; `id` and `retry`, which are for those who reconnect.
            _ => {}
        }
    }

    fn add_data(&mut self, value: &[u8]) {
        self.overlong |= self.data.len() + value.len() > MAX_EVENT;
        if self.overlong {
            self.data.clear();
            return;
        }
        if self.data_lines > 0 {
            self.data.push(b'\n');
        }
        self.data_lines += 1;
        self.data.extend_from_slice(value);
    }

    fn end_event(&mut self, on_event: &mut dyn FnMut(Event<'_>)) {
        if std::mem::take(&mut self.overlong) {
            self.skipped += 1;
        } else if self.data_lines > 0 {
            on_event(Event { name: &self.name, data: &self.data });
        }
        self.data_lines = 0;
        self.data.clear();
        self.name.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (String, String);

    fn events(pieces: &[&[u8]]) -> Vec<Owned> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for piece in pieces {
            parser.feed(piece, &mut |event| events.push((text(event.name), text(event.data))));
        }
        events
    }

    fn owned(events: &[(&str, &str)]) -> Vec<Owned> {
        events.iter().map(|&(name, data)| (name.to_owned(), data.to_owned())).collect()
    }

    /// Feeds `stream` whole, bytewise and cut in two everywhere, and wants the same each time.
    fn check(stream: &str, expected: &[(&str, &str)]) {
        let bytes = stream.as_bytes();
        assert_eq!(events(&[bytes]), owned(expected), "{stream:?}");
        assert_eq!(events(&bytes.chunks(1).collect::<Vec<_>>()), owned(expected), "{stream:?} bytewise");
        for split in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(split);
            assert_eq!(events(&[head, b"", tail]), owned(expected), "{stream:?} at {split}");
        }
    }

    #[test]
    fn the_three_line_ends_mean_the_same() {
        for end in ["\n", "\r\n", "\r"] {
            let stream = "event: a\ndata: 1\ndata: 2\n\ndata:caf\u{e9} ☕\n\n".replace('\n', end);
            check(&stream, &[("a", "1\n2"), ("", "caf\u{e9} ☕")]);
        }
    }

    #[test]
    fn comments_ids_and_unknown_fields_are_passed_over() {
        check(": keep-alive\n\nid: 3\nretry: 9\nfoo\ndata: x\n: more\n\n", &[("", "x")]);
    }

    #[test]
    fn only_one_space_after_the_colon_goes() {
        check("data:  x \ndata\ndata:\n\n", &[("", " x \n\n")]);
    }

    #[test]
    fn a_byte_order_mark_at_the_start_goes() {
        check("\u{feff}data: x\n\ndata: \u{feff}y\n\n", &[("", "x"), ("", "\u{feff}y")]);
    }

    #[test]
    fn an_event_without_data_is_none_and_leaves_no_name_behind() {
        check("event: a\n\ndata: x\n\n", &[("", "x")]);
    }

    #[test]
    fn an_event_without_its_empty_line_is_not_dispatched() {
        check("data: x\n\ndata: y\n", &[("", "x")]);
        check("data: x\n\ndata: y", &[("", "x")]);
    }

    #[test]
    fn an_overlong_event_is_passed_over_in_little_memory() {
        let long = vec![b'x'; MAX_EVENT / 2 + 1];
        for between in [&b""[..], b"\ndata: "] {
            let mut parser = SseParser::default();
            let mut seen = 0;
            for piece in [b"data: ".as_slice(), &long, between, &long, &long, b"\n\ndata: y\n\n"] {
                parser.feed(piece, &mut |event| {
                    assert_eq!(event.data, b"y");
                    seen += 1;
                });
            }
            assert_eq!((seen, parser.skipped()), (1, 1));
            assert!(parser.line.capacity() + parser.data.capacity() <= 3 * MAX_EVENT);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_give_the_same_events(
            bytes in proptest::collection::vec(prop::sample::select(b"\r\n: dataevent\xef\xbb\xbf".to_vec()), 0..120),
            split in any::<usize>(),
        ) {
            let (head, tail) = bytes.split_at(split % (bytes.len() + 1));
            prop_assert_eq!(events(&[head, tail]), events(&[&bytes]));
        }
    }
}
