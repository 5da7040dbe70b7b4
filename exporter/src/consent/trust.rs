//! The projects that the user trusts: `trust.json` in the exporter's state.
//!
//! A committed file is not to be trusted because it was cloned. Trust is bound to a directory and to the content of its
//! file: who changes the file, loses it. The list is replaced as a whole, durably, and only its owner can read it.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use ccxray_shared::{UnixMillis, private};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::place::{self, Refused, Writers};

const VERSION: u32 = 1;

/// The content of a file, as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(String);

impl ContentHash {
    /// Of this text.
    pub fn of(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()).to_hex().to_string())
    }
}

/// A directory that is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// The directory, without symlinks.
    pub dir: PathBuf,
    /// What its `.ccxray.json` held; absent if it had none, and then it must not get one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether git tracked the personal file beside it: the identity in that one does not count.
    #[serde(default)]
    pub personal_is_tracked: bool,
    /// Since when.
    pub since: UnixMillis,
}

/// All that is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustList(Vec<Trusted>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    version: u32,
    trusted: Vec<Trusted>,
}

/// The list cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It is not read.
    #[error("`{path}` is not read: {why}")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        why: Refused,
    },
    /// It is no list.
    #[error("`{path}` is damaged ({what}); remove it and trust your projects again")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It could not be written.
    #[error("failed to write `{path}`: {why}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Where the list is kept.
#[derive(Clone, Debug)]
pub struct TrustStore(PathBuf);

impl TrustList {
    /// What is trusted, by directory.
    pub fn iter(&self) -> impl Iterator<Item = &Trusted> {
        self.0.iter()
    }

    /// The trust in exactly this directory.
    pub fn of(&self, dir: &Path) -> Option<&Trusted> {
        self.0.iter().find(|trusted| trusted.dir == dir)
    }

    /// Trusts a directory, in place of what was trusted there.
    pub fn insert(&mut self, trusted: Trusted) {
        self.remove(&trusted.dir.clone());
        self.0.push(trusted);
        self.0.sort_by(|a, b| a.dir.cmp(&b.dir));
    }

    /// Trusts `dir` no longer. Whether it was trusted.
    pub fn remove(&mut self, dir: &Path) -> bool {
        let before = self.0.len();
        self.0.retain(|trusted| trusted.dir != dir);
        self.0.len() < before
    }
}

impl TrustStore {
    /// The list in the exporter's directory.
    pub fn new(exporter_dir: &Path) -> Self {
        Self(exporter_dir.join("trust.json"))
    }

    /// Reads the list; an empty one if there is none.
    pub fn load(&self) -> Result<TrustList, TrustError> {
        let refused = |why| TrustError::Refused { path: self.0.clone(), why };
        let Some(text) = place::read(&self.0, Writers::Owner).map_err(refused)? else {
            return Ok(TrustList::default());
        };
        let damaged = |what: String| TrustError::Damaged { path: self.0.clone(), what };
        let file: TrustFile = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if file.version != VERSION {
            return Err(damaged(format!(
                "it has version {}, and this program reads {VERSION}",
                file.version
            )));
        }
        Ok(TrustList(file.trusted))
    }

    /// Changes the list, while nobody else does. Durable once it returns.
    pub fn change<T>(&self, change: impl FnOnce(&mut TrustList) -> T) -> Result<T, TrustError> {
        let write = |error: io::Error| TrustError::Write { path: self.0.clone(), why: error.to_string() };
        let _lock = self.lock().map_err(write)?;
        let mut list = self.load()?;
        let result = change(&mut list);
        self.save(list).map_err(write)?;
        Ok(result)
    }

    fn lock(&self) -> io::Result<fs::File> {
        let mut options = private::file_options();
        let file = options.write(true).create(true).truncate(false).open(self.0.with_extension("lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn save(&self, list: TrustList) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&TrustFile { version: VERSION, trusted: list.0 })? + "\n";
        replace(&self.0, &text)
    }
}

/// Puts a file with this text, for its owner only, in place of `path`. Durable once it returns.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private::file_options().write(true).create_new(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), private::sync_dir)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn trusted(dir: &str, text: &str) -> Trusted {
        Trusted {
            dir: dir.into(),
            content: Some(ContentHash::of(text)),
            personal_is_tracked: false,
            since: UnixMillis(1),
        }
    }

    #[test]
    fn trust_is_kept_by_directory_and_content_and_for_the_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = TrustStore::new(dir.path());
        assert_eq!(store.load(), Ok(TrustList::default()));
        store.change(|list| list.insert(trusted("/b", "{}"))).unwrap();
        store.change(|list| list.insert(trusted("/a", "{}"))).unwrap();
        store.change(|list| list.insert(trusted("/b", "{ }"))).unwrap();
        let list = store.load().unwrap();
        assert_eq!(list.iter().map(|t| t.dir.to_str().unwrap()).collect::<Vec<_>>(), ["/a", "/b"]);
        assert_eq!(list.of(Path::new("/b")).unwrap().content, Some(ContentHash::of("{ }")));
        assert_eq!(list.of(Path::new("/b/c")), None);
        let mode = fs::metadata(&store.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(store.change(|list| list.remove(Path::new("/b"))), Ok(true));
        assert_eq!(store.change(|list| list.remove(Path::new("/b"))), Ok(false));
        assert!(store.load().unwrap().of(Path::new("/b")).is_none());
    }

    #[test]
    fn a_list_that_is_damaged_or_open_to_others_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let store = TrustStore::new(dir.path());
        fs::write(&store.0, "{").unwrap();
        fs::set_permissions(&store.0, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(store.load(), Err(TrustError::Damaged { .. })));
        assert!(store.change(|list| list.insert(trusted("/a", ""))).is_err(), "it is not overwritten");
        fs::write(&store.0, r#"{"version":2,"trusted":[]}"#).unwrap();
        assert!(matches!(store.load(), Err(TrustError::Damaged { .. })));
        fs::set_permissions(&store.0, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(store.load(), Err(TrustError::Refused { why: Refused::Writable, .. })));
    }

    #[test]
    fn two_who_change_the_list_at_once_both_succeed() {
        let dir = tempfile::tempdir().unwrap();
        let store = TrustStore::new(dir.path());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let store = &store;
                scope.spawn(move || store.change(|list| list.insert(trusted(&format!("/{n}"), ""))).unwrap());
            }
        });
        assert_eq!(store.load().unwrap().iter().count(), 8);
    }
}
