//! Questions on a terminal.

use std::io::{self, BufRead};

use super::InitError;

/// Asks, if there is a terminal to ask on.
pub(super) struct Asker<'a> {
    is_terminal: bool,
    answers: Box<dyn BufRead + 'a>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(is_terminal: bool, answers: impl BufRead + 'a) -> Self {
        Self { is_terminal, answers: Box::new(answers) }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The answer, else `otherwise`; none if both are empty, or if nobody can be asked.
    pub(super) fn ask(&mut self, question: &str, otherwise: &str) -> Result<Option<String>, InitError> {
        if !self.is_terminal {
            return Ok(None);
        }
        let hint = if otherwise.is_empty() { String::new() } else { format!(" [{otherwise}]") };
        let answer = self.answer(&format!("{question}{hint}: "))?;
        let answer = if answer.is_empty() { otherwise.to_owned() } else { answer };
        Ok(Some(answer).filter(|answer| !answer.is_empty()))
    }

    /// Whether the answer is yes. Nobody who cannot be asked agrees.
    pub(super) fn agrees(&mut self, question: &str) -> Result<bool, InitError> {
        if !self.is_terminal {
            return Ok(false);
        }
        let answer = self.answer(&format!("{question} [y/N] "))?;
        Ok(["y", "yes"].iter().any(|yes| answer.eq_ignore_ascii_case(yes)))
    }

    #[expect(clippy::print_stderr, reason = "this is a command's talk")]
    fn answer(&mut self, question: &str) -> Result<String, InitError> {
        eprint!("{question}");
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err(InitError::Answer(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(InitError::Answer(error)),
        }
    }
}
