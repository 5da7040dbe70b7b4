//! Words: their quotations and what a shell would put in.

use super::{Lexer, Until};
use crate::distil::shell::word::Word;

/// How deep substitutions may lie in each other; what lies deeper is passed over.
const MAX_DEPTH: u8 = 24;

/// How long a `((…))` may be, in bytes.
const MAX_ARITHMETIC: usize = 256;

impl<'a> Lexer<'a> {
    pub(super) fn word(&mut self) -> Word {
        let mut word = Word::default();
        while let Some(next) = self.peek() {
            match next {
                '<' | '>' if self.rest()[1..].starts_with('(') => {
                    self.at += 2;
                    self.substitution(&mut word);
                }
                '(' if word.text.ends_with('=') => {
                    self.at += 1;
                    self.skip_list();
                }
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                _ => self.part(&mut word),
            }
        }
        word
    }

    /// The next part of a word: a quotation, an expansion, a character.
    fn part(&mut self, word: &mut Word) {
        if self.eat("'") {
            word.quoted = true;
            word.text.push_str(self.take_until("'"));
        } else if self.eat("$'") {
            word.quoted = true;
            self.ansi_quoted(word);
        } else if self.eat("$\"") || self.eat("\"") {
            word.quoted = true;
            self.double_quoted(word, Some('"'));
        } else if self.eat("\\\n") || self.eat("\\\r\n") {
            // A line that goes on.
        } else if self.eat("\\") {
            word.quoted = true;
            word.text.extend(self.bump());
        } else if !self.expansion(word) {
            word.text.extend(self.bump());
        }
    }

    /// `$(…)`, `$((…))`, `${…}` or backticks, if one comes next.
    fn expansion(&mut self, word: &mut Word) -> bool {
        if self.rest().starts_with("$((") {
            self.at += 1;
            if !self.skip_arithmetic() {
                self.at += 1;
                self.substitution(word);
            }
        } else if self.eat("$(") {
            self.substitution(word);
        } else if self.eat("${") {
            self.parameter(word);
        } else if self.eat("`") {
            self.backticks(word);
        } else {
            return false;
        }
        true
    }

    /// The rest of a `$(…)` or `<(…)`.
    fn substitution(&mut self, word: &mut Word) {
        let inside = self.skip_list();
        word.scripts.push(inside.to_owned());
    }

    /// Passes over everything up to the `)` that belongs to a `(` already passed, and over it.
    fn skip_list(&mut self) -> &'a str {
        let rest = self.rest();
        if self.depth == MAX_DEPTH {
            self.at = self.source.len();
            return "";
        }
        let mut inner = Lexer::new(rest, self.depth + 1);
        inner.run(Until::Close);
        let length = inner.at;
        self.at += length;
        let inside = &rest[..length];
        inside.strip_suffix(')').unwrap_or(inside)
    }

    /// Passes over `((…))`, if that comes next: numbers, in which `<<` is a shift and `#` a base.
    pub(super) fn skip_arithmetic(&mut self) -> bool {
        let Some(rest) = self.rest().strip_prefix("((") else { return false };
        let mut open = 2_u32;
        for (at, byte) in rest.bytes().enumerate().take(MAX_ARITHMETIC) {
            match byte {
                b'(' => open += 1,
                b')' if open == 2 => {
                    let closes = rest[at + 1..].starts_with(')');
                    if closes {
                        self.at += 2 + at + 2;
                    }
                    return closes;
                }
                b')' => open -= 1,
                b'\n' | b'"' | b'\'' => return false,
                _ => {}
            }
        }
        false
    }

    /// The rest of a `${…}`, which stays as written.
    fn parameter(&mut self, word: &mut Word) {
        word.text.push_str("${");
        while let Some(next) = self.peek() {
            if next == '\\' {
                self.at += 1;
                word.text.extend(self.bump());
            } else if !self.substitution_in_quotes(word) {
                word.text.extend(self.bump());
                if next == '}' {
                    return;
                }
            }
        }
    }

    fn substitution_in_quotes(&mut self, word: &mut Word) -> bool {
        (self.rest().starts_with("$(") || self.rest().starts_with('`')) && self.expansion(word)
    }

    /// The rest of a quotation in which only `$`, backtick and backslash are special.
    pub(super) fn double_quoted(&mut self, word: &mut Word, end: Option<char>) {
        while let Some(next) = self.peek() {
            if Some(next) == end {
                self.at += 1;
                return;
            }
            if next == '\\' {
                self.at += 1;
                self.escaped_in_quotes(word);
            } else if !self.substitution_in_quotes(word) {
                word.text.extend(self.bump());
            }
        }
    }

    fn escaped_in_quotes(&mut self, word: &mut Word) {
        match self.bump() {
            Some(special @ ('$' | '`' | '"' | '\\')) => word.text.push(special),
            Some('\n') | None => {}
            Some(other) => word.text.extend(['\\', other]),
        }
    }

    /// The rest of a `$'…'`.
    fn ansi_quoted(&mut self, word: &mut Word) {
        while let Some(next) = self.bump() {
            match next {
                '\'' => return,
                '\\' => word.text.extend(self.bump().map(|escaped| match escaped {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                })),
                other => word.text.push(other),
            }
        }
    }

    fn backticks(&mut self, word: &mut Word) {
        let mut script = String::new();
        while let Some(next) = self.bump() {
            match next {
                '`' => break,
                '\\' => match self.bump() {
                    Some(special @ ('`' | '\\' | '$')) => script.push(special),
                    other => script.extend(['\\'].into_iter().chain(other)),
                },
                other => script.push(other),
            }
        }
        word.scripts.push(script);
    }
}
