//! Directories that are mounted by being looked at.
//!
//! A look at one can hang for minutes, or tell a server of it. They are known by their names and by the system's list of
//! mounts, which can be read without touching any.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where automounters stand by custom.
const BY_CUSTOM: [&str; 3] = ["/net", "/afs", "/Network"];

/// What is mounted where, as far as automounters are concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts(Vec<(PathBuf, bool)>);

impl Mounts {
    /// The mounts of this machine, where it lists them.
    pub fn of_this_machine() -> Self {
        Self::parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Reads Linux's `mountinfo`.
    pub fn parse(mountinfo: &str) -> Self {
        let mounts = mountinfo.lines().filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let at = PathBuf::from(unescaped(left.split(' ').nth(4)?));
            Some((at, right.split(' ').next() == Some("autofs")))
        });
        Self(mounts.collect())
    }

    /// Whether a look at `path` could mount something. Where the automounter has already done its work, it cannot.
    pub fn may_mount(&self, path: &Path) -> bool {
        if BY_CUSTOM.iter().any(|dir| path.starts_with(dir)) {
            return true;
        }
        let above = self.0.iter().filter(|(at, _)| path.starts_with(at));
        // Of two at the same place the later one is on top.
        above.max_by_key(|(at, _)| at.components().count()).is_some_and(|(_, is_automount)| *is_automount)
    }
}

/// Spaces and the like stand there as `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        out.push(byte.map_or('\\', char::from));
        out.push_str(if byte.is_some() { &part[3..] } else { part });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 25 0:35 / /home rw,relatime shared:20 - autofs auto.home rw,fd=5
41 40 0:60 / /home/me rw,relatime shared:30 - nfs4 server:/me rw
42 25 0:36 / /mnt/my\\040disk rw - autofs systemd-1 rw
43 42 8:17 / /mnt/my\\040disk rw - ext4 /dev/sdb1 rw
44 25 0:37 / /mnt/other rw - autofs systemd-1 rw
";

    #[test]
    fn what_is_not_mounted_yet_is_left_alone() {
        let mounts = Mounts::parse(MOUNTS);
        for path in ["/home", "/home/you/code", "/mnt/other/x", "/net", "/net/host/x", "/afs/cell"] {
            assert!(mounts.may_mount(Path::new(path)), "{path}");
        }
        for path in ["/", "/srv/code", "/home/me/code", "/mnt/my disk/x", "/network", "/homes"] {
            assert!(!mounts.may_mount(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn customary_places_are_known_without_a_list() {
        assert!(Mounts::default().may_mount(Path::new("/net/host")));
        assert!(!Mounts::default().may_mount(Path::new("/home/me")));
    }
}
