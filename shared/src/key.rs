//! The install's secret, and what is made with it.
//!
//! Session ids, agent ids and request bodies are written down only as keyed hashes: equal things can be told
//! to be equal, but a reader of the spool without the key cannot find out which session or body it was.

use std::{
    fmt,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::{Name, private};

/// 32 random bytes, made once per install. They never leave the machine; losing them only counts sessions anew.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// The key could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenKeyError {
    /// It could not be read or made.
    #[error("failed to read or make the key `{path}`")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not a key.
    #[error("the key `{path}` has {found} bytes instead of 32; remove it to have a new one made")]
    WrongLength {
        /// Where.
        path: PathBuf,
        /// How long it is.
        found: usize,
    },
}

/// What a hash is of: equal texts of different kinds have different hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum HashOf {
    /// The install itself.
    Install = 0,
    /// A client's session id.
    Session = 1,
    /// A client's agent id.
    Agent = 2,
    /// A request's body.
    Body = 3,
    /// A sub-agent's prompt.
    Prompt = 4,
}

impl Key {
    /// The key at `path`; made there (0600, durable) if there is none. Of several processes that make it at the
    /// same time one wins and all get the same key.
    pub fn open_or_create(path: &Path) -> Result<Self, OpenKeyError> {
        let io = |source| OpenKeyError::Io { path: path.to_owned(), source };
        match Self::read(path) {
            Err(OpenKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| io(error.into()))?;
        // Not named after the process: in a container every one has the same number.
        let suffix = getrandom::u64().map_err(|error| io(error.into()))?;
        let temporary = path.with_extension(format!("{suffix:016x}.new"));
        // A link never replaces: the first one made stays.
        let linked = write_new(&temporary, &bytes).and_then(|()| std::fs::hard_link(&temporary, path));
        // Also after a failure, so that trying again on a full disk does not fill it up.
        let removed = std::fs::remove_file(&temporary);
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => removed.map_err(io)?,
        }
        private::sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(io)?;
        Self::read(path)
    }

    /// The key at `path`.
    pub fn read(path: &Path) -> Result<Self, OpenKeyError> {
        let mut bytes = Vec::with_capacity(33);
        private::file_options()
            .read(true)
            .open(path)
            .and_then(|file| file.take(33).read_to_end(&mut bytes))
            .map_err(|source| OpenKeyError::Io { path: path.to_owned(), source })?;
        let found = bytes.len();
        bytes.try_into().map(Self).map_err(|_| OpenKeyError::WrongLength { path: path.to_owned(), found })
    }

    /// A key of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The keyed hash of `what`, 16 hex digits.
    pub fn hash(&self, of: HashOf, what: &[u8]) -> Name<'static> {
        let mut hasher = self.hasher(of);
        hasher.update(what);
        hasher.finish()
    }

    /// A keyed hash of something that comes in pieces.
    pub fn hasher(&self, of: HashOf) -> KeyedHasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[of as u8]);
        KeyedHasher(hasher)
    }

    /// The install's id, which tells nothing about the key.
    pub fn install_id(&self) -> Name<'static> {
        self.hash(HashOf::Install, b"")
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private::file_options().write(true).create_new(true).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all())
}

/// A keyed hash under way.
pub struct KeyedHasher(blake3::Hasher);

impl KeyedHasher {
    /// Takes in the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces, 16 hex digits.
    pub fn finish(&self) -> Name<'static> {
        Name::from_string(self.0.finalize().to_hex()[..16].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let first = Key::open_or_create(&path).unwrap();
        let second = Key::open_or_create(&path).unwrap();
        assert_eq!(first.install_id(), second.install_id());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn what_a_killed_process_of_the_same_number_left_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(dir.path().join(format!("key.{}.new", std::process::id())), b"half").unwrap();
        Key::open_or_create(&path).unwrap();
    }

    #[test]
    fn a_key_of_the_wrong_length_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(Key::open_or_create(&path), Err(OpenKeyError::WrongLength { found: 5, .. })));
    }

    #[test]
    fn pieces_hash_as_the_whole_and_kinds_differ() {
        let key = Key::from_bytes([7; 32]);
        let mut pieces = key.hasher(HashOf::Body);
        pieces.update(b"ab");
        pieces.update(b"c");
        assert_eq!(pieces.finish(), key.hash(HashOf::Body, b"abc"));
        assert_ne!(key.hash(HashOf::Session, b"abc"), key.hash(HashOf::Body, b"abc"));
    }
}
