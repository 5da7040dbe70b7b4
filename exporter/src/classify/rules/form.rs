//! Where in a JSON file something is wrong.

/// A place in a JSON file, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {}{reason}", near(key))]
pub struct FormError {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes; 0 before a line's first character.
    pub column: usize,
    /// The last key before that place; empty if there is none.
    pub key: String,
    /// What was found and what should be there.
    pub reason: String,
}

impl FormError {
    /// What the parser found wrong with `text`.
    pub(in crate::classify) fn of_json(text: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let place = format!(" at line {line} column {column}");
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        Self { line, column, key: last_key(before(text, line, column)).to_owned(), reason }
    }

    /// What is wrong with the value of the first `key` in `text`.
    pub(super) fn at_key(text: &str, key: &str, reason: String) -> Self {
        Self::at_byte(text, text.find(&format!("\"{key}\"")).unwrap_or(0), key, reason)
    }

    /// What is wrong with `part`, a slice of `text`, below `key`.
    pub(super) fn at_part(text: &str, part: &str, key: &str, reason: String) -> Self {
        let at = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        Self::at_byte(text, at, key, reason)
    }

    fn at_byte(text: &str, at: usize, key: &str, reason: String) -> Self {
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = at - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
        Self { line, column, key: key.to_owned(), reason }
    }
}

fn near(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("near \"{key}\": ") }
}

/// The text before a place that is given from 1, in bytes; a colon there belongs to the key that ends there.
fn before(text: &str, line: usize, column: usize) -> &str {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = (start + column).min(text.len());
    let end = end + usize::from(text.as_bytes().get(end) == Some(&b':'));
    text.get(..end).unwrap_or(text)
}

/// The key of the last `"key":` in `text`.
fn last_key(text: &str) -> &str {
    let Some(end) = text.rfind("\":") else { return "" };
    let start = text[..end].rfind('"').map_or(0, |quote| quote + 1);
    &text[start..end]
}
