//! The person's own word on what may leave the machine. The exporter reads it too, but not on a machine that shares
//! somebody else's proxy: there the stamp is the only way for the word to get where it counts.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use directories::{BaseDirs, ProjectDirs};
use serde_json::Value;

/// The file with the person's word: in the home directory, in the directory for configuration, or in the project.
const FILE: &str = ".ccxray.user.json";
/// The most bytes that such a file may have.
const MAX_FILE: u64 = 64 * 1024;

/// The highest tier that the stamp allows, by the word of the person who starts an agent in `dir`: 0, or none.
pub(super) fn cap(dir: &Path) -> Option<u8> {
    let homes = [
        BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
        ProjectDirs::from("", "", "ccxray").map(|dirs| dirs.config_dir().to_owned()),
    ];
    let own = homes.into_iter().flatten().chain(in_project(dir));
    own.map(|dir| dir.join(FILE)).any(|file| says_nothing_may_leave(&file)).then_some(0)
}

/// `dir` and the directories around it, up to the root of its git repository; only `dir` if there is none.
fn in_project(dir: &Path) -> Vec<PathBuf> {
    let root = dir.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(dir);
    dir.ancestors().take_while(|dir| dir.starts_with(root)).map(Path::to_owned).collect()
}

/// Whether the file says that nothing may leave. One that is there and cannot be understood is taken to say so.
fn says_nothing_may_leave(file: &Path) -> bool {
    let text = match read(file) {
        Ok(text) => text,
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
    };
    let Ok(Value::Object(root)) = serde_json::from_str(&text) else { return true };
    let word = |key: &str| root.get("otel").and_then(|otel| otel.get(key));
    word("enabled").is_some_and(|enabled| enabled != &Value::Bool(true))
        || word("tier").is_some_and(|tier| !matches!(tier.as_u64(), Some(1 | 2)))
}

fn read(file: &Path) -> io::Result<String> {
    // What is no plain file could keep the reader waiting.
    if !fs::metadata(file)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    fs::File::open(file)?.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_cannot_be_understood_keeps_everything_here() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        assert!(!says_nothing_may_leave(&file), "there is none");
        for (text, expected) in [
            (r#"{"otel":{"tier":0}}"#, true),
            (r#"{"otel":{"enabled":false,"tier":2}}"#, true),
            (r#"{"otel":{"tier":1}}"#, false),
            (r#"{"otel":{"tier":2,"enabled":true}}"#, false),
            (r#"{"otel":{"identity":"ada"}}"#, false),
            ("{}", false),
            (r#"{"otel":{"tier":"1"}}"#, true),
            (r#"{"otel":{"tier":3}}"#, true),
            (r#"{"otel":{"tier":1"#, true),
            ("[]", true),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(says_nothing_may_leave(&file), expected, "{text}");
        }
        assert!(says_nothing_may_leave(dir.path()), "a directory in its place");
    }

    #[test]
    fn a_project_reaches_to_the_root_of_its_repository() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("repository/a/b");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(in_project(&deep), std::slice::from_ref(&deep));
        fs::create_dir(dir.path().join("repository/.git")).unwrap();
        let up = ["repository/a/b", "repository/a", "repository"].map(|part| dir.path().join(part));
        assert_eq!(in_project(&deep), up);
        fs::write(up[1].join(FILE), r#"{"otel":{"tier":0}}"#).unwrap();
        assert_eq!(cap(&deep), Some(0));
    }
}
