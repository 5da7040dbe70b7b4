//! Opening a file that somebody else may have laid out.
//!
//! A directory is gone through one name at a time and never through a symlink. A file counts only if it is a regular one,
//! ours or root's, small, and not for everybody to write. Nothing that is opened can block.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode, Stat, fstat, openat, statat},
    io::Errno,
};

/// The most bytes that a configuration file may have.
pub const MAX_FILE: u64 = 64 * 1024;

/// A directory that was reached without a symlink, from where it was opened on.
#[derive(Debug)]
pub struct Dir(OwnedFd);

/// Why a file is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A symlink could lead to anything.
    Symlink,
    /// A pipe, a device, a directory.
    NotRegular,
    /// More than [`MAX_FILE`].
    TooLarge,
    /// Neither ours nor root's.
    ForeignOwner,
    /// Somebody else could write it.
    Writable,
    /// Not text in UTF-8.
    NotText,
    /// The system refuses it.
    Unreadable(io::ErrorKind),
}

/// Who may be able to write a file besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Nobody.
    Owner,
    /// The owner's group too, as in a working copy.
    Group,
}

impl Dir {
    /// Opens `path` itself, whose last name is no symlink. On Linux nothing in it can be read by that.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, flags(), Mode::empty())?))
    }

    /// The directory `name` in this one, which is no symlink.
    pub fn enter(&self, name: &str) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, flags(), Mode::empty())?))
    }

    /// Whether there is something of this name, whatever it is.
    pub fn has(&self, name: &str) -> bool {
        statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The text of the file `name`; none if there is none.
    pub fn read(&self, name: &str, writers: Writers) -> Result<Option<String>, Refused> {
        // A device may do something when it is opened: what it is, is asked before.
        let seen = match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(seen) => seen,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(unreadable(errno)),
        };
        check(&seen, writers)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&self.0, name, flags, Mode::empty()).map_err(unreadable)?);
        check(&fstat(&file).map_err(unreadable)?, writers)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| Refused::Unreadable(error.kind()))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Refused::TooLarge);
        }
        String::from_utf8(bytes).map(Some).map_err(|_| Refused::NotText)
    }
}

/// The text of the file at `path`; none if there is none. Directories on the way are the caller's to trust.
pub fn read(path: &Path, writers: Writers) -> Result<Option<String>, Refused> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    match openat(CWD, dir, flags().difference(OFlags::NOFOLLOW), Mode::empty()) {
        Ok(dir) => Dir(dir).read(name, writers),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(unreadable(errno)),
    }
}

/// A directory, only to go on from.
fn flags() -> OFlags {
    #[cfg(target_os = "linux")]
    let access = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let access = OFlags::RDONLY | OFlags::NONBLOCK;
    access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn check(stat: &Stat, writers: Writers) -> Result<(), Refused> {
    let others: RawMode = match writers {
        Writers::Owner => 0o022,
        Writers::Group => 0o002,
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(Refused::Symlink),
        _ => return Err(Refused::NotRegular),
    }
    if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Refused::ForeignOwner);
    }
    if stat.st_mode & others != 0 {
        return Err(Refused::Writable);
    }
    if u64::try_from(stat.st_size).is_ok_and(|size| size > MAX_FILE) {
        return Err(Refused::TooLarge);
    }
    Ok(())
}

fn unreadable(errno: Errno) -> Refused {
    match errno {
        Errno::LOOP | Errno::MLINK => Refused::Symlink,
        other => Refused::Unreadable(io::Error::from(other).kind()),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str("it is a symlink; put the file itself there"),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::TooLarge => write!(f, "it has more than {} KiB", MAX_FILE / 1024),
            Self::ForeignOwner => f.write_str("it belongs to somebody else"),
            Self::Writable => f.write_str("others can write it; run `chmod go-w` on it"),
            Self::NotText => f.write_str("it is not text in UTF-8"),
            Self::Unreadable(kind) => write!(f, "{kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    fn refusal(prepare: impl FnOnce(&Path)) -> Result<Option<String>, Refused> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        prepare(&path);
        Dir::open(dir.path()).unwrap().read("file", Writers::Owner)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_plain_file_is_read_and_a_missing_one_is_none() {
        assert_eq!(refusal(|path| fs::write(path, "{}").unwrap()), Ok(Some("{}".to_owned())));
        assert_eq!(refusal(|_| ()), Ok(None));
    }

    #[test]
    fn whatever_is_no_plain_file_of_ours_is_refused() {
        assert_eq!(refusal(|path| symlink("/etc/passwd", path).unwrap()), Err(Refused::Symlink));
        assert_eq!(refusal(|path| symlink("nowhere", path).unwrap()), Err(Refused::Symlink));
        assert_eq!(refusal(|path| fs::create_dir(path).unwrap()), Err(Refused::NotRegular));
        let fifo =
            |path: &Path| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from(0o600), 0).unwrap();
        assert_eq!(refusal(fifo), Err(Refused::NotRegular));
        assert_eq!(refusal(|path| fs::write(path, vec![b' '; 65_537]).unwrap()), Err(Refused::TooLarge));
        assert_eq!(refusal(|path| fs::write(path, b"\xff").unwrap()), Err(Refused::NotText));
        let open_to_all = |path: &Path| {
            fs::write(path, "{}").unwrap();
            chmod(path, 0o602);
        };
        assert_eq!(refusal(open_to_all), Err(Refused::Writable));
    }

    #[test]
    fn a_device_is_not_opened() {
        assert_eq!(
            Dir::open(Path::new("/dev")).unwrap().read("null", Writers::Group),
            Err(Refused::NotRegular)
        );
    }

    #[test]
    fn a_group_may_write_only_where_that_is_usual() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), "{}").unwrap();
        chmod(&dir.path().join("f"), 0o664);
        let dir = Dir::open(dir.path()).unwrap();
        assert_eq!(dir.read("f", Writers::Owner), Err(Refused::Writable));
        assert_eq!(dir.read("f", Writers::Group), Ok(Some("{}".to_owned())));
    }

    #[test]
    fn no_symlink_is_gone_through() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        symlink("real", dir.path().join("link")).unwrap();
        let top = Dir::open(dir.path()).unwrap();
        assert!(top.enter("real").is_ok());
        assert!(top.enter("link").is_err());
        assert!(Dir::open(&dir.path().join("link")).is_err());
    }
}
