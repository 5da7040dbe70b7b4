//! Names and values on 80 columns.

use std::fmt::Write as _;

/// What a terminal has at least.
const WIDTH: usize = 80;
/// Where values begin.
const INDENT: usize = 11;

/// Lines of a name and a value. Long values go on below their beginning.
#[derive(Debug, Default)]
pub(super) struct Columns(String);

impl Columns {
    /// Adds `value` under `name`; an empty name continues the one before. A directory's name may hold what a terminal would
    /// obey: that is replaced.
    pub(super) fn line(&mut self, name: &str, value: &str) {
        let mut name = name;
        for line in value.lines() {
            for part in wrapped(&line.replace(char::is_control, "\u{fffd}"), WIDTH - INDENT) {
                // Writing to a string cannot fail.
                let _ = writeln!(self.0, "{name:<INDENT$}{part}");
                name = "";
            }
        }
    }

    /// All lines.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// `text` in lines of at most `width` characters, broken at spaces where there are any.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word: &str = word;
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.chars().count() > width {
            lines.push(String::new());
        } else if used > 0 {
            lines.iter_mut().last().into_iter().for_each(|line| line.push(' '));
        }
        while let Some((end, _)) = word.char_indices().nth(width) {
            lines.iter_mut().last().into_iter().for_each(|line| line.push_str(&word[..end]));
            lines.push(String::new());
            word = &word[end..];
        }
        lines.iter_mut().last().into_iter().for_each(|line| line.push_str(word));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_go_on_below_their_beginning() {
        let mut columns = Columns::default();
        columns.line("state", &format!("/{} and more", "x".repeat(100)));
        let text = columns.into_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], format!("state      /{}", "x".repeat(68)));
        assert_eq!(lines[1], format!("           {} and more", "x".repeat(32)));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn nothing_is_printed_that_a_terminal_would_obey() {
        let mut columns = Columns::default();
        columns.line("state", "/a\u{1b}[2J\n/b");
        assert_eq!(columns.into_text(), "state      /a\u{fffd}[2J\n           /b\n");
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("", 8), [""]);
        assert_eq!(wrapped("äöüäöüäöü", 4), ["äöüä", "öüäö", "ü"]);
    }
}
