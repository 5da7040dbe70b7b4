//! From tokens to simple commands, and what flows into each of them.

use std::ops::Range;

use super::{
    lexer::{Token, tokens},
    word::Word,
};

/// How many commands of a script are looked at.
const MAX_COMMANDS: usize = 1024;

/// A script: its simple commands in their order. How they hang together is kept only as far as data flows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// The names of the functions that it defines.
    pub(super) functions: Vec<String>,
}

/// A simple command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// Assignments, the name, the arguments.
    pub(super) words: Vec<Word>,
    /// Texts that it gets as its input.
    pub(super) inputs: Vec<Word>,
    /// Files that it gets as its input.
    pub(super) reads: Vec<Word>,
    /// Files that its output goes to.
    pub(super) writes: Vec<Word>,
    /// Which of the script's commands stand before it in its pipeline.
    pub(super) upstream: Range<usize>,
}

impl Script {
    /// The commands of `source`.
    pub(super) fn parse(source: &str) -> Self {
        let mut parser = Parser::default();
        let mut tokens = tokens(source).into_iter().peekable();
        while let Some(token) = tokens.next() {
            if parser.script.commands.len() == MAX_COMMANDS {
                break;
            }
            if token == Token::Open && tokens.peek() == Some(&Token::Close) {
                parser.name_function();
            }
            parser.take(token);
        }
        parser.end_command();
        parser.script
    }
}

/// What a group began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    Parenthesis,
    /// `{`, `if`, `while` and their like.
    Keyword,
    /// `case`, in which a `)` ends a pattern.
    Case,
}

/// Where a command stands in its pipeline.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The pipeline's first command.
    start: usize,
    /// The first command whose output flows in; none at the head of a pipeline.
    fed_from: Option<usize>,
}

/// What the next word is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Word,
    Read,
    Write,
}

#[derive(Default)]
struct Parser {
    script: Script,
    command: Command,
    next: Next,
    place: Place,
    /// The groups that are open, each with its own place.
    groups: Vec<(Opened, Place)>,
}

impl Parser {
    fn take(&mut self, token: Token) {
        match token {
            Token::Word(word) => self.word(word),
            Token::Input(text) => self.command.inputs.push(text),
            Token::Read => self.next = Next::Read,
            Token::Write => self.next = Next::Write,
            Token::Pipe => {
                self.end_command();
                self.place.fed_from = Some(self.place.fed_from.unwrap_or(self.place.start));
            }
            Token::Separator => self.end_pipeline(),
            Token::Open => {
                self.end_command();
                self.open(Opened::Parenthesis);
            }
            Token::Close => self.close_parenthesis(),
        }
    }

    fn word(&mut self, word: Word) {
        match std::mem::take(&mut self.next) {
            Next::Read => self.command.reads.push(word),
            Next::Write => self.command.writes.push(word),
            Next::Word if self.command.words.is_empty() => self.first_word(word),
            Next::Word if self.command.words[0].is_bare("function") => {
                self.command.words.clear();
                self.script.functions.push(word.text);
            }
            Next::Word => self.command.words.push(word),
        }
    }

    /// A word where a command may begin, and a keyword is one.
    fn first_word(&mut self, word: Word) {
        match word.text.as_str() {
            _ if word.quoted => self.command.words.push(word),
            "{" | "if" | "while" | "until" => self.open(Opened::Keyword),
            // What follows up to the end of the line or `in` are words that name no command.
            "for" | "select" => {
                self.open(Opened::Keyword);
                self.command.words.push(word);
            }
            "case" => {
                self.open(Opened::Case);
                self.command.words.push(word);
            }
            "}" | "fi" | "done" | "esac" => self.close_keyword(),
            "then" | "else" | "elif" | "do" | "!" => {}
            _ => self.command.words.push(word),
        }
    }

    /// `name()`: what follows is a function's body.
    fn name_function(&mut self) {
        if let [name] = self.command.words.as_slice() {
            self.script.functions.push(name.text.clone());
            self.command.words.clear();
        }
    }

    fn open(&mut self, opened: Opened) {
        self.groups.push((opened, self.place));
        self.place.start = self.place.fed_from.unwrap_or(self.script.commands.len());
    }

    fn close_parenthesis(&mut self) {
        self.end_command();
        let in_case = self.groups.last().is_some_and(|(opened, _)| *opened == Opened::Case);
        let opening = self.groups.iter().rposition(|(opened, _)| *opened == Opened::Parenthesis);
        match opening.filter(|_| !in_case) {
            Some(depth) => self.close(depth),
            None => self.end_pipeline(),
        }
    }

    fn close_keyword(&mut self) {
        if self.groups.last().is_some_and(|(opened, _)| *opened != Opened::Parenthesis) {
            self.close(self.groups.len() - 1);
        }
    }

    fn close(&mut self, depth: usize) {
        self.place = self.groups[depth].1;
        self.groups.truncate(depth);
    }

    fn end_pipeline(&mut self) {
        self.end_command();
        let group_is_fed_from = self.groups.last().and_then(|(_, place)| place.fed_from);
        self.place = Place { start: self.script.commands.len(), fed_from: group_is_fed_from };
    }

    fn end_command(&mut self) {
        self.next = Next::Word;
        let mut command = std::mem::take(&mut self.command);
        if command != Command::default() {
            let index = self.script.commands.len();
            command.upstream = self.place.fed_from.unwrap_or(index)..index;
            self.script.commands.push(command);
        }
    }
}
