//! The segment that a writer appends to.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::{Fsync, WriterOptions, staged::Staged};
use crate::{
    UnixMillis,
    entry::Seq,
    line::Line,
    private,
    segment::{Header, SegmentId},
};

#[derive(Debug)]
pub(super) struct OpenSegment {
    pub(super) file: File,
    pub(super) id: SegmentId,
    /// Bytes of whole lines; what the file is cut back to after a short write.
    pub(super) len: u64,
    pub(super) started_at: UnixMillis,
}

impl OpenSegment {
    pub(super) fn create(
        dir: &Path,
        id: SegmentId,
        next_seq: Seq,
        now: UnixMillis,
        options: &WriterOptions,
    ) -> io::Result<Self> {
        let path = dir.join(id.to_string());
        let file = private::file_options().append(true).create_new(true).open(&path)?;
        let mut segment = Self { file, id, len: 0, started_at: now };
        let mut header = Staged::default();
        header.push(&Line::Segment(Header {
            stream: id.stream,
            sequence: id.sequence,
            started_at: now,
            next_seq,
            proxy_version: options.proxy_version.clone(),
            install: options.install.clone(),
        }));
        let begun = segment.append(&header).map_err(|(_, error)| error).and_then(|()| match options.fsync {
            Fsync::None => Ok(()),
            Fsync::Every(_) | Fsync::Each => private::sync_dir(dir),
        });
        if let Err(error) = begun {
            // A segment without a header tells nothing; its name is free for the next attempt.
            fs::remove_file(&path)?;
            return Err(error);
        }
        Ok(segment)
    }

    /// Writes the lines. On an error: how many bytes of whole lines have stayed, and the cause.
    pub(super) fn append(&mut self, lines: &Staged) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < lines.bytes.len() {
            match self.file.write(&lines.bytes[written..]) {
                Ok(0) => return Err(self.cut_back(lines, written, io::ErrorKind::WriteZero.into())),
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.cut_back(lines, written, error)),
            }
        }
        self.len += written as u64;
        Ok(())
    }

    fn cut_back(&mut self, lines: &Staged, written: usize, error: io::Error) -> (usize, io::Error) {
        let (whole, _) = lines.whole(written);
        // If this fails too, the segment ends in an unfinished line, which readers skip.
        let _ = self.file.set_len(self.len + whole as u64);
        self.len += whole as u64;
        (whole, error)
    }
}
