//! A mistake in a configuration file: where it stands, what it is, how to mend it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A place in a file, both counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of the byte `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// A mistake. Never holds a value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key's path, such as `otel.tier`; empty for the whole file.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub what: String,
}

impl Problem {
    /// A mistake at `place`.
    pub fn new(place: Place, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place, key: key.into(), what: what.into() }
    }

    /// `file:line:column: key: what`.
    pub fn at<'a>(&'a self, file: &'a Path) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            let Place { line, column } = self.place;
            write!(f, "{}:{line}:{column}: ", file.display())?;
            if !self.key.is_empty() {
                write!(f, "{}: ", self.key)?;
            }
            f.write_str(&self.what)
        })
    }
}

/// `parent.key`, or `key` at the top.
pub fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// The mistakes in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblems {
    /// Which.
    pub path: PathBuf,
    /// What is wrong with it, in the order of the text.
    pub problems: Vec<Problem>,
}

impl FileProblems {
    /// A single mistake.
    pub fn one(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problems: vec![problem] }
    }
}

/// One line each.
impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}{}", problem.at(&self.path))?;
        }
        Ok(())
    }
}

/// `a`, `b`, `c`.
pub fn listed<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    keys.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// The key that was probably meant.
pub fn nearest<'k>(found: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |key: &str| strsim::jaro_winkler(&found.to_lowercase(), key);
    known
        .map(|key| (likeness(key), key))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_1() {
        let text = "ä\nöü{";
        assert_eq!(Place::of(text, 0), Place { line: 1, column: 1 });
        assert_eq!(Place::of(text, text.len() - 1), Place { line: 2, column: 3 });
        assert_eq!(Place::of(text, 999), Place { line: 2, column: 4 });
    }
}
