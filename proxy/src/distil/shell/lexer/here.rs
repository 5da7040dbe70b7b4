//! Here-documents: text that stands on the lines behind a command.

use super::{Awaited, Lexer, Token};
use crate::distil::shell::word::Word;

impl Lexer<'_> {
    /// The end of a line, behind which the awaited here-documents stand.
    pub(super) fn end_line(&mut self) {
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
}
