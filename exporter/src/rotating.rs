//! A log file for people that never grows beyond its bounds.
//!
//! At its largest size the file is rotated; five old ones are kept, as `NAME.1` (the newest) to `NAME.5`. Nothing is
//! synced: such a log is a help, not a record. What cannot be written, on a full disk for example, is left out whole.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use ccxray_shared::private;

/// How large such a file gets, unless it is a test's.
pub const LARGEST: u64 = 1 << 20;
/// How many old files are kept.
pub const KEPT: u32 = 5;

/// A log file that is rotated.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    largest: u64,
}

impl RotatingFile {
    /// Goes on in the file at `path`, or makes it, for its owner only.
    pub fn open(path: PathBuf, largest: u64) -> io::Result<Self> {
        let file = private::file_options().append(true).create(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, largest })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `line`, which ends with a newline. If that fails, nothing of it stays.
    pub fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.largest {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(line) {
            // Else the next line would go on in the middle of this one. If that fails too, a reader skips both.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += line.len() as u64;
        Ok(())
    }

    /// `NAME.4` becomes `NAME.5`, and so on down to `NAME`.
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            rename_if_there(&numbered(&self.path, number), &numbered(&self.path, number + 1))?;
        }
        rename_if_there(&self.path, &numbered(&self.path, 1))?;
        *self = Self::open(self.path.clone(), self.largest)?;
        Ok(())
    }
}

/// What there is of the file at `path` and of its old ones, the oldest first.
pub fn read_all(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let old = (1..=KEPT).rev().map(|number| numbered(path, number));
    let read = old.chain([path.to_owned()]).map(fs::read);
    read.filter(|result| !matches!(result, Err(error) if error.kind() == io::ErrorKind::NotFound)).collect()
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{number}"));
    path.with_file_name(name)
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_the_users_own_and_rotates_with_five_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.log");
        let mut log = RotatingFile::open(path.clone(), 100).unwrap();
        for number in 0..9 {
            log.write(format!("{number}{}\n", "x".repeat(60)).as_bytes()).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let old: Vec<_> = (1..=5).map(|number| format!("some.log.{number}")).collect();
        assert_eq!(names, [vec!["some.log".to_owned()], old].concat());
        let first = |bytes: &Vec<u8>| char::from(bytes[0]);
        assert_eq!(read_all(&path).unwrap().iter().map(first).collect::<String>(), "345678");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_second_start_goes_on_in_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.log");
        for _ in 0..2 {
            RotatingFile::open(path.clone(), LARGEST).unwrap().write(b"line\n").unwrap();
        }
        assert_eq!(read_all(&path).unwrap(), [b"line\nline\n".to_vec()]);
    }

    #[test]
    fn what_does_not_fit_on_the_disk_leaves_no_trace() {
        let mut log = RotatingFile::open("/dev/full".into(), LARGEST).unwrap();
        assert_eq!(log.write(b"line\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(log.size, 0);
    }
}
