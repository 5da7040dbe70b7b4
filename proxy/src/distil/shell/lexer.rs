//! From a command line to tokens, as POSIX's "Token Recognition" and Bash's manual have it.
//!
//! Lenient: what a shell would refuse, such as a quote that never ends, ends with the text.

use super::word::Word;

/// How deep substitutions may lie in each other; what lies deeper is passed over.
const MAX_DEPTH: u8 = 24;

/// How long a `((…))` may be, in bytes.
const MAX_ARITHMETIC: usize = 256;

/// What separates commands; of those that begin alike the longer first.
const OPERATORS: [(&str, Token); 8] = [
    ("&&", Token::Separator),
    ("||", Token::Separator),
    ("|&", Token::Pipe),
    (";;&", Token::Separator),
    (";;", Token::Separator),
    ("|", Token::Pipe),
    (";", Token::Separator),
    ("&", Token::Separator),
];

/// A piece of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// `|` or `|&`.
    Pipe,
    /// `;`, `&`, `&&`, `||` or the end of a line.
    Separator,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `<`: the next word names what is read.
    Read,
    /// `>` in all its forms: the next word names what is written.
    Write,
    /// The text of a here-document or a here-string.
    Input(Word),
}

/// The tokens of `source`.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(source, 0);
    lexer.run(Until::End);
    lexer.tokens
}

/// Where to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    End,
    /// Behind the `)` that no `(` has opened.
    Close,
}

/// A here-document whose text begins on the next line.
struct Awaited {
    /// Which token gets it.
    token: usize,
    delimiter: Word,
    /// `<<-`: tabs before the delimiter do not count.
    strip_tabs: bool,
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    depth: u8,
    tokens: Vec<Token>,
    awaited: Vec<Awaited>,
}

impl<'a> Lexer<'a> {
    fn new(source: &'a str, depth: u8) -> Self {
        Self { source, at: 0, depth, tokens: Vec::new(), awaited: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Passes over `text` if it comes next.
    fn eat(&mut self, text: &str) -> bool {
        let comes = self.rest().starts_with(text);
        if comes {
            self.at += text.len();
        }
        comes
    }

    /// Passes over everything up to `end`, and over it; hands out what stood before it.
    fn take_until(&mut self, end: &str) -> &'a str {
        let rest = self.rest();
        let (taken, length) = match rest.find(end) {
            Some(found) => (&rest[..found], found + end.len()),
            None => (rest, rest.len()),
        };
        self.at += length;
        taken
    }

    fn run(&mut self, until: Until) {
        let mut open = 0_u32;
        while let Some(next) = self.peek() {
            match next {
                '\n' => self.end_line(),
                ' ' | '\t' | '\r' => self.at += 1,
                '#' => self.skip_comment(),
                '(' => {
                    if !self.skip_arithmetic() {
                        self.at += 1;
                        open += 1;
                        self.tokens.push(Token::Open);
                    }
                }
                ')' => {
                    self.at += 1;
                    if open == 0 && until == Until::Close {
                        return;
                    }
                    open = open.saturating_sub(1);
                    self.tokens.push(Token::Close);
                }
                ';' | '&' | '|' => self.control(),
                '<' | '>' => self.redirection(),
                _ => self.word_token(),
            }
        }
    }

    fn skip_comment(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// The end of a line, behind which the awaited here-documents stand.
    fn end_line(&mut self) {
        self.at += 1;
        self.tokens.push(Token::Separator);
        for awaited in std::mem::take(&mut self.awaited) {
            let text = self.here_document(&awaited);
            self.tokens[awaited.token] = Token::Input(text);
        }
    }

    fn here_document(&mut self, awaited: &Awaited) -> Word {
        let start = self.at;
        let mut end = start;
        while !self.rest().is_empty() {
            end = self.at;
            let line = self.take_until("\n");
            let line = if awaited.strip_tabs { line.trim_start_matches('\t') } else { line };
            if line == awaited.delimiter.text {
                return self.document_text(start, end, awaited.delimiter.quoted);
            }
            end = self.at;
        }
        self.document_text(start, end, awaited.delimiter.quoted)
    }

    fn document_text(&self, start: usize, end: usize, literal: bool) -> Word {
        let text = &self.source[start..end];
        if literal {
            return Word::literal(text);
        }
        let mut inner = Self::new(text, self.depth);
        let mut word = Word { quoted: true, ..Word::default() };
        inner.double_quoted(&mut word, None);
        word
    }

    fn control(&mut self) {
        if self.eat("&>") {
            self.eat(">");
            self.tokens.push(Token::Write);
            return;
        }
        let found = OPERATORS.iter().find(|(text, _)| self.rest().starts_with(text));
        if let Some((text, token)) = found {
            self.at += text.len();
            self.tokens.push(token.clone());
        }
    }

    fn redirection(&mut self) {
        if self.rest().starts_with("<(") || self.rest().starts_with(">(") {
            self.word_token();
        } else if self.eat("<<<") {
            self.skip_blanks();
            let word = self.word();
            self.tokens.push(Token::Input(word));
        } else if self.eat("<<") {
            let strip_tabs = self.eat("-");
            self.skip_blanks();
            let delimiter = self.word();
            self.awaited.push(Awaited { token: self.tokens.len(), delimiter, strip_tabs });
            self.tokens.push(Token::Input(Word::default()));
        } else if self.eat("<>") || self.eat("<&") || self.eat("<") {
            self.tokens.push(Token::Read);
        } else {
            let _ = self.eat(">>") || self.eat(">|") || self.eat(">&") || self.eat(">");
            self.tokens.push(Token::Write);
        }
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn word_token(&mut self) {
        let word = self.word();
        let is_descriptor = !word.quoted
            && self.rest().starts_with(['<', '>'])
            && !word.text.is_empty()
            && word.text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_descriptor {
            self.tokens.push(Token::Word(word));
        }
    }

    fn word(&mut self) -> Word {
        let mut word = Word::default();
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' if !self.rest()[1..].starts_with('(') => break,
                '<' | '>' => {
                    self.at += 2;
                    self.substitution(&mut word);
                }
                '(' if word.text.ends_with('=') => {
                    self.at += 1;
                    self.skip_list();
                }
                '(' => break,
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
    fn skip_arithmetic(&mut self) -> bool {
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
    fn double_quoted(&mut self, word: &mut Word, end: Option<char>) {
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
