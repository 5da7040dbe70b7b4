//! What a shell command would do, as far as its text shows: pure recognition, nothing of the text is kept.
//!
//! A command line is cut into words as a shell cuts it ([`lexer`]), the words into simple commands ([`script`]),
//! and rules look at a command's name, options and operands ([`rules`]). So what is only talked about, in a commit
//! message, an `echo` or a pattern for `grep`, is not taken for what is done. Nothing is expanded and nothing is
//! run: what a variable or a file holds is not known, and is not guessed.

mod call;
mod inner;
mod lexer;
mod options;
mod pattern;
mod rules;
mod script;
mod skill;
mod walk;
mod word;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use self::pattern::Pattern;
use self::{call::Call, walk::Walk, word::Word};

/// How much of a command line is looked at, in bytes.
pub const MAX_COMMAND: usize = 64 << 10;

/// The names of the dangerous patterns that a command line matches, each once, in [`Pattern::ALL`]'s order.
pub fn patterns(command: &str) -> Vec<&'static str> {
    names(|visit| Walk::new(visit).line(command))
}

/// The same for a command that comes as its words, without a shell: `["bash", "-lc", "rm -rf x"]`.
pub fn argv_patterns(argv: &[&str]) -> Vec<&'static str> {
    names(|visit| Walk::new(visit).argv(&argv.iter().map(|&word| Word::literal(word)).collect::<Vec<_>>()))
}

/// The skill whose instructions a command line reads: the directory's name of `…/<name>/SKILL.md`.
pub fn skill_read(command: &str) -> Option<String> {
    let mut skill = None;
    Walk::new(&mut |call| skill = skill.take().or_else(|| skill::read_by(call))).line(command);
    skill
}

fn names(walk: impl FnOnce(&mut dyn FnMut(&Call<'_>))) -> Vec<&'static str> {
    let mut found = BTreeSet::new();
    walk(&mut |call| found.extend(rules::matching(call)));
    found.into_iter().map(Pattern::name).collect()
}
