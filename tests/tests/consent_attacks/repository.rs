//! A repository that makes git start programs.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

/// Makes a repository whose configuration names programs for git to start, which leave a mark, and whose `.gitignore` is a file
/// elsewhere. The mark.
pub(crate) fn hostile_repository(dir: &Path) -> PathBuf {
    let (mark, program) = (dir.with_extension("mark"), dir.with_extension("sh"));
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    git(dir, &["init", "--quiet"]);
    fs::write(dir.join("tracked"), "").unwrap();
    git(dir, &["add", "tracked"]);
    let program = program.to_str().unwrap();
    lose_a_directory(dir, program);
    for setting in
        ["core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy", "diff.external"]
    {
        git(dir, &["config", setting, program]);
    }
    symlink(dir.with_extension("elsewhere"), dir.join(".gitignore")).unwrap();
    for alias in ["alias.ls-files", "alias.check-ignore"] {
        git(dir, &["config", alias, &format!("!{program}")]);
    }
    mark
}

/// What git says there. Panics if it fails.
fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Leaves a directory out of the working copy and its content out of the repository, which is to be had from a remote that is
/// this program: git asks it as soon as it needs to know all files.
fn lose_a_directory(dir: &Path, program: &str) {
    fs::create_dir_all(dir.join("lost/deep")).unwrap();
    fs::write(dir.join("lost/deep/file"), "lost").unwrap();
    git(dir, &["add", "lost"]);
    git(dir, &["-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "--message", "x"]);
    git(dir, &["sparse-checkout", "set", "--cone", "--sparse-index", "kept"]);
    let tree = git(dir, &["rev-parse", "HEAD:lost"]);
    let (start, rest) = tree.trim().split_at(2);
    fs::remove_file(dir.join(".git/objects").join(start).join(rest)).unwrap();
    let remote = format!("ext::{program}");
    for (setting, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", &remote),
        ("protocol.ext.allow", "always"),
    ] {
        git(dir, &["config", setting, value]);
    }
}
