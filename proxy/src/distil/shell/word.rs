//! A word of a command line.

/// A word after its quotes are gone. What a shell would put in for `$NAME` is not known: it stays as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The text, without what stands in `$(…)`, backticks and `<(…)`.
    pub(super) text: String,
    /// Whether a part of it was quoted: then it is no keyword.
    pub(super) quoted: bool,
    /// What stands in `$(…)`, backticks and `<(…)`: scripts, each run where the word stands.
    pub(super) scripts: Vec<String>,
}

impl Word {
    /// A word that no shell has looked at.
    pub(super) fn literal(text: &str) -> Self {
        Self { text: text.to_owned(), quoted: true, scripts: Vec::new() }
    }

    /// Whether it is this keyword.
    pub(super) fn is_bare(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }

    /// Whether it sets a variable: `NAME=…`.
    pub(super) fn is_assignment(&self) -> bool {
        self.text.split_once('=').is_some_and(|(name, _)| is_name(name.trim_end_matches('+')))
    }

    /// Whether it is a substitution and nothing else.
    pub(super) fn is_only_substitution(&self) -> bool {
        !self.scripts.is_empty() && self.text.trim().is_empty()
    }
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}
