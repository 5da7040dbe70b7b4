//! Guidance, written down for a shell.

use std::fmt::Write;

use clap::ValueEnum;

use super::agent::Guidance;

/// A shell's language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// POSIX: sh, bash, zsh, dash.
    #[default]
    Sh,
    /// fish.
    Fish,
}

impl Shell {
    /// Lines that set the variables of `all`. How to start Codex, which heeds none, stands at the end as a comment, so
    /// that a shell that joins the lines still reads them all.
    pub fn lines(self, all: &Guidance, codex: &Guidance) -> String {
        let mut lines = String::new();
        for (name, value) in &all.variables {
            let (set, joint) = match self {
                Self::Sh => ("export", '='),
                Self::Fish => ("set -gx", ' '),
            };
            let _ = writeln!(lines, "{set} {name}{joint}{}", self.quoted(value));
        }
        let arguments: Vec<String> = codex.arguments.iter().map(|argument| self.word(argument)).collect();
        let _ = writeln!(lines, "# Codex heeds no variable; start it as: codex {}", arguments.join(" "));
        lines
    }

    fn word(self, text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
        if text.chars().all(plain) { text.to_owned() } else { self.quoted(text) }
    }

    fn quoted(self, text: &str) -> String {
        let inside = match self {
            Self::Sh => text.replace('\'', r"'\''"),
            Self::Fish => text.replace('\\', r"\\").replace('\'', r"\'"),
        };
        format!("'{inside}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_quotes() {
        assert_eq!(Shell::Sh.quoted(r"it's \ $HOME"), r"'it'\''s \ $HOME'");
        assert_eq!(Shell::Fish.quoted(r"it's \ $HOME"), r"'it\'s \\ $HOME'");
    }

    #[test]
    fn variables_are_set_and_codex_is_a_comment_at_the_end() {
        let all = Guidance { variables: vec![("A_URL", "http://x/-".to_owned())], arguments: vec![] };
        let codex =
            Guidance { variables: vec![], arguments: vec!["-c".into(), "u=\"http://x/-/v1\"".into()] };
        let comment = "# Codex heeds no variable; start it as: codex -c 'u=\"http://x/-/v1\"'\n";
        assert_eq!(Shell::Sh.lines(&all, &codex), format!("export A_URL='http://x/-'\n{comment}"));
        assert_eq!(Shell::Fish.lines(&all, &codex), format!("set -gx A_URL 'http://x/-'\n{comment}"));
    }
}
