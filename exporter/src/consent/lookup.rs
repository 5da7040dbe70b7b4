//! From a directory to its project's file.
//!
//! The directory comes out of an entry: it is a text that somebody may have made up. It is compared first; only if it lies
//! in a trusted place, that place is gone into, name by name and through no symlink, up to the directory and no further
//! than a git repository's root back. Nothing outside of trusted places is ever opened.

use std::{
    io,
    path::{Path, PathBuf},
};

use ccxray_shared::json::FileProblems;

use super::{
    automount::Mounts,
    config::{FileKind, Settings},
    place::{Dir, Writers},
    reason::Reason,
    trust::{ContentHash, TrustList, Trusted},
};

/// The places that may be gone into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Directories of which every project is trusted.
    pub roots: Vec<Root>,
    /// Single projects.
    pub list: TrustList,
    /// What is mounted by being looked at.
    pub mounts: Mounts,
}

/// A directory of which every project is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// As the user wrote it, `~` resolved.
    pub written: PathBuf,
    /// The same without symlinks.
    pub real: PathBuf,
}

/// A file that was read, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// Which.
    pub path: PathBuf,
    /// What it says.
    pub settings: Settings,
}

/// What there is for a directory in a trusted place.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The project's file; none if it has none.
    pub file: Option<Stated>,
    /// Personal files in the project, the nearest first: they can only lower the tier or add an identity.
    pub personal: Vec<Stated>,
}

/// `dir`, if it is a plain absolute path: no `.`, no `..`, no control character, nothing empty but a slash at its end.
pub fn plain(dir: &str) -> Option<&str> {
    const MAX: usize = 4096;
    let below = dir.strip_prefix('/')?;
    let dir = if below.is_empty() { dir } else { dir.strip_suffix('/').unwrap_or(dir) };
    let is_plain =
        |name: &str| !name.is_empty() && name != "." && name != ".." && !name.contains(char::is_control);
    (dir.len() <= MAX && (dir == "/" || dir[1..].split('/').all(is_plain))).then_some(dir)
}

impl Places {
    /// `dir` without symlinks in the trusted place's own path, and the topmost such place; none if it lies in no trusted
    /// place.
    pub fn real(&self, dir: &str) -> Option<(PathBuf, &Path)> {
        let dir = Path::new(dir);
        let in_roots = self.roots.iter().filter_map(|root| Some((root.real(dir)?, root.real.as_path())));
        let in_list =
            self.list.iter().map(|trusted| trusted.dir.as_path()).filter(|place| dir.starts_with(place));
        let in_list = in_list.map(|place| (dir.to_owned(), place));
        in_roots.chain(in_list).min_by_key(|(_, place)| place.components().count())
    }

    /// What there is for `dir`, which lies in a trusted place; or why nothing may leave of it.
    pub fn look(&self, dir: &str) -> Result<Project, Reason> {
        let (real, top) = self.real(dir).ok_or_else(|| Reason::NotTrusted(dir.into()))?;
        if self.mounts.may_mount(&real) {
            return Err(Reason::Automount(real));
        }
        let chain = descend(top, &real).map_err(|_| Reason::Unseen(real.clone()))?;
        let mut personal = Vec::new();
        for (path, dir) in chain.iter().rev() {
            let trusted = self.list.of(path);
            let identity_counts = !trusted.is_some_and(|trusted| trusted.personal_is_tracked);
            personal.extend(read_personal(path, dir, identity_counts)?);
            if let Some(file) = self.read_project(path, dir, trusted)? {
                return Ok(Project { file: Some(file), personal });
            }
            if let Some(trusted) = trusted {
                return without_file(trusted, personal);
            }
            if dir.has(".git") {
                break;
            }
        }
        // A repository within a trusted project is another project.
        if self.is_below_root(&real) {
            Ok(Project { file: None, personal })
        } else {
            Err(Reason::NotTrusted(real))
        }
    }

    fn read_project(
        &self,
        path: &Path,
        dir: &Dir,
        trusted: Option<&Trusted>,
    ) -> Result<Option<Stated>, Reason> {
        let name = FileKind::Project.file_name();
        let file = path.join(name);
        if trusted.is_none() && !self.is_below_root(path) {
            return if dir.has(name) { Err(Reason::NotTrusted(file)) } else { Ok(None) };
        }
        let read = dir.read(name, Writers::Group).map_err(|why| Reason::Refused(file.clone(), why))?;
        let Some(text) = read else { return Ok(None) };
        if trusted.is_some_and(|trusted| trusted.content != Some(ContentHash::of(&text))) {
            return Err(Reason::Changed(file));
        }
        parse(file, &text, FileKind::Project).map(Some)
    }

    fn is_below_root(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(&root.real))
    }
}

/// A directory that is trusted by itself and has no file.
fn without_file(trusted: &Trusted, personal: Vec<Stated>) -> Result<Project, Reason> {
    match trusted.content {
        Some(_) => Err(Reason::Vanished(trusted.dir.join(FileKind::Project.file_name()))),
        None => Ok(Project { file: None, personal }),
    }
}

impl Root {
    /// `dir` without symlinks in this root's own path; none if it lies elsewhere.
    fn real(&self, dir: &Path) -> Option<PathBuf> {
        let below = dir.strip_prefix(&self.written).or_else(|_| dir.strip_prefix(&self.real)).ok()?;
        Some(join(&self.real, below))
    }
}

fn read_personal(path: &Path, dir: &Dir, identity_counts: bool) -> Result<Option<Stated>, Reason> {
    let name = FileKind::Personal.file_name();
    let file = path.join(name);
    let read = dir.read(name, Writers::Group).map_err(|why| Reason::Refused(file.clone(), why))?;
    let Some(text) = read else { return Ok(None) };
    let mut stated = parse(file, &text, FileKind::Personal)?;
    if !identity_counts {
        stated.settings.identity = None;
        stated.settings.acknowledged_at = None;
    }
    Ok(Some(stated))
}

fn parse(path: PathBuf, text: &str, kind: FileKind) -> Result<Stated, Reason> {
    match Settings::parse(text, kind) {
        Ok(settings) => Ok(Stated { path, settings }),
        Err(problems) => Err(Reason::Broken(FileProblems { path, problems }.to_string())),
    }
}

/// `top` and every directory from there down to `dir`, opened.
fn descend(top: &Path, dir: &Path) -> io::Result<Vec<(PathBuf, Dir)>> {
    let mut chain = vec![(top.to_owned(), Dir::open(top)?)];
    let below = dir.strip_prefix(top).map_err(|_| io::ErrorKind::InvalidInput)?;
    for name in below {
        let (path, parent) = chain.last().ok_or(io::ErrorKind::InvalidInput)?;
        let entered = parent.enter(name.to_str().ok_or(io::ErrorKind::InvalidInput)?)?;
        chain.push((path.join(name), entered));
    }
    Ok(chain)
}

fn join(root: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) }
}

#[cfg(test)]
mod tests;
