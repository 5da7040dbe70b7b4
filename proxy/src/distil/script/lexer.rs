//! JavaScript in tokens, as far as finding calls needs them.
//!
//! A template literal comes out as what it stands for: its texts, and between them its expressions, joined by `+`.
//! Whether a slash begins a regular expression is told by the token before it, which is right but for odd scripts;
//! a regular expression ends with its line at the latest.

use std::{borrow::Cow, collections::VecDeque};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An identifier or keyword.
    Word(&'a str),
    /// A string, or a part of a template, as it is meant.
    Text(Cow<'a, str>),
    /// A character of punctuation; of one beyond ASCII its first byte.
    Punct(u8),
    /// The expression inside a template begins.
    HoleOpens,
    /// The expression inside a template ends.
    HoleCloses,
    /// A number or a regular expression.
    Other,
}

/// Takes the tokens off the front of a script.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    /// The open braces around this place, from the outside in.
    braces: Vec<Brace>,
    /// No value stands before this place: a slash begins a regular expression.
    wants_value: bool,
    /// Tokens of a template that are found and not handed out.
    pending: VecDeque<Token<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brace {
    Code,
    Template,
}

/// Words behind which a value begins.
const BEFORE_VALUE: [&str; 12] =
    ["return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "throw", "await", "yield"];

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(token) = self.pending.pop_front() {
            return Some(token);
        }
        self.skip_blanks();
        match self.rest.chars().next()? {
            quote @ ('"' | '\'') => Some(self.string(quote)),
            '`' => {
                self.take(1);
                self.template_text();
                self.pending.pop_front()
            }
            '/' if self.wants_value => Some(self.regex()),
            c if is_word_char(c) => Some(self.word()),
            c => Some(self.punct(c)),
        }
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(script: &'a str) -> Self {
        Self { rest: script, braces: Vec::new(), wants_value: true, pending: VecDeque::new() }
    }

    /// Passes over white space and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.find('\n').map_or("", |end| &comment[end..]);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment.find("*/").map_or("", |end| &comment[end + 2..]);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> Token<'a> {
        let len = self.rest.find(|c| !is_word_char(c)).unwrap_or(self.rest.len());
        let word = self.take(len);
        self.wants_value = BEFORE_VALUE.contains(&word);
        if word.starts_with(|c: char| c.is_ascii_digit()) { Token::Other } else { Token::Word(word) }
    }

    fn string(&mut self, quote: char) -> Token<'a> {
        self.take(1);
        let len = len_until(self.rest, |c, _| c == quote || c == '\n');
        let text = unescaped(self.take(len));
        self.take(self.rest.len().min(1));
        self.wants_value = false;
        Token::Text(text)
    }

    /// The text of a template up to its end or to its next expression.
    fn template_text(&mut self) {
        let len = len_until(self.rest, |c, rest| c == '`' || rest.starts_with("${"));
        let text = unescaped(self.take(len));
        self.pending.push_back(Token::Text(text));
        self.wants_value = self.rest.starts_with("${");
        if self.wants_value {
            self.take(2);
            self.braces.push(Brace::Template);
            self.pending.extend([Token::Punct(b'+'), Token::HoleOpens]);
        } else {
            self.take(self.rest.len().min(1));
        }
    }

    fn regex(&mut self) -> Token<'a> {
        self.take(1);
        let mut in_class = false;
        let len = len_until(self.rest, |c, _| {
            in_class = (in_class || c == '[') && c != ']';
            c == '\n' || (c == '/' && !in_class)
        });
        self.take(len);
        self.take(usize::from(self.rest.starts_with('/')));
        self.wants_value = false;
        Token::Other
    }

    fn punct(&mut self, c: char) -> Token<'a> {
        let taken = self.take(c.len_utf8());
        self.wants_value = !matches!(c, ')' | ']' | '}');
        match c {
            '{' => self.braces.push(Brace::Code),
            '}' if self.braces.pop() == Some(Brace::Template) => {
                self.pending.push_back(Token::Punct(b'+'));
                self.template_text();
                return Token::HoleCloses;
            }
            _ => {}
        }
        Token::Punct(taken.as_bytes()[0])
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The bytes before the first character that is no part of an escape and at which `ends` holds.
fn len_until(text: &str, mut ends: impl FnMut(char, &str) -> bool) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if ends(c, &text[at..]) {
            return at;
        }
    }
    text.len()
}

/// What a literal means.
fn unescaped(literal: &str) -> Cow<'_, str> {
    if !literal.contains('\\') {
        return Cow::Borrowed(literal);
    }
    let mut text = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (meant, behind) = unescape(escape);
        text.extend(meant);
        rest = behind;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character that an escape means, and what follows; `escape` begins behind the backslash.
fn unescape(escape: &str) -> (Option<char>, &str) {
    let mut chars = escape.chars();
    let Some(kind) = chars.next() else { return (None, "") };
    let behind = chars.as_str();
    match kind {
        'n' => (Some('\n'), behind),
        't' => (Some('\t'), behind),
        'r' => (Some('\r'), behind),
        // A line that goes on in the next one.
        '\n' => (None, behind),
        'x' => code_point(behind, 2),
        'u' => match behind.strip_prefix('{').and_then(|code| code.split_once('}')) {
            Some((code, behind)) => (from_hex(code), behind),
            None => code_point(behind, 4),
        },
        other => (Some(other), behind),
    }
}

fn code_point(digits: &str, len: usize) -> (Option<char>, &str) {
    match digits.split_at_checked(len) {
        Some((code, behind)) => (from_hex(code), behind),
        None => (None, digits),
    }
}

fn from_hex(code: &str) -> Option<char> {
    u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens in a short notation: words and punctuation as they are, texts in `'`, `#` for others.
    fn tokens(script: &str) -> String {
        let shown = |token| match token {
            Token::Word(word) => word.to_owned(),
            Token::Text(text) => format!("'{text}'"),
            Token::Punct(byte) => char::from(byte).to_string(),
            Token::HoleOpens => "<".to_owned(),
            Token::HoleCloses => ">".to_owned(),
            Token::Other => "#".to_owned(),
        };
        Lexer::new(script).map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn strings_are_what_they_mean() {
        assert_eq!(tokens(r#"'a"b' "it's" "\"\\ \x41\u0042\u{43}\q""#), r#"'a"b' 'it's' '"\ ABCq'"#);
        assert_eq!(tokens("\"a\\\nb\\n\""), "'ab\n'");
        assert_eq!(tokens("'open\nx"), "'open' x");
        assert_eq!(tokens(r#""cut\"#), "'cut'");
        assert_eq!(tokens(r#""\u12"#), "'12'");
    }

    #[test]
    fn comments_are_no_code() {
        assert_eq!(tokens("a // b 'c\nd /* e ` */ f /* g"), "a d f");
        assert_eq!(tokens("'// no comment'"), "'// no comment'");
    }

    #[test]
    fn a_template_is_its_parts_joined() {
        assert_eq!(tokens("`a\n\\`b`"), "'a\n`b'");
        assert_eq!(
            tokens("`a${b}c${`d${{e:1}}`}`;f"),
            "'a' + < b > + 'c' + < 'd' + < { e : # } > + '' > + '' ; f"
        );
        assert_eq!(tokens("`a${b"), "'a' + < b");
        assert_eq!(tokens("`$a {b}`"), "'$a {b}'");
    }

    #[test]
    fn a_slash_divides_values_and_begins_a_regular_expression_elsewhere() {
        assert_eq!(tokens("a / b / c; 4/2; f(x)/2; y[0]/3"), "a / b / c ; # / # ; f ( x ) / # ; y [ # ] / #");
        assert_eq!(
            tokens(r#"s.replace(/["'/\]]\/[`]/g, "x"); return /a'/"#),
            "s . replace ( # g , 'x' ) ; return #"
        );
        assert_eq!(tokens("(/a\nb"), "( # b");
    }

    #[test]
    fn other_scripts_and_signs_are_read_over() {
        assert_eq!(tokens("straße = 'ü→'"), "straße = 'ü→'");
        assert_eq!(Lexer::new("→ a").last(), Some(Token::Word("a")));
    }

    proptest! {
        #[test]
        fn any_script_ends(script in r#"[ab/'"`${}\\\[\]()*\nü→u{x]{0,60}"#) {
            prop_assert!(Lexer::new(&script).count() <= 4 * script.len() + 4);
        }
    }
}
