//! A personal file is kept out of git.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

use super::{InitError, ask::Asker};
use crate::git::{self, Standing};

/// Sees to it that git ignores the file at `path`: amends the `.gitignore` beside it, if the person agrees. What there is to
/// say; nothing if all is well.
pub(super) fn cover(path: &Path, yes: bool, asker: &mut Asker<'_>) -> Result<String, InitError> {
    let Some((dir, name)) = path.parent().zip(path.file_name().and_then(|name| name.to_str())) else {
        return Ok(String::new());
    };
    let ignore = dir.join(".gitignore");
    let is_plain = is_plain(&ignore);
    match git::standing(dir, name) {
        Standing::Ignored | Standing::Tracked => return Ok(String::new()),
        // Without git to ask, only a repository's own list can tell.
        Standing::Unknown if !dir.join(".git").exists() || (is_plain && lists(&ignore, name)) => {
            return Ok(String::new());
        }
        Standing::Untracked | Standing::Unknown => {}
    }
    if !is_plain
        || !yes && !asker.agrees(&format!("git does not ignore {name}; add it to {}?", ignore.display()))?
    {
        return Ok(format!(
            "note: git does not ignore it; add `{name}` to {} before you commit\n",
            ignore.display()
        ));
    }
    append(&ignore, name).map_err(|source| InitError::Write { path: ignore.clone(), source })?;
    Ok(format!("added `{name}` to {}\n", ignore.display()))
}

/// Whether it can be amended: a link would lead somewhere else, and a pipe nowhere.
fn is_plain(ignore: &Path) -> bool {
    fs::symlink_metadata(ignore)
        .map_or_else(|error| error.kind() == ErrorKind::NotFound, |seen| seen.is_file())
}

fn lists(ignore: &Path, name: &str) -> bool {
    let text = fs::read_to_string(ignore).unwrap_or_default();
    text.lines().any(|line| line.trim().trim_start_matches('/') == name)
}

/// A list that is a symlink, which may lead to anything, is left alone.
fn append(ignore: &Path, name: &str) -> io::Result<()> {
    let before = fs::read(ignore).unwrap_or_default();
    let newline = if before.last().is_none_or(|&last| last == b'\n') { "" } else { "\n" };
    let not_through_symlinks = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file =
        OpenOptions::new().append(true).create(true).custom_flags(not_through_symlinks).open(ignore)?;
    file.write_all(format!("{newline}{name}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_added_to_the_list_itself_and_never_through_a_symlink() {
        let dir = tempfile::tempdir().unwrap();
        let (ignore, bait) = (dir.path().join(".gitignore"), dir.path().join("bait"));
        fs::write(&ignore, "target").unwrap();
        append(&ignore, "a").unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "target\na\n");
        fs::remove_file(&ignore).unwrap();
        fs::write(&bait, "").unwrap();
        std::os::unix::fs::symlink("bait", &ignore).unwrap();
        append(&ignore, "a").unwrap_err();
        assert_eq!(fs::read_to_string(&bait).unwrap(), "");
    }
}
