//! A JSON array of objects that comes in pieces: each object is handed out as soon as it is whole.
//!
//! Also the same object without an array around it, as errors come.

/// The most bytes that one object may have. A longer one is passed over.
pub const MAX_OBJECT: usize = 8 << 20;

/// Finds the outermost objects.
#[derive(Debug, Default)]
pub struct ObjectSplitter {
    object: Vec<u8>,
    /// Open braces and brackets, from the object's own on.
    depth: u32,
    in_string: bool,
    escaped: bool,
    overlong: bool,
    skipped: u32,
}

impl ObjectSplitter {
    /// Takes in the next piece and gives `on_object` each object that it completes.
    pub fn feed(&mut self, piece: &[u8], on_object: &mut dyn FnMut(&[u8])) {
        let mut begun = 0;
        for (at, &byte) in piece.iter().enumerate() {
            if self.depth == 0 {
                if byte == b'{' {
                    self.depth = 1;
                    begun = at;
                }
                continue;
            }
            if self.closes(byte) {
                self.hold(&piece[begun..=at]);
                self.end(on_object);
            }
        }
        if self.depth > 0 {
            self.hold(&piece[begun..]);
        }
    }

    /// Objects that were passed over because they were too long.
    pub fn skipped(&self) -> u32 {
        self.skipped
    }

    /// Whether `byte`, inside an object, is its end.
    fn closes(&mut self, byte: u8) -> bool {
        if self.in_string {
            let ends = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.in_string = !ends;
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }

    fn hold(&mut self, part: &[u8]) {
        self.overlong |= self.object.len() + part.len() > MAX_OBJECT;
        if !self.overlong {
            self.object.extend_from_slice(part);
        }
    }

    fn end(&mut self, on_object: &mut dyn FnMut(&[u8])) {
        if std::mem::take(&mut self.overlong) {
            self.skipped += 1;
        } else {
            on_object(&self.object);
        }
        self.object.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn objects(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = ObjectSplitter::default();
        let mut objects = Vec::new();
        for piece in pieces {
            splitter.feed(piece, &mut |object| objects.push(String::from_utf8_lossy(object).into_owned()));
        }
        objects
    }

    #[test]
    fn objects_are_found_whatever_is_in_them_and_however_they_are_cut() {
        let text = "[{\"a\":{\"b\":[1,{}]}}\n, {\"c\":\"}]{ \\\" \\\\\"} ,\r\n{}]\n";
        let expected = ["{\"a\":{\"b\":[1,{}]}}", "{\"c\":\"}]{ \\\" \\\\\"}", "{}"];
        assert_eq!(objects(&[text.as_bytes()]), expected);
        assert_eq!(objects(&text.as_bytes().chunks(1).collect::<Vec<_>>()), expected);
        for split in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(split);
            assert_eq!(objects(&[head, b"", tail]), expected, "at {split}");
        }
    }

    #[test]
    fn an_object_alone_is_found_and_half_a_one_is_not() {
        assert_eq!(objects(&[b" {\"a\":1}"]), ["{\"a\":1}"]);
        assert!(objects(&[b"[{\"a\":[1}"]).is_empty());
    }

    #[test]
    fn an_overlong_object_is_passed_over() {
        let long = vec![b'x'; MAX_OBJECT / 2 + 1];
        let mut splitter = ObjectSplitter::default();
        let mut seen = Vec::new();
        for piece in [b"[{\"a\":\"".as_slice(), &long, &long, &long, b"\"},{\"b\":1}]"] {
            splitter.feed(piece, &mut |object| seen.push(object.to_vec()));
        }
        assert_eq!((seen, splitter.skipped()), (vec![b"{\"b\":1}".to_vec()], 1));
        assert!(splitter.object.capacity() <= 2 * MAX_OBJECT);
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_give_the_same_objects(
            bytes in proptest::collection::vec(prop::sample::select(b"{}[]\"\\a,".to_vec()), 0..80),
            split in any::<usize>(),
        ) {
            let (head, tail) = bytes.split_at(split % (bytes.len() + 1));
            prop_assert_eq!(objects(&[head, tail]), objects(&[&bytes]));
        }
    }
}
