//! From a command line to tokens, as POSIX's "Token Recognition" and Bash's manual have it.
//!
//! Lenient: what a shell would refuse, such as a quote that never ends, ends with the text.

mod here;
mod words;

use super::word::Word;

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
}
