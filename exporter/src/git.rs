//! What git knows of a file. Only commands that a person runs ask it; the daemon never does.
//!
//! A repository's configuration can name programs for git to start. Those that these questions could lead to are switched
//! off.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// How git stands to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is committed, or about to be.
    Tracked,
    /// It never will be by accident.
    Ignored,
    /// The next `git add` takes it.
    Untracked,
    /// There is no repository, or no git to ask.
    Unknown,
}

/// How git stands to the file `name` in `dir`.
pub fn standing(dir: &Path, name: &str) -> Standing {
    match succeeds(dir, &["ls-files", "--error-unmatch", "--", name]) {
        Some(true) => return Standing::Tracked,
        Some(false) => {}
        None => return Standing::Unknown,
    }
    match succeeds(dir, &["check-ignore", "--quiet", "--", name]) {
        Some(true) => Standing::Ignored,
        Some(false) => Standing::Untracked,
        None => Standing::Unknown,
    }
}

/// Whether git says yes (exit code 0) or no (1); none if it says neither.
fn succeeds(dir: &Path, arguments: &[&str]) -> Option<bool> {
    let mut git = Command::new("git");
    for setting in ["core.fsmonitor=false", "core.hooksPath=/dev/null", "safe.bareRepository=explicit"] {
        git.args(["-c", setting]);
    }
    git.arg("-C").arg(dir).args(arguments);
    // A sparse index whose directories are not there makes git ask the remote for them, and a remote can be a program.
    git.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    git.env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE");
    let status = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    match status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn git(dir: &Path, arguments: &[&str]) {
        assert!(Command::new("git").arg("-C").arg(dir).args(arguments).output().unwrap().status.success());
    }

    #[test]
    fn git_knows_what_is_tracked_ignored_or_neither() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(standing(dir.path(), "a"), Standing::Unknown);
        git(dir.path(), &["init", "--quiet"]);
        for name in ["a", "b", "c"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        git(dir.path(), &["add", "a"]);
        fs::write(dir.path().join(".gitignore"), "b\n").unwrap();
        assert_eq!(standing(dir.path(), "a"), Standing::Tracked);
        assert_eq!(standing(dir.path(), "b"), Standing::Ignored);
        assert_eq!(standing(dir.path(), "c"), Standing::Untracked);
        assert_eq!(standing(dir.path(), "not-there"), Standing::Untracked);
    }

    #[test]
    fn a_repositorys_configuration_starts_no_program() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "--quiet"]);
        fs::write(dir.path().join("a"), "").unwrap();
        git(dir.path(), &["add", "a"]);
        let marker = dir.path().join("started");
        let program = dir.path().join("hook");
        fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", marker.display())).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        for setting in ["core.fsmonitor", "core.pager", "core.editor", "alias.ls-files", "alias.check-ignore"]
        {
            git(
                dir.path(),
                &[
                    "config",
                    setting,
                    &format!("{}{}", if setting.starts_with("alias") { "!" } else { "" }, program.display()),
                ],
            );
        }
        // Asked without care, git starts it: the bait is a good one.
        git(dir.path(), &["status"]);
        assert!(marker.exists());
        fs::remove_file(&marker).unwrap();
        assert_eq!(standing(dir.path(), "a"), Standing::Tracked);
        standing(dir.path(), "b");
        assert!(!marker.exists());
    }
}
