//! The checkpoint's file.
//!
//! `checkpoint` holds a line with the format's version, the length and the CRC-32 of what follows, and then JSON. It is
//! replaced by writing `checkpoint.new`, making it durable, keeping the old one as `checkpoint.previous`, and renaming:
//! at every moment there is a whole `checkpoint`.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use ccxray_shared::private;

use super::State;

const MAGIC: &str = "ccxray-checkpoint";
const VERSION: u32 = 1;

/// The place where checkpoints are kept.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// What was found at the start.
#[derive(Debug)]
pub enum Loaded {
    /// No checkpoint was ever written.
    Fresh,
    /// The last one.
    Current(Box<State>),
    /// The one before the last, because the last one is damaged.
    Previous(Box<State>, StoreError),
    /// Both are damaged; [`Store::load`] has put them aside as `checkpoint.damaged` and
    /// `checkpoint.previous.damaged`.
    Damaged(StoreError),
}

/// A checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be read or written.
    #[error("failed to read or write `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was cut off or changed.
    #[error("checkpoint `{path}` is damaged: {what}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// In what way.
        what: &'static str,
    },
    /// A newer build wrote it.
    #[error(
        "checkpoint `{path}` has format version {found}, but this build reads {VERSION}; start the newer exporter again, or remove the file to count anew"
    )]
    TooNew {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It is whole, but does not say what a checkpoint says.
    #[error("checkpoint `{path}` cannot be understood")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Store {
    /// The store in the exporter's state directory.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Writes `state`. Once this has returned, neither a crash nor the loss of power brings an older one back.
    pub fn save(&self, state: &State) -> Result<(), StoreError> {
        let (current, new) = (self.path(""), self.path(".new"));
        let write = || -> io::Result<()> {
            let body = serde_json::to_vec(state)?;
            let mut file = private::file_options().write(true).create(true).truncate(true).open(&new)?;
            let crc = crc32fast::hash(&body);
            file.write_all(format!("{MAGIC} {VERSION} {} {crc:08x}\n", body.len()).as_bytes())?;
            file.write_all(&body)?;
            file.sync_all()?;
            self.keep_previous(&current)?;
            fs::rename(&new, &current)?;
            private::sync_dir(&self.dir)
        };
        write().map_err(|source| StoreError::Io { path: new.clone(), source })
    }

    /// The newest checkpoint that is whole; two damaged ones are put aside. A version that is too new, or a file that
    /// cannot be opened, is an error: going on without it would count everything anew.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        let loaded = self.peek()?;
        if let Loaded::Damaged(_) = &loaded {
            for suffix in ["", ".previous"] {
                // Kept for whoever wants to look; the start goes on in any case.
                let _ = fs::rename(self.path(suffix), self.path(&format!("{suffix}.damaged")));
            }
        }
        Ok(loaded)
    }

    /// What [`load`](Self::load) would give, with everything left as it is.
    pub fn peek(&self) -> Result<Loaded, StoreError> {
        let error = match read(&self.path("")) {
            Ok(Some(state)) => return Ok(Loaded::Current(Box::new(state))),
            Ok(None) => return Ok(Loaded::Fresh),
            Err(error @ (StoreError::Io { .. } | StoreError::TooNew { .. })) => return Err(error),
            Err(error) => error,
        };
        Ok(match read(&self.path(".previous")) {
            Ok(Some(state)) => Loaded::Previous(Box::new(state), error),
            Ok(None) | Err(_) => Loaded::Damaged(error),
        })
    }

    fn keep_previous(&self, current: &Path) -> io::Result<()> {
        let previous = self.path(".previous");
        match fs::remove_file(&previous).and_then(|()| fs::hard_link(current, &previous)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match fs::hard_link(current, &previous) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            }
            other => other,
        }
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.dir.join(format!("checkpoint{suffix}"))
    }
}

fn read(path: &Path) -> Result<Option<State>, StoreError> {
    let mut bytes = Vec::new();
    let opened = private::file_options().read(true).open(path);
    match opened.and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::Io { path: path.to_owned(), source }),
    }
    let body = checked_body(&bytes, path)?;
    serde_json::from_slice(body)
        .map(Some)
        .map_err(|source| StoreError::Malformed { path: path.to_owned(), source })
}

fn checked_body<'b>(bytes: &'b [u8], path: &Path) -> Result<&'b [u8], StoreError> {
    let damaged = |what| StoreError::Damaged { path: path.to_owned(), what };
    let newline = bytes.iter().position(|&b| b == b'\n').ok_or_else(|| damaged("it has no first line"))?;
    let (first, body) = (&bytes[..newline], &bytes[newline + 1..]);
    let first = str::from_utf8(first).map_err(|_| damaged("its first line is no text"))?;
    let mut words = first.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(damaged("its first line is not a checkpoint's"));
    }
    let version =
        words.next().and_then(|word| word.parse().ok()).ok_or_else(|| damaged("it has no version"))?;
    if version != VERSION {
        return Err(StoreError::TooNew { path: path.to_owned(), found: version });
    }
    if words.next().and_then(|word| word.parse().ok()) != Some(body.len()) {
        return Err(damaged("its length is wrong"));
    }
    let crc = words.next().and_then(|word| u32::from_str_radix(word, 16).ok());
    if crc != Some(crc32fast::hash(body)) {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use ccxray_shared::UnixMillis;

    use super::*;

    fn state(at: u64) -> State {
        State {
            directories: vec![],
            last_alive: UnixMillis(at),
            window_start: UnixMillis(0),
            streams: vec![],
            pipelines: vec![],
            writer: None,
        }
    }

    fn alive(loaded: &Loaded) -> Option<u64> {
        match loaded {
            Loaded::Current(state) | Loaded::Previous(state, _) => Some(state.last_alive.0),
            Loaded::Fresh | Loaded::Damaged(_) => None,
        }
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        assert!(matches!(store.load().unwrap(), Loaded::Fresh));
        for at in 1..4 {
            store.save(&state(at)).unwrap();
            assert_eq!(alive(&store.load().unwrap()), Some(at));
        }
    }

    #[test]
    fn a_checkpoint_damaged_anywhere_gives_way_to_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        store.save(&state(1)).unwrap();
        store.save(&state(2)).unwrap();
        let path = store.path("");
        let whole = fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[i] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            match store.load() {
                Ok(loaded) => {
                    assert!(matches!(loaded, Loaded::Previous(..)) && alive(&loaded) == Some(1), "byte {i}");
                }
                Err(error) => assert!(matches!(error, StoreError::TooNew { .. }), "byte {i}: {error}"),
            }
            fs::write(&path, &whole[..i]).unwrap();
            assert_eq!(alive(&store.load().unwrap()), Some(1), "cut at {i}");
        }
    }

    #[test]
    fn if_both_are_damaged_they_are_put_aside_and_the_start_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        store.save(&state(1)).unwrap();
        store.save(&state(2)).unwrap();
        for suffix in ["", ".previous"] {
            fs::write(store.path(suffix), b"\0\0\0\0").unwrap();
        }
        assert!(matches!(store.load().unwrap(), Loaded::Damaged(_)));
        assert!(matches!(store.load().unwrap(), Loaded::Fresh));
        assert!(store.path(".damaged").exists() && store.path(".previous.damaged").exists());
    }
}
