//! Reads whole lines of one segment.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use crate::{private, segment::ByteOffset};

/// The longest line that is kept in memory. No writer makes one of more than 64 KiB, so a longer one is damage;
/// it is skipped to its newline.
pub const GIANT_LINE: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;

/// What the next read gives.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadLine<'a> {
    /// A whole line, without its newline, and where the next one starts.
    Line(&'a [u8], ByteOffset),
    /// A line of more than [`GIANT_LINE`] bytes has been passed over; where the next one starts.
    Giant(ByteOffset),
    /// No whole line is left for now; so many bytes of an unfinished one follow.
    End {
        /// Bytes after the last newline.
        unfinished: u64,
    },
}

/// Reads a segment line by line, from an offset on.
///
/// A line without its newline is never given out, however long it has been lying there: its writer may not have
/// finished it. Reading on after [`ReadLine::End`] gives what has been appended meanwhile. Memory is bounded by
/// [`GIANT_LINE`] plus one chunk.
#[derive(Debug)]
pub struct LineReader {
    file: File,
    /// Where `buffer` begins in the file: the start of a line, or of the rest of a giant one.
    offset: u64,
    buffer: Vec<u8>,
    /// The start in `buffer` of what has not been given out.
    start: usize,
    /// The part of `buffer` from `start` on that is known to hold no newline.
    searched: usize,
    in_giant: bool,
}

impl LineReader {
    /// Opens the segment at `path` for reading from `offset`, which must be the start of a line. A symlink is
    /// refused.
    pub fn open(path: &Path, offset: ByteOffset) -> io::Result<Self> {
        let mut file = private::file_options().read(true).open(path)?;
        let len = file.metadata()?.len();
        if len < offset.0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("segment has {len} bytes, but {} had been read", offset.0),
            ));
        }
        file.seek(SeekFrom::Start(offset.0))?;
        Ok(Self { file, offset: offset.0, buffer: Vec::new(), start: 0, searched: 0, in_giant: false })
    }

    /// The next whole line.
    pub fn read_line(&mut self) -> io::Result<ReadLine<'_>> {
        loop {
            let unsearched = &self.buffer[self.start + self.searched..];
            if let Some(newline) = memchr::memchr(b'\n', unsearched) {
                let line = self.start..self.start + self.searched + newline;
                self.start = line.end + 1;
                self.searched = 0;
                let next = ByteOffset(self.offset + self.start as u64);
                if std::mem::take(&mut self.in_giant) {
                    return Ok(ReadLine::Giant(next));
                }
                return Ok(ReadLine::Line(&self.buffer[line], next));
            }
            self.searched = self.buffer.len() - self.start;
            if self.searched > GIANT_LINE {
                self.in_giant = true;
            }
            if self.in_giant {
                self.start = self.buffer.len();
                self.searched = 0;
            }
            if self.fill()? == 0 {
                return Ok(ReadLine::End { unfinished: self.searched as u64 + u64::from(self.in_giant) });
            }
        }
    }

    /// Reads one more chunk behind what is left of the buffer; 0 at the end of the file.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.offset += self.start as u64;
        self.start = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + CHUNK, 0);
        let read = loop {
            match self.file.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(old + *read.as_ref().unwrap_or(&0));
        read
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write};

    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_torn_last_line_is_not_consumed() {
        let file = file(b"one\ntw");
        let mut reader = LineReader::open(file.path(), ByteOffset(0)).unwrap();
        assert_eq!(reader.read_line().unwrap(), ReadLine::Line(b"one", ByteOffset(4)));
        assert_eq!(reader.read_line().unwrap(), ReadLine::End { unfinished: 2 });
        OpenOptions::new().append(true).open(file.path()).unwrap().write_all(b"o\n").unwrap();
        assert_eq!(reader.read_line().unwrap(), ReadLine::Line(b"two", ByteOffset(8)));
        assert_eq!(reader.read_line().unwrap(), ReadLine::End { unfinished: 0 });
    }

    #[test]
    fn reading_resumes_at_an_offset() {
        let file = file(b"one\ntwo\n");
        let mut reader = LineReader::open(file.path(), ByteOffset(4)).unwrap();
        assert_eq!(reader.read_line().unwrap(), ReadLine::Line(b"two", ByteOffset(8)));
    }

    #[test]
    fn a_giant_line_is_passed_over_and_the_next_one_read() {
        let mut bytes = vec![b'x'; 3 * GIANT_LINE];
        bytes.extend_from_slice(b"\nnext\n");
        let len = bytes.len() as u64;
        let file = file(&bytes);
        let mut reader = LineReader::open(file.path(), ByteOffset(0)).unwrap();
        assert_eq!(reader.read_line().unwrap(), ReadLine::Giant(ByteOffset(len - 5)));
        assert!(reader.buffer.capacity() < 2 * GIANT_LINE + 2 * CHUNK);
        assert_eq!(reader.read_line().unwrap(), ReadLine::Line(b"next", ByteOffset(len)));
    }

    #[test]
    fn a_segment_shorter_than_what_was_read_is_an_error() {
        let file = file(b"one\n");
        let error = LineReader::open(file.path(), ByteOffset(5)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
